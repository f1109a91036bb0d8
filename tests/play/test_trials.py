"""The choice of an execution by timing: what is compared, what is kept, and what a resume takes over."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from zerosum.bench.games import Synthetic
from zerosum.data import space
from zerosum.data.source import open_data
from zerosum.data.space import images
from zerosum.play import trials
from zerosum.play.config import Config, NetOptions, PriorOptions
from zerosum.play.device import choose, fitted
from zerosum.play.players import Players
from zerosum.play.race import Clock, Result
from zerosum.play.trials import Trials, budget_of, candidates, label, measured
from zerosum.training import launch

SHAPE = (1, 12, 12)
DCGAN = Config(prior=PriorOptions(dim=6), net=NetOptions(kind="dcgan", width=8, hidden=12), batch=8, threads=1, device="cpu")
POINTS = Config(net=NetOptions(kind="mlp", width=8, depth=1), batch=16, device="cpu")
PLANE = space.points([0.0, 0.0], [1.0, 1.0])


@pytest.fixture(autouse=True)
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("ZEROSUM_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def timed(config: Config, where: space.Space = PLANE, minutes: float | None = 5.0, samples: int | None = None) -> Trials:
    players = Players(config, where, torch.device("cpu"))
    before = {name: w.clone() for name, w in players.weights().items()}
    rule = fitted(choose(config, where.kind), config, players, where.shape)
    found = measured(rule, config, players, where, Synthetic(where.shape, 64), samples, minutes)
    assert all(torch.equal(w, before[name]) for name, w in players.weights().items())
    return found


def winner(*names: str) -> Callable[..., Result]:
    """A race that the first program whose name contains one of `names` wins."""

    def race(works: dict[str, Callable[[], object]], budget: float, now: Clock, wall: Clock) -> Result:
        for work in works.values():
            work()
        chosen = next(work for work in works if any(name in work for name in names))
        relative = {work: 0.8 if work == chosen else 1.0 for work in works}
        return Result(chosen, dict.fromkeys(works, 0.01), relative, dict.fromkeys(works, 9), 0.1)

    return race


def test_candidates_differ_from_the_rule_and_from_one_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trials, "faster_routes", lambda *_: "d.layers.0:outer")
    config = replace(DCGAN, threads=0)
    players = Players(config, images(SHAPE), torch.device("cpu"))
    rule = replace(fitted(choose(config, "images"), config, players, SHAPE), threads=4)
    found = candidates(rule, config, players, images(SHAPE), 0.0)
    assert found[0] == rule
    assert len({label(e) for e in found}) == len(found)
    assert {e.threads for e in found} == {1, 4}
    assert {e.closed_form for e in found} == {True, False}
    assert "d.layers.0:outer" in {e.routes for e in found}
    assert {e.threads for e in candidates(replace(rule, threads=4), replace(config, threads=4), players, images(SHAPE), 0.0)} == {4}
    precision = replace(config, precision=rule.precision)
    assert {e.precision for e in candidates(rule, precision, players, images(SHAPE), 0.0)} == {rule.precision}


@pytest.mark.parametrize(
    ("samples", "minutes", "budget"),
    [
        (None, 1.5, 0.0),
        (None, 5.0, 3.0),
        (None, 10.0, 6.0),
        (None, 600.0, 20.0),
        (640_000, None, 10.0),
        (76_800, None, 3.0),
        (640, None, 0.0),
    ],
)
def test_timing_takes_a_hundredth_of_the_run(samples: int | None, minutes: float | None, budget: float) -> None:
    assert budget_of(samples, minutes, samples_a_step=64, step_seconds=0.1) == pytest.approx(budget)


def test_what_the_user_has_chosen_is_not_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trials, "race", _never)
    assert timed(replace(POINTS, engine="eager")).table == {}


def test_a_short_run_is_executed_by_the_rule(cache: Path) -> None:
    assert timed(POINTS, samples=1600, minutes=None).table == {}
    assert not cache.exists()


def test_what_is_timed_is_recorded_and_kept(monkeypatch: pytest.MonkeyPatch, cache: Path) -> None:
    monkeypatch.setattr(trials, "Contention", _alone)
    monkeypatch.setattr(trials, "race", winner("autograd"))
    first = timed(POINTS)
    assert not first.execution.closed_form
    assert [c["what"] for c in first.table["candidates"]] == ["float32, 1 thread, closed form", "float32, 1 thread, autograd"]
    assert first.table["chosen"]["closed_form"] is False
    assert json.dumps(first.table)
    monkeypatch.setattr(trials, "race", winner("closed form"))
    again = timed(POINTS)
    assert (again.execution.closed_form, again.table["kept"]) == (False, True)
    other = timed(replace(POINTS, batch=32))
    assert (other.execution.closed_form, "kept" in other.table) == (True, False)
    assert timed(replace(POINTS, seed=7)).table["kept"]  # The seed changes no time.


@pytest.mark.parametrize("damage", ["", "[]", "{}", '{"chosen": {}}', '{"chosen": {"engine": "graph"}}', '{"chosen": 3}'])
def test_a_damaged_file_is_timed_again(monkeypatch: pytest.MonkeyPatch, cache: Path, damage: str) -> None:
    monkeypatch.setattr(trials, "Contention", _alone)
    monkeypatch.setattr(trials, "race", winner("autograd"))
    timed(POINTS)
    (kept,) = (cache / "execution").iterdir()
    kept.write_text(damage)
    found = timed(POINTS)
    assert not found.execution.closed_form
    assert "kept" not in found.table


def test_beside_other_programs_threads_stay_and_nothing_is_kept(monkeypatch: pytest.MonkeyPatch, cache: Path) -> None:
    monkeypatch.setattr(trials, "Contention", _crowded)
    monkeypatch.setattr(trials, "race", winner("1 thread,"))
    monkeypatch.setattr(trials, "faster_routes", lambda *_: "")
    config = replace(DCGAN, threads=0)
    players = Players(config, images(SHAPE), torch.device("cpu"))
    rule = replace(fitted(choose(config, "images"), config, players, SHAPE), threads=2)
    try:
        found = measured(rule, config, players, images(SHAPE), Synthetic(SHAPE, 64), None, 5.0)
    finally:
        torch.set_num_threads(1)
    assert found.execution.threads == 2
    assert found.table["crowded"] is True
    assert not (cache / "execution").exists()


def test_a_run_records_it_and_a_resume_keeps_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(trials, "Contention", _alone)
    monkeypatch.setattr(trials, "race", winner("autograd"))
    monkeypatch.setattr(launch, "measured", lambda *given: measured(*given[:-2], None, 5.0))
    run = launch.train(open_data("ring8"), tmp_path / "run", POINTS, samples=16 * 4)
    assert run.manifest["engine"]["closed_form"] is False
    assert len(run.manifest["timed"]["candidates"]) == 2
    monkeypatch.setattr(launch, "measured", _never)
    resumed = launch.resume(tmp_path / "run", samples=16 * 6)
    assert resumed.manifest["engine"] == run.manifest["engine"]
    assert not resumed.rows("complaint")


def _never(*_: Any) -> Trials:
    raise AssertionError("a resume keeps the choice")


class _alone:
    def share(self) -> float:
        return 0.0


class _crowded:
    def share(self) -> float:
        return 0.5
