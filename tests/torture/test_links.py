"""A run folder from somebody else with links, pipes and devices among its files: refused in a sentence, and nothing outside it changes."""

from __future__ import annotations

import json
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save

from zerosum.commands import cli
from zerosum.data.source import open_data
from zerosum.errors import Refusal
from zerosum.play.config import Config, NetOptions, PriorOptions
from zerosum.report.page import write_report
from zerosum.runs import checkpoint
from zerosum.runs.run import open_run
from zerosum.training import launch

SMALL = Config(prior=PriorOptions(dim=2), net=NetOptions(width=8, depth=1), batch=16, threads=1, device="cpu")

pytestmark = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no such files here")


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trained") / "run"
    launch.train(open_data("ring8"), folder, SMALL, samples=64, draw=lambda samples, path: path.write_bytes(b"a picture"))
    write_report(folder)
    return folder


@pytest.fixture
def run(trained: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(trained, tmp_path / "run"))


@pytest.fixture(autouse=True)
def no_waiting() -> Iterator[None]:
    """A pipe that is waited for ends the test instead of hanging it."""

    def ring(*_: object) -> None:
        raise TimeoutError("a file is waited for")

    before = signal.signal(signal.SIGALRM, ring)
    signal.alarm(120)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


def content(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


LINKED = ["record.jsonl", "lock", "run.json", "checkpoints", "checkpoints/000000004", "grids", "grid.png", "report.html", "tensorboard"]


@pytest.mark.parametrize("name", LINKED)
def test_a_link_in_a_run_folder_leads_no_write_outside(name: str, run: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    victim = outside / Path(name).name
    if not (run / name).exists():
        (run / name).mkdir()
    shutil.move(run / name, victim)
    if victim.is_file():
        # Longer than the checkpoint says: a resume would cut it.
        victim.write_bytes(victim.read_bytes() + b"\n" * 9)
    (run / name).symlink_to(victim)
    before = content(outside)
    assert cli.main(["resume", str(run), "--samples", "128", "--quiet"]) == 2
    said = capfd.readouterr().err
    assert f"{run / name} is a symbolic link" in said
    assert said.count("\n") == 1
    assert content(outside) == before


@pytest.mark.parametrize("name", ["record.jsonl", "lock"])
def test_a_second_name_of_a_file_that_is_changed_in_place_is_refused(name: str, run: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_bytes((run / name).read_bytes() + b"precious\n")
    (run / name).unlink()
    (run / name).hardlink_to(tmp_path / "elsewhere")
    with pytest.raises(Refusal, match="hard link"):
        launch.resume(run, samples=128)
    assert (tmp_path / "elsewhere").read_bytes().endswith(b"precious\n")


def test_a_new_run_does_not_start_over_a_link(tmp_path: Path) -> None:
    """Files that a killed process leaves do not keep a run out of a folder, but links under their names do."""
    (tmp_path / "victim").write_bytes(b"precious")
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "run.json.partial").symlink_to(tmp_path / "victim")
    with pytest.raises(Refusal, match="symbolic link"):
        launch.train(open_data("ring8"), tmp_path / "run", SMALL, samples=64)
    assert (tmp_path / "victim").read_bytes() == b"precious"


PIPES = ["record.jsonl", "run.json", "grid.png", "lock", "checkpoints/000000004/weights.safetensors", "checkpoints/000000004/manifest.json"]
VERBS: dict[str, Callable[[Path], list[str]]] = {
    "resume": lambda run: ["resume", str(run), "--samples", "128", "--quiet"],
    "sample": lambda run: ["sample", str(run), "-n", "2", "--out", str(run.parent / "x.npy")],
    "diagnose": lambda run: ["diagnose", str(run)],
}


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("name", PIPES)
def test_a_pipe_in_a_run_folder_is_never_waited_for(name: str, verb: str, run: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (run / name).unlink()
    os.mkfifo(run / name)
    status = cli.main(VERBS[verb](run))
    said = capfd.readouterr().err
    read = {"resume": PIPES, "sample": [n for n in PIPES if n == "run.json" or "/" in n], "diagnose": ["record.jsonl", "run.json"]}
    if name in read[verb]:
        assert status == 2
        assert f"{run / name} is a pipe" in said
        assert said.count("\n") == 1
    else:
        assert (status, said) == (0, "")


def test_a_pipe_for_the_newest_picture_does_not_stop_the_report(run: Path) -> None:
    shutil.rmtree(run / "grids")
    (run / "grid.png").unlink()
    os.mkfifo(run / "grid.png")
    assert write_report(run).is_file()


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_weights_that_are_not_finite_are_refused_although_their_hash_is_right(number: float, run: Path) -> None:
    (last,) = [p for p in checkpoint.listed(run) if p.name == "000000004"]
    weights = load_file(last / "weights.safetensors")
    next(t for name, t in weights.items() if name.startswith("average") or name.startswith("ema") or "G" in name).view(-1)[0] = number
    manifest = last / "manifest.json"
    meta = json.loads(manifest.read_text())
    meta["files"]["weights.safetensors"] = checkpoint._write(last / "weights.safetensors", save(weights))
    manifest.write_text(json.dumps({**meta, "seal": checkpoint.seal(meta)}))
    for use in (lambda: open_run(run).sample(2), lambda: launch.resume(run, samples=128)):
        with pytest.raises(Refusal, match=r"NaN or infinite numbers .*: delete that checkpoint"):
            use()
    shutil.rmtree(last)
    assert torch.isfinite(torch.from_numpy(open_run(run).sample(2))).all()
