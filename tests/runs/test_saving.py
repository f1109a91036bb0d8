"""Saving beside the rounds, and what is done where no checkpoint can be read."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
import torch

from zerosum.data.source import open_data
from zerosum.errors import Refusal
from zerosum.play import oom
from zerosum.play.config import Config, NetOptions, PriorOptions
from zerosum.play.step import Algorithm1
from zerosum.runs import checkpoint
from zerosum.runs.lock import locked
from zerosum.runs.run import open_run
from zerosum.training import launch, timers

POINTS = Config(prior=PriorOptions(dim=4), net=NetOptions(width=16, depth=2), batch=16, average=100, threads=1, device="cpu")


def test_rounds_go_on_while_a_checkpoint_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that takes its time: rounds are played meanwhile, no second write waits behind it, and what is written is a round's state."""
    monkeypatch.setattr(timers, "CHECKPOINT", 0.0)
    playing: list[int] = [0]
    spans: list[tuple[int, int]] = []
    play, write = Algorithm1.step, checkpoint.write

    def played(self: Algorithm1, t: int, horizon: int | None) -> torch.Tensor:
        playing[0] = t
        return play(self, t, horizon)

    def slowly(run: Path, meta: dict[str, Any], files: Any) -> Path:
        began = playing[0]
        time.sleep(0.1)
        path = write(run, meta, files)
        spans.append((began, playing[0]))
        return path

    monkeypatch.setattr(Algorithm1, "step", played)
    monkeypatch.setattr(checkpoint, "write", slowly)
    run = launch.train(open_data("ring8"), tmp_path / "a", POINTS, samples=16 * 300)
    between = spans[1:-1]  # The first and the last are waited for.
    assert between
    assert max(end - began for began, end in between) > 3
    assert len(spans) < 100
    monkeypatch.undo()
    straight = launch.train(open_data("ring8"), tmp_path / "b", POINTS, samples=16 * 300)
    for file in ("weights.safetensors", "moments.safetensors"):
        assert run.checkpoint().meta["files"][file] == straight.checkpoint().meta["files"][file]
    # One in mid-run holds its round's state, though rounds were played while it was written.
    earlier = checkpoint.verified(checkpoint.listed(run.path)[-2])
    assert 0 < earlier.round < 300
    part = launch.train(open_data("ring8"), tmp_path / "c", POINTS, samples=16 * earlier.round)
    assert part.checkpoint().meta["files"]["weights.safetensors"] == earlier.meta["files"]["weights.safetensors"]


def test_where_every_checkpoint_is_damaged_nothing_is_begun_anew(tmp_path: Path) -> None:
    """The record and what is left of the checkpoints stay as they are."""
    run = launch.train(open_data("ring8"), tmp_path / "a", POINTS, samples=16 * 5)
    for path in checkpoint.listed(run.path):
        file = path / "weights.safetensors"
        file.write_bytes(file.read_bytes()[:-1])
    before = {path: path.read_bytes() for path in run.path.rglob("*") if path.is_file()}
    with pytest.raises(Refusal, match="contains no whole checkpoint: restore one from a copy"):
        launch.resume(run.path, samples=16 * 9)
    with pytest.raises(Refusal, match="contains no whole checkpoint"):
        open_run(run.path).sample(1)
    assert {path: path.read_bytes() for path in run.path.rglob("*") if path.is_file()} == before


def test_more_samples_than_memory_are_refused_before_it_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = launch.train(open_data("ring8"), tmp_path / "a", POINTS, samples=16)
    with pytest.raises(Refusal, match=r"1,000,000,000,000,000 samples need [\d,]+ bytes of memory"):
        run.sample(10**15)
    monkeypatch.setattr(oom, "available", lambda: 1)
    with pytest.raises(Refusal, match=r"bytes of memory, and this machine has 1,024 free"):
        run.interpolate(100, 10)
    assert run.sample(10).shape == (10, 2)


@pytest.mark.parametrize("error", [OSError(95, "Operation not supported"), NotImplementedError("no flock here")])
def test_a_file_system_without_locks_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    hold = locked(tmp_path)

    def acquire(**_: Any) -> None:
        raise error

    monkeypatch.setattr(hold.lock, "acquire", acquire)
    with pytest.raises(Refusal, match=r"cannot be locked for writing \((Operation not supported|no flock here)\)"), hold:
        pass
