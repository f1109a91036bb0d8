"""Verdicts on real runs, small ones: healthy, collapsing, D blind, D winning; told from the record, live, and kept beside it. About 8 s."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from zerosum.commands.cli import main
from zerosum.data.modality import MODALITIES, CheckSize
from zerosum.data.options import DataOptions
from zerosum.data.source import Data, open_data
from zerosum.nets.mlp import Discriminator, Generator
from zerosum.play.config import Config, GameOptions, NetOptions, PlayerOptions, PriorOptions
from zerosum.report.board import LiveRun
from zerosum.report.page import write_report
from zerosum.runs import checkpoint as checkpoints
from zerosum.runs.run import Run
from zerosum.training import launch
from zerosum.verdict import verdict
from zerosum.verdict.diagnoses import DIAGNOSES

HEALTHY = Config(
    game=GameOptions(value="relativistic", penalty="r1r2", gamma=0.1),
    prior=PriorOptions(dim=4),
    net=NetOptions(width=32, depth=2),
    d=PlayerOptions(lr=3e-3),
    g=PlayerOptions(lr=3e-3),
    batch=64,
    average=1000,
    threads=1,
    device="cpu",
)
PLAIN = replace(HEALTHY, game=GameOptions(value="non_saturating", penalty="none"), average=0)
ROUNDS, APART = 400, 16


class Constant(Generator):
    """G that forgets its noise."""

    def forward(self, z: Tensor) -> Tensor:
        return super().forward(0 * z)


class Away(Generator):
    """G that starts far from everything."""

    def forward(self, z: Tensor) -> Tensor:
        return super().forward(z) + 5


def pair(G: Callable[..., nn.Module]) -> tuple[nn.Module, nn.Module]:
    net: dict[str, Any] = {"width": 32, "depth": 2, "activation": "leaky_relu", "slope": 0.2}
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return G((2,), 4, **net), Discriminator((2,), **net)


CASES: dict[str, tuple[Config, Callable[..., nn.Module], str]] = {
    "healthy": (HEALTHY, Generator, "moons"),
    "mode collapse": (HEALTHY, Constant, "ring8"),
    "weak discriminator": (replace(PLAIN, d=PlayerOptions(lr=0.0)), Generator, "ring8"),
    "vanishing gradients": (replace(PLAIN, g=PlayerOptions(lr=1e-6), d=PlayerOptions(lr=3e-3)), Away, "ring8"),
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Run, LiveRun]]:
    """Each case played once, and what the display knew of it at the end."""

    class Watching:
        def __init__(self) -> None:
            self.state = LiveRun()

        def row(self, row: dict[str, Any]) -> None:
            self.state.take(row)

        def progress(self, samples: int, horizon: int | None, seconds: float) -> None: ...

    folder, played = tmp_path_factory.mktemp("runs"), {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(MODALITIES, "points", replace(MODALITIES["points"], check=CheckSize(192, APART * HEALTHY.batch)))
        for name, (config, G, data) in CASES.items():
            watching = Watching()
            opened: Data = open_data(data, DataOptions())
            run = launch.train(opened, folder / name, config, samples=ROUNDS * config.batch, given=pair(G), listener=watching)
            played[name] = (run, watching.state)
    return played


@pytest.mark.parametrize("name", CASES)
def test_the_name_is_right(name: str, runs: dict[str, tuple[Run, LiveRun]]) -> None:
    run, live = runs[name]
    found = run.verdict()
    assert len(found.history) == pytest.approx(ROUNDS / APART + 1, abs=1)
    assert live.verdict is not None
    assert live.verdict.state == found.state
    if name == "healthy":
        assert found.state in ("improving", "plateaued")
        assert [row["state"] for row in found.history if DIAGNOSES[row["state"]].trouble] == []
    else:
        assert name in (found.state, *found.others)
        assert found.trouble


def test_a_record_alone_is_enough(runs: dict[str, tuple[Run, LiveRun]], tmp_path: Path) -> None:
    """Neither checkpoints nor data nor the process that trained: run.json and record.jsonl, read by the command and by the report."""
    run, _ = runs["weak discriminator"]
    bare = tmp_path / "bare"
    bare.mkdir()
    for file in ("run.json", "record.jsonl"):
        shutil.copy(run.path / file, bare / file)
    out = StringIO()
    with redirect_stdout(out):
        assert main(["diagnose", str(bare), "--json", "--check"]) == 1
    told = json.loads(out.getvalue())
    assert told.pop("complaints") == []
    assert told == json.loads(json.dumps(run.verdict().to_json()))
    assert set(told) >= {"state", "since", "evidence", "advice", "confidence", "history"}
    assert verdict(run.rows("check")).state == told["state"]
    page = write_report(bare).read_text()
    assert told["state"] in page
    assert told["meaning"] in page


def test_diagnose_in_words(runs: dict[str, tuple[Run, LiveRun]], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["diagnose", str(runs["healthy"][0].path), "--check"]) == 0
    assert "State at each check" in capsys.readouterr().out
    assert main(["diagnose", str(runs["mode collapse"][0].path)]) == 0
    assert "Try, one at a time" in " ".join(capsys.readouterr().out.split())


def test_until_plateau_stops_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(MODALITIES, "points", replace(MODALITIES["points"], check=CheckSize(192, 256)))
    still = replace(HEALTHY, g=PlayerOptions(lr=0.0))
    asked: list[int] = []

    def at_the_fifth(rows: list[dict[str, Any]]) -> bool:
        asked.append(len(rows))
        return len(rows) >= 5

    monkeypatch.setattr("zerosum.monitor.checks.plateaued", at_the_fifth)
    data = open_data("gaussian", DataOptions())
    run = launch.train(data, tmp_path / "a", still, samples=64 * 200, until_plateau=True)
    assert run.rows("stop")[-1]["reason"] == "plateaued"
    assert run.rows("stop")[-1]["round"] == run.rows("check")[4]["round"]
    assert asked == sorted(set(asked))  # once a check
    assert launch.train(data, tmp_path / "b", still, samples=64 * 40).rows("stop")[-1]["reason"] == "finished"


def test_the_best_checkpoint_is_kept_beside_the_newest(tmp_path: Path) -> None:
    """Scores that fall and rise again: whatever is pruned, the best stays, and an equal one that is newer takes its place."""
    meta = {"schema": 1, "samples": 0, "seconds": 0.0, "horizon": None, "record_bytes": 0}
    scores = [0.9, 0.5, 0.2, 0.21, 0.6, None, 0.7, 0.7]
    (tmp_path / "checkpoints").mkdir()
    for i, score in enumerate(scores):
        checkpoints.write(tmp_path, {**meta, "round": i, "score": score}, {"weights.safetensors": {"w": torch.zeros(1)}})
        kept = [int(path.name) for path in checkpoints.listed(tmp_path)]
        assert kept[-1] == i
        assert len(kept) <= 3
    assert kept == [3, 6, 7]
    best = checkpoints.best(checkpoints.listed(tmp_path))
    assert best is not None
    assert best.name.endswith("3")
    assert checkpoints.newest(tmp_path)[0] is not None


def test_best_samples_from_the_best(runs: dict[str, tuple[Run, LiveRun]]) -> None:
    run, _ = runs["healthy"]
    assert run.best().checkpoint().round in {int(path.name) for path in checkpoints.listed(run.path)}
