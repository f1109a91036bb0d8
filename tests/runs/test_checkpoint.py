"""A checkpoint is whole or is not there: damage is named and passed over, a full disk loses nothing, nothing in it executes."""

from __future__ import annotations

import errno
import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.testing import assert_close

from zerosum.chance import normal
from zerosum.errors import Refusal
from zerosum.runs import checkpoint
from zerosum.runs.async_checkpoint import AsyncCheckpoint


def write(run: Path, t: int) -> Path:
    files = {"weights.safetensors": {"G.w": normal((3, 4), 0, "w", t)}, "moments.safetensors": {"g.w.step": torch.tensor(float(t))}}
    return checkpoint.write(run, {"round": t, "samples": 16 * t, "seconds": 0.1 * t, "record_bytes": 0, "horizon": None}, files)


def forge(path: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """What somebody who knows the format can write: a changed manifest with a new seal."""
    manifest = json.loads((path / "manifest.json").read_text())
    change(manifest)
    (path / "manifest.json").write_text(json.dumps({**manifest, "seal": checkpoint.seal(manifest)}))


LIKE = {"G.w": torch.zeros(3, 4)}


def test_it_comes_back_bit_for_bit(tmp_path: Path) -> None:
    write(tmp_path, 5)
    found, complaints = checkpoint.newest(tmp_path)
    assert found is not None
    assert (found.round, complaints) == (5, [])
    assert_close(found.tensors("weights.safetensors", LIKE), {"G.w": normal((3, 4), 0, "w", 5)}, rtol=0, atol=0)


def test_the_newest_two_are_kept(tmp_path: Path) -> None:
    for t in (3, 20, 100, 1000):
        write(tmp_path, t)
    assert [int(p.name) for p in checkpoint.listed(tmp_path)] == [100, 1000]


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


DAMAGE: dict[str, Any] = {
    "a bit flipped": flip,
    "cut short": lambda p: p.write_bytes(p.read_bytes()[:-1]),
    "emptied": lambda p: p.write_bytes(b""),
    "gone": lambda p: p.unlink(),
    "a pickle in its place": lambda p: p.write_bytes(pickle.dumps({"w": 1})),
}


@pytest.mark.parametrize("file", ["weights.safetensors", "moments.safetensors", "manifest.json"])
@pytest.mark.parametrize("how", DAMAGE)
def test_damage_is_named_and_the_one_before_is_used(tmp_path: Path, how: str, file: str) -> None:
    write(tmp_path, 1)
    last = write(tmp_path, 2)
    DAMAGE[how](last / file)
    found, complaints = checkpoint.newest(tmp_path)
    assert found is not None
    assert found.round == 1
    assert len(complaints) == 1
    assert str(last) in complaints[0]
    assert "damaged" in complaints[0]


def test_a_folder_without_a_whole_checkpoint_has_none(tmp_path: Path) -> None:
    assert checkpoint.newest(tmp_path) == (None, [])
    flip(write(tmp_path, 1) / "weights.safetensors")
    found, complaints = checkpoint.newest(tmp_path)
    assert found is None
    assert len(complaints) == 1


def test_a_pickle_that_the_manifest_vouches_for_is_still_no_safetensors(tmp_path: Path) -> None:
    """Whoever writes the payload can write its hash too: the format itself must refuse it."""

    class Payload:
        def __reduce__(self) -> Any:
            return (Path.touch, (tmp_path / "executed",))

    path = write(tmp_path, 1)
    vouched = checkpoint._write(path / "weights.safetensors", pickle.dumps(Payload()))
    forge(path, lambda manifest: manifest["files"].update({"weights.safetensors": vouched}))
    assert checkpoint.newest(tmp_path)[0] is None
    assert not (tmp_path / "executed").exists()


def test_a_manifest_cannot_reach_outside_its_folder(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"x")
    path = write(tmp_path, 1)
    forge(path, lambda manifest: manifest["files"].update({"../../secret": {"sha256": "0", "bytes": 1}}))
    found, complaints = checkpoint.newest(tmp_path)
    assert found is None
    assert "outside" in complaints[0]


@pytest.mark.parametrize("threads", [0, -1, 1.5, "two", None, [], True])
def test_a_number_of_threads_that_is_none_is_damage(tmp_path: Path, threads: Any) -> None:
    forge(write(tmp_path, 1), lambda manifest: manifest.update(threads=threads))
    found, complaints = checkpoint.newest(tmp_path)
    assert found is None
    assert "damaged" in complaints[0]


def test_another_nets_checkpoint_is_refused_by_name(tmp_path: Path) -> None:
    write(tmp_path, 1)
    found, _ = checkpoint.newest(tmp_path)
    assert found is not None
    with pytest.raises(Refusal, match=r"G\.w has shape \(3, 4\), not \(3, 5\)"):
        found.tensors("weights.safetensors", {"G.w": torch.zeros(3, 5)})
    with pytest.raises(Refusal, match="one side only"):
        found.tensors("weights.safetensors", {"G.v": torch.zeros(3, 4)})


@pytest.mark.parametrize("fails_at", range(1, 5))
def test_a_full_disk_at_any_write_leaves_the_one_before_whole(tmp_path: Path, fails_at: int, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, 1)
    writes = 0

    def full(*_: Any) -> None:
        nonlocal writes
        writes += 1
        if writes == fails_at:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(checkpoint.os, "fsync", full)
    with pytest.raises(Refusal, match=r"[\d,]+ bytes could not be written to .*No space left"):
        write(tmp_path, 2)
    monkeypatch.undo()
    assert writes == fails_at
    found, complaints = checkpoint.newest(tmp_path)
    assert found is not None
    assert (found.round, complaints) == (1, [])
    assert not list((tmp_path / "checkpoints").glob(".partial*"))


def test_what_a_killed_process_left_half_written_is_no_checkpoint(tmp_path: Path) -> None:
    write(tmp_path, 1)
    half = tmp_path / "checkpoints" / ".partial-000000002"
    half.mkdir()
    (half / "weights.safetensors").write_bytes(b"half")
    found, complaints = checkpoint.newest(tmp_path)
    assert found is not None
    assert (found.round, complaints) == (1, [])
    write(tmp_path, 2)
    assert not half.exists()


def test_the_saver_tells_of_a_failed_write_at_the_next_chance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    saver = AsyncCheckpoint(tmp_path)
    monkeypatch.setattr(checkpoint, "write", lambda *_: (_ for _ in ()).throw(Refusal("disk full")))
    saver.save({"round": 1}, {})
    with pytest.raises(Refusal, match="disk full"):
        saver.wait()
