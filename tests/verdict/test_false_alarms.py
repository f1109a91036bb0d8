"""Healthy runs that once raised alarms: no check of theirs may be called a trouble. Under 1 s."""

from __future__ import annotations

import math
from typing import Any

import pytest

from zerosum.verdict import verdict
from zerosum.verdict.diagnoses import DIAGNOSES

Row = dict[str, Any]
SAMPLES, APART = 3_400_000, 64_000  # as the default ring8 run of one minute
NEAR = 128_000  # samples after which that run is first near


def distance_at(samples: int) -> float:
    """What the default ring8 run shows: near early, a plateau while learning rates are high, near at the end."""
    if samples < NEAR:
        return 0.95
    if samples < 2 * NEAR:
        return 0.23
    done = samples / SAMPLES
    plateau = 0.46 + 0.06 * math.sin(2.1 * samples / APART)
    return plateau if done < 0.7 else max(0.02, plateau * (1 - done) / 0.3)


def ring8(made: Any, seen: int, left: float | None = None) -> Row:
    """One check of that run: all 8 modes, and a distance that comes from the finest scale alone."""
    d = distance_at(seen)
    missing = min(d, 0.25)
    fine = (3 * d - missing) / 2
    numbers = {
        "coverage": 0.96 * (1 - min(1.0, fine)),
        "precision": 0.97 * (1 - 0.4 * min(1.0, fine)),
        "missing": 0.06 + missing,
        "fresh": -0.02 + min(1.0, fine) * math.log(2),
        "cross_entropy_val": 0.685,
        "auc_val": 0.56,
        "modes": 8 if seen >= NEAR else 0,
        "modes_of": 8,
        # A quarter of G's samples change place from check to check.
        "cells": made.turning(seen // APART) if seen % (2 * APART) else made.cells,
        "left": (1 + math.cos(math.pi * seen / SAMPLES)) / 2 if left is None else left,
    }
    return {**made.check(seen // APART, **numbers), "samples": seen, "round": seen // 256}


@pytest.mark.parametrize(("left", "ema_missing", "alarm"), [(0.9, 0.2, False), (0.9, 0.6, True), (0.0, 0.2, True)])
def test_parts_that_only_the_live_G_leaves_out_at_high_rates_are_no_collapse(
    made: Any, left: float, ema_missing: float, alarm: bool
) -> None:
    """The live G covers half of the data at some checks and a tenth at others; its average covers it, or has collapsed as well."""

    def row(i: int) -> Row:
        good = i < 10 or i % 12 < 4
        ema = {"average_coverage": 0.8, "average_missing": ema_missing, "fresh": 0.1}
        live = {"coverage": 0.5 if good else 0.1, "missing": 0.2 if good else 0.5, "precision": 0.5 if good else 0.1}
        return made.check(i, left=left, **ema, **live, cells=made.cells if i % 3 else made.half)

    found = set(alarms([row(i) for i in range(made.checks)])) - {"oscillation"}
    assert ("mode collapse" in found) == alarm
    assert alarm or not found


def alarms(rows: list[Row]) -> list[str]:
    return [row["state"] for row in verdict(rows).history if DIAGNOSES[row["state"]].trouble]


def test_swings_at_high_learning_rates_are_no_trouble(made: Any) -> None:
    """The distance rises from .23 to .52 while learning rates are high, with all modes, and ends at .02."""
    rows = [ring8(made, seen) for seen in range(0, SAMPLES + 1, APART)]
    found = [row["distance"] for row in verdict(rows).history]
    assert found[2] == pytest.approx(0.23, abs=0.01)
    assert 0.5 < max(found[4:]) < 0.55
    assert found[-1] == pytest.approx(0.02, abs=0.01)
    assert alarms(rows) == []


def test_the_same_swings_are_a_trouble_once_learning_rates_are_low(made: Any) -> None:
    """The same rows, but with nothing of the decay left."""
    assert alarms([ring8(made, seen, left=0.0) for seen in range(0, SAMPLES // 2, APART)])
