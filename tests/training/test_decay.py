"""Runs whose learning rates decay in their last part: extended from before the decay, and begun early by a plateau."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from zerosum.data.options import DataOptions
from zerosum.data.source import open_data
from zerosum.errors import Refusal
from zerosum.play.config import Config, GameOptions, NetOptions, PlayerOptions
from zerosum.runs import checkpoint as checkpoints
from zerosum.runs.run import Run
from zerosum.training import launch

FALLS = PlayerOptions(lr=1e-2, lr_end=1e-4)
SMALL = Config(
    game=GameOptions(penalty="r1r2", gamma=0.1, gamma_end=0.01), net=NetOptions(width=8, depth=1), d=FALLS, g=FALLS, batch=32,
    threads=1, engine="eager", precision="float32", decay=0.5,
)  # fmt: skip
STEP = 32


def trained(out: Path, samples: int, **options: Any) -> Run:
    return launch.train(open_data("gaussian", DataOptions()), out, replace(SMALL, **options), samples=samples)


def weights(run: Run) -> dict[str, torch.Tensor]:
    return load_file(run.checkpoint().path / checkpoints.WEIGHTS)


def equal(one: Run, other: Run) -> bool:
    x, y = weights(one), weights(other)
    return x.keys() == y.keys() and all(torch.equal(x[name], y[name]) for name in x)


def test_an_extended_run_is_the_run_that_was_given_the_later_end_at_once(tmp_path: Path) -> None:
    straight = trained(tmp_path / "straight", 80 * STEP)
    short = trained(tmp_path / "short", 30 * STEP)
    ended = weights(short)
    assert not equal(straight, short)
    longer = launch.resume(short.path, samples=80 * STEP)
    assert equal(straight, longer)
    told = [row["message"] for row in longer.rows("complaint")]
    assert len(told) == 1
    assert "Extended from 480 samples" in told[0]
    # What the decay had made of it is kept, with the record up to there.
    kept = load_file(tmp_path / "short/ended/000000030" / checkpoints.WEIGHTS)
    assert all(torch.equal(kept[name], ended[name]) for name in ended)
    record = (tmp_path / "short/ended/000000030.jsonl").read_text().splitlines()
    assert any(json.loads(line)["type"] == "stop" for line in record)
    # The same once more, from the constant part of the longer run.
    assert equal(trained(tmp_path / "once", 120 * STEP), launch.resume(short.path, samples=120 * STEP))


def test_without_a_constant_part_a_run_goes_on_from_its_end_and_says_that_it_differs(tmp_path: Path) -> None:
    short = trained(tmp_path / "short", 30 * STEP, decay=1.0)
    longer = launch.resume(short.path, samples=60 * STEP)
    assert "differs from one that had the new horizon" in longer.rows("complaint")[-1]["message"]
    assert not (short.path / "ended").exists()


def test_constant_rates_are_extended_from_their_end(tmp_path: Path) -> None:
    still = PlayerOptions(lr=1e-3)
    options = {"d": still, "g": still, "game": GameOptions()}
    longer = launch.resume(trained(tmp_path / "short", 30 * STEP, **options).path, samples=60 * STEP)
    assert equal(longer, trained(tmp_path / "straight", 60 * STEP, **options))
    assert longer.rows("complaint") == []


def test_a_damaged_state_before_the_decay_is_passed_over(tmp_path: Path) -> None:
    short = trained(tmp_path / "short", 30 * STEP)
    for path in checkpoints.before_decay(checkpoints.listed(short.path)):
        weights_file = path / checkpoints.WEIGHTS
        weights_file.write_bytes(weights_file.read_bytes()[:-1] + b"\xff")
    longer = launch.resume(short.path, samples=60 * STEP)
    assert longer.finished
    assert any("differs from one" in row["message"] for row in longer.rows("complaint"))


def test_a_link_in_place_of_the_folder_for_what_is_set_aside_is_refused(tmp_path: Path) -> None:
    short = trained(tmp_path / "short", 30 * STEP)
    (tmp_path / "elsewhere").mkdir()
    (short.path / "ended").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(Refusal, match="ended"):
        launch.resume(short.path, samples=60 * STEP)
    assert list((tmp_path / "elsewhere").iterdir()) == []
    assert Run(short.path, short.manifest).finished


def test_a_plateau_lets_the_decay_begin_and_an_extension_goes_on_without_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zerosum.monitor.checks.plateaued", lambda rows: len(rows) >= 3)
    data = open_data("gaussian", DataOptions())
    run = launch.train(data, tmp_path / "run", SMALL, samples=4000 * STEP, until_plateau=True)
    at = run.rows("check")[2]["samples"]
    moved = [row for row in run.rows("horizon") if row.get("reason") == "plateaued"]
    assert [row["samples"] for row in moved] == [at]
    assert moved[0]["horizon"] == 2 * at  # Half of the run is its decay.
    stop = run.rows("stop")[-1]
    assert (stop["reason"], stop["samples"]) == ("finished", 2 * at)
    assert run.rows("check")[-1]["left"] == 0
    assert equal(run, trained(tmp_path / "straight", 2 * at))
    longer = launch.resume(run.path, samples=8 * at)
    assert longer.rows("stop")[-1]["samples"] == 8 * at
    assert equal(longer, trained(tmp_path / "longer", 8 * at))
