"""The verdict as a function of rows: every state from rows made up for it, and nothing but rows. Under 1 s."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from zerosum.run.config import Config, to_json
from zerosum.verdict import settled, verdict
from zerosum.verdict.advice import knob
from zerosum.verdict.looks import Look, looks, variation
from zerosum.verdict.signs import SIGNS
from zerosum.verdict.states import STATES, TROUBLES
from zerosum.verdict.thresholds import THRESHOLDS

CHECKS = 40
CELLS = [32] * 16
Row = dict[str, Any]
FLOORS = {"floor_coverage": 0.96, "floor_precision": 0.97, "floor_missing": 0.06, "floor_fresh": -0.02, "floor_diversity": 1.0}


def wobble(i: int) -> float:
    """A little noise that is always the same, within +-0.01."""
    return 0.01 * math.sin(7.3 * i)


def check(i: int, **numbers: Any) -> Row:
    """The row of check i of a run that is at the floor, but for these numbers."""
    at = {"type": "check", "round": 40 * i, "samples": 10_240 * i, "seconds": i / 2, "n": 512, "finite": True}
    D = {"auc_val": 0.62 + wobble(i), "auc_train": 0.62 + wobble(i), "auc_gap": 0.5 + wobble(i), "r_t": 0.2}
    paid = {"cross_entropy_val": 0.66, "cross_entropy_train": 0.66, "grad_g": 0.5 + wobble(i)}
    G = {"coverage": 0.94 + wobble(i), "precision": 0.95, "diversity": 1.0 + wobble(i), "missing": 0.08, "cells": CELLS}
    rest = {"fresh": 0.01 + wobble(i), "memory_held_out": None, "memory_copies": None}
    return {**at, **FLOORS, **D, **paid, **G, **rest, **numbers}


def towards(i: int, start: float, end: float, by: int = 25) -> float:
    """From start to end over the first checks, quickly at first."""
    return end + (start - end) * math.exp(-4 * i / by)


def turning(i: int) -> list[int]:
    """Fakes that crowd into a quarter of the cells, another quarter at each check."""
    return [128 if (j // 4) == i % 4 else 0 for j in range(16)]


HALF = [64] * 4 + [0] * 12
CASES: dict[str, Callable[[int], Row]] = {
    "improving": lambda i: {"fresh": towards(i, 0.69, 0.1, 80), "coverage": towards(i, 0, 0.9, 80), "missing": towards(i, 0.7, 0.1, 80)},
    "settled": lambda i: {
        "fresh": towards(i, 0.69, 0.02, 12) + wobble(i),
        "coverage": towards(i, 0, 0.9, 12),
        "missing": towards(i, 0.7, 0.1, 12),
    },
    "stalled": lambda i: {
        "fresh": 0.5,
        "coverage": 0.05,
        "precision": 0.04,
        "missing": 0.3,
        "auc_val": 0.9,
        "cross_entropy_val": 0.4,
        "diversity": 0.8,
    },
    "collapsing": lambda i: (
        {
            "missing": 0.7,
            "coverage": 0.2,
            "precision": 0.9,
            "diversity": 0.3,
            "fresh": 0.4,
            "auc_val": 0.8,
            "cross_entropy_val": 0.5,
            "cells": HALF,
        }
        if i > 15
        else {"missing": 0.1 + wobble(i), "coverage": 0.8, "fresh": 0.1}
    ),
    "D blind": lambda i: {"missing": 0.5, "coverage": 0.2, "precision": 0.1, "fresh": 0.5, "auc_val": 0.51, "cross_entropy_val": 0.69},
    "discriminator winning": lambda i: {
        "fresh": 0.6,
        "coverage": 0.02,
        "precision": 0.01,
        "missing": 0.3,
        "auc_val": 1.0,
        "cross_entropy_val": 0.02,
        "grad_g": towards(i, 2.0, 1e-3, 10),
    },
    "oscillating": lambda i: {
        "cells": turning(i),
        "average_cells": CELLS,
        "average_coverage": 0.4 + 0.2 * (i % 2),
        "average_missing": 0.3,
        "missing": 0.3,
        "coverage": 0.6,
        "fresh": 0.3 + 0.2 * (i % 2),
        "auc_val": 0.8,
        "cross_entropy_val": 0.5,
    },
    "overfitting": lambda i: {
        "auc_gap": min(0.9, 0.5 + i / 40),
        "r_t": 0.9,
        "fresh": 0.05 + i / 100,
        "coverage": 0.9 - i / 80,
        "cross_entropy_train": 0.2,
    },
    "memorising": lambda i: {"memory_held_out": max(0.1, 1 - i / 20), "memory_copies": min(0.95, 0.4 + i / 30)},
    "diverged": lambda i: {"diversity": 1.5**i, "precision": 0.0, "coverage": 0.0, "fresh": 0.68, "missing": 0.9} if i > 20 else {},
    "too early to say": lambda i: {},
}


def run(name: str, checks: int = CHECKS, after: int = 1) -> list[Row]:
    return [check(i, **CASES[name](i)) for i in range(0, checks, after)]


def test_every_state_has_a_case() -> None:
    assert set(CASES) == set(STATES)


@pytest.mark.parametrize("name", CASES)
def test_the_state_of_its_rows(name: str) -> None:
    found = verdict(run(name, 3 if name.startswith("too") else CHECKS), to_json(Config()))
    assert found.state == name
    assert found.trouble == STATES[name].trouble
    assert found.trouble == bool(found.advice)
    assert found.evidence
    assert len(found.history) == (3 if name.startswith("too") else CHECKS)
    assert json.loads(json.dumps(found.to_json(), allow_nan=False)) == found.to_json()
    assert found.state in found.paragraph.lower() or found.state.startswith("D ")
    assert "nan" not in found.paragraph


@pytest.mark.parametrize("name", [case for case in CASES if STATES[case].trouble])
def test_one_odd_check_neither_makes_nor_breaks_a_trouble(name: str) -> None:
    healthy, broken = run("settled"), run(name)
    odd = [*healthy[:30], broken[39] | {k: healthy[30][k] for k in ("round", "samples")}, *healthy[31:]]
    assert not any(STATES[row["state"]].trouble for row in verdict(odd).history)
    pardoned = [*broken[:-3], broken[-3] | {k: v for k, v in check(37).items() if k not in ("cells",)}, *broken[-2:]]
    assert verdict(pardoned).state == name


@pytest.mark.parametrize("name", [state.name for state in TROUBLES])
def test_a_trouble_needs_two_signs(name: str) -> None:
    state = STATES[name]
    assert len(state.needs) + bool(state.some) >= 2
    assert {*state.needs, *state.some, *state.told} <= set(SIGNS)
    assert state.turns


def test_troubles_say_since_when() -> None:
    found = verdict(run("collapsing"))
    assert found.since == pytest.approx(16 * 10_240, abs=3 * 10_240)
    assert not any(STATES[row["state"]].trouble for row in found.history[:16])
    assert [row["state"] for row in found.history[20:]] == ["collapsing"] * 20


@pytest.mark.parametrize("name", [case for case in CASES if case != "too early to say"])
def test_half_as_many_checks_and_other_counts_say_the_same(name: str) -> None:
    """Neither the counts of samples nor twice the gap between checks change a verdict."""
    assert verdict(run(name, after=2)).state == name
    scaled = [row | {k: 10 * row[k] for k in ("round", "samples", "seconds")} for row in run(name)]
    assert verdict(scaled).state == name


def test_a_name_in_the_manifest_changes_nothing() -> None:
    rows = run("collapsing")
    named = [row | {"modes": 2, "modes_of": 8, "high_quality": 0.9, "jsd": 0.5} for row in rows]
    assert verdict(named).state == verdict(rows).state
    assert any("2 of the 8 modes" in sentence for sentence in verdict(named).evidence)


def test_precedence_names_the_cause_and_lists_the_rest() -> None:
    both = [check(i, **{**CASES["collapsing"](30), **CASES["memorising"](i)}) for i in range(CHECKS)]
    found = verdict(both)
    assert found.state == "memorising"
    assert found.others == ["collapsing"]  # And no word of "stalled", which every trouble ends in.
    order = [state.name for state in TROUBLES]
    assert order.index("D blind") < order.index("collapsing") < order.index("stalled")


def test_a_run_that_ended_in_numbers_that_are_not_finite() -> None:
    message = "the gradient of D's body.layers.0.weight was not finite in round 12; that update was not made."
    stop = {"type": "stop", "reason": "not finite", "message": message, "round": 11, "samples": 2816, "seconds": 1.0}
    found = verdict([*run("improving", 4), stop])
    assert (found.state, found.since, found.evidence, found.confidence) == ("diverged", 2816, [message], "high")
    resumed = verdict([*run("improving", 4), stop, {"type": "start", "round": 0, "samples": 0, "seconds": 0.0}])
    assert resumed.state != "diverged"
    halted = [*run("settled", 20), *(check(i, finite=False) for i in range(20, 23))]
    assert verdict(halted).state == "diverged"


def test_an_average_that_lags_behind_a_good_G_is_no_trouble() -> None:
    behind = {"average_coverage": 0.1, "average_missing": 0.4, "fresh": 0.4, "cells": CELLS, "average_cells": HALF}
    rows = [check(i, **(behind if i > 15 else {})) for i in range(CHECKS)]
    assert not any(STATES[row["state"]].trouble for row in verdict(rows).history)
    assert any("its average lags behind" in sentence for sentence in verdict(rows).evidence)
    assert verdict([row | {"coverage": 0.1} for row in rows]).trouble


def test_a_run_that_is_where_it_began_has_stalled_however_near_that_is() -> None:
    """A G that already covers much of the data before it is trained."""
    numbers = {"fresh": 0.2, "coverage": 0.65, "missing": 0.3, "auc_val": 0.8, "cross_entropy_val": 0.55}
    assert verdict([check(i, **numbers) for i in range(CHECKS)]).state == "stalled"
    came = [check(i, **({"fresh": 0.5, "coverage": 0.2} | {"missing": 0.7} if i < 4 else numbers)) for i in range(CHECKS)]
    assert verdict(came).state == "settled"


def test_a_record_within_the_noise_of_the_run_itself_is_no_improvement() -> None:
    """The distance jumps by 0.1 and more; three checks at the end happen to lie 0.05 lower, or many of them 0.2."""

    def row(i: int, lucky: float) -> Row:
        bad = 0.5 + 0.1 * ((7 * i) % 4 - 1.5) / 1.5 - lucky
        return check(i, fresh=bad * math.log(2), coverage=0.05, missing=0.06 + bad, precision=0.05, cells=turning(i))

    assert verdict([row(i, 0.08 * (i >= CHECKS - 3)) for i in range(CHECKS)]).state != "improving"
    assert verdict([row(i, 0.3 * (i >= CHECKS - 8)) for i in range(CHECKS)]).state == "improving"


def test_circles_near_the_data_are_no_trouble() -> None:
    near = {"average_coverage": 0.94, "average_missing": 0.08, "fresh": 0.02}
    rows = [check(i, **{**CASES["oscillating"](i), **near}) for i in range(CHECKS)]
    assert not any(STATES[row["state"]].trouble for row in verdict(rows).history)
    assert verdict(run("oscillating")).state == "oscillating"


def test_a_run_that_rests_well_above_its_best_has_not_settled() -> None:
    def row(i: int, then: float) -> Row:
        d = 0.05 if 5 <= i < 15 else then if i >= 15 else 0.9
        return check(i, fresh=d * math.log(2), coverage=0.94 * (1 - d), missing=0.06 + d)

    assert verdict([row(i, 0.1) for i in range(CHECKS)]).state == "settled"
    fallen = verdict([row(i, 0.3) for i in range(CHECKS)])
    assert fallen.state == "too early to say"
    assert any("at its best" in sentence for sentence in fallen.evidence)


def test_rows_without_checks_or_with_holes() -> None:
    for rows in (
        [],
        [{"type": "signals", "loss_d": 1.0}],
        [{"type": "check"}] * 20,
        [check(i, coverage=None, fresh=None) for i in range(20)],
    ):
        found = verdict(rows)
        assert not found.trouble
        assert found.confidence == "low" or found.state != "too early to say"


def test_advice_names_knobs_and_values() -> None:
    config = to_json(Config()) | {"d": {**to_json(Config())["d"], "lr": 1e-6}}
    blind = verdict(run("D blind"), config)
    assert "--d.lr 0.0002 instead of 1e-06" in blind.advice
    assert "--game.k 2 instead of 1" in blind.advice
    assert "--d.lr" in verdict(run("D blind")).advice
    for state in TROUBLES:
        for turn in state.turns:
            assert knob(to_json(Config()), turn.knob) is not None or turn.knob in ("data.limit",), turn.knob
    none = {**config, "game": {**config["game"], "penalty": "none"}}
    assert "gamma" not in verdict(run("D blind"), none).advice
    learned = verdict(run("overfitting"), none).advice
    assert "--game.penalty r1r2 instead of none" in learned
    assert "--data.flip" not in learned  # Its nets are perceptrons, for points.


def test_settled_long_enough_to_stop() -> None:
    rows = run("settled")
    stops = [i for i in range(len(rows)) if settled(rows[: i + 1])]
    assert stops
    assert stops[0] >= THRESHOLDS["settled"].value
    for name in CASES:
        assert settled(run(name)) == (name in ("settled", "too early to say"))  # The latter is at the floor from the start.


@pytest.mark.parametrize("left", [0.0, 0.02, 0.05, 0.5, 1.0])
def test_while_rates_have_far_to_fall_a_run_may_have_more_to_gain(left: float) -> None:
    rows = [row | {"left": left} for row in run("settled")]
    found = verdict(rows)
    assert found.state == ("settled" if left < 0.03 else "improving")
    assert settled(rows) == (left < 0.03)
    assert any("is to come" in sentence for sentence in found.evidence) == (left > 0.03)


@pytest.mark.parametrize("fresh", [0.3, 0.66])
def test_while_rates_are_high_a_G_that_swings_is_in_trouble_only_far_away(fresh: float) -> None:
    """As the preset does on narrow modes for half of its run: all modes, cells as they should be, and no real covered."""
    swings = {"cells": [40, 24] * 8, "average_cells": CELLS, "average_coverage": 0.4 if fresh < 0.5 else 0.0, "average_missing": 0.3}
    rows = [
        check(i, coverage=0.3, precision=0.4, missing=0.3, fresh=fresh, auc_val=0.55, cross_entropy_val=0.69, **swings)
        if i > 4
        else check(i, fresh=0.66, coverage=0.0, missing=0.8, average_missing=0.8)
        for i in range(CHECKS)
    ]
    assert verdict([row | {"left": 0.5} for row in rows]).trouble == (fresh > 0.5)
    assert verdict(rows).state == "D blind"


def test_a_G_that_never_had_a_gradient() -> None:
    """Saturated from its first step, as at a learning rate of one: a sentence, and no division by zero."""
    rows = [check(i, **{**CASES["discriminator winning"](i), "grad_g": 0.0}) for i in range(CHECKS)]
    assert "G has no gradient" in verdict(rows).evidence
    slow = [check(i, **{**CASES["stalled"](i), "fresh": 0.66 - 0.001 * i, "missing": 0.8 - 0.003 * i}) for i in range(CHECKS)]
    assert verdict(slow).state == "stalled"  # It moves, by less than a tenth of its way in a third of the run.


def test_rows_of_before_the_schedule_was_told_are_read() -> None:
    assert "left" not in run("settled")[0]
    assert looks(run("settled"))[-1].left == 0


@pytest.mark.parametrize("times", [1, 2, 8])
def test_twice_the_minutes_settle_no_sooner(times: int) -> None:
    """The first checks of a long run come as close as those of a short one: they are few of its minutes, however many they are."""
    close = [check(i, **CASES["settled"](3 * i), left=0.0) for i in range(20)]
    apart = [check(i, **CASES["settled"](3 * i), left=0.0) for i in range(20, 20 + 40 * times, times)]
    history = verdict([*close, *apart]).history
    first = next(i for i, row in enumerate(history) if row["state"] == "settled")
    seen = [row["samples"] for row in history]
    assert sum(2 * samples >= seen[first] for samples in seen[: first + 1]) >= THRESHOLDS["first"].value
    assert history[-1]["state"] == "settled"


def test_a_slow_fall_is_no_rest() -> None:
    """From .3 to .2 over the last half of the run, within the noise of any single check: it gains still."""

    def row(i: int) -> Row:
        d = 0.3 - 0.1 * max(0, i - 20) / 20 + 0.04 * ((5 * i) % 7 - 3) / 3
        return check(
            i, **({"fresh": 0.6, "coverage": 0.05, "missing": 0.9} if i < 3 else {"fresh": d, "coverage": 0.94 * (1 - d), "missing": d})
        )

    assert "settled" not in {row["state"] for row in verdict([row(i) for i in range(CHECKS)]).history[33:]}


def test_numbers_are_read_beside_their_floors() -> None:
    look = looks(
        [
            check(0, fresh=0.3, coverage=0.48, missing=0.2),
            check(1, cells=HALF, average_cells=CELLS, average_coverage=0.96, fresh=-0.02, missing=0.06, average_missing=0.06),
        ]
    )
    assert look[0].fresh == pytest.approx(0.32)
    assert look[0].distance == pytest.approx((0.32 / math.log(2) + 0.5 + 0.14) / 3)
    assert look[0].drift is None
    assert look[1].drift == pytest.approx(0.75)
    assert look[1].distance == pytest.approx(0)
    assert variation([1, 1], [2, 0]) == pytest.approx(0.5)
    assert variation([1], [1, 2]) is None
    assert variation([0, 0], [1, 1]) is None
    assert looks([{"type": "check", "auc_val": float("nan")}])[0] == Look(0, 0, 0.0, True)


def test_the_verdict_loads_no_torch() -> None:
    code = "import sys, zerosum.verdict; sys.exit('torch' in sys.modules or 'numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_every_threshold_has_a_source() -> None:
    assert all(t.what and t.source and t.value > 0 for t in THRESHOLDS.values())
