"""Rows of checks made up for every state: what a run that is in it might have recorded."""

from __future__ import annotations

import math
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

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
    "plateaued": lambda i: {
        "fresh": towards(i, 0.69, 0.02, 12) + wobble(i),
        "coverage": towards(i, 0, 0.9, 12),
        "missing": towards(i, 0.7, 0.1, 12),
    },
    "converged": lambda i: {
        "fresh": towards(i, 0.69, -0.02, 12) + wobble(i) / 4,
        "coverage": towards(i, 0, 0.96, 12),
        "missing": towards(i, 0.7, 0.06, 12),
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
    "mode collapse": lambda i: (
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
    "weak discriminator": lambda i: {
        "missing": 0.5,
        "coverage": 0.2,
        "precision": 0.1,
        "fresh": 0.5,
        "auc_val": 0.51,
        "cross_entropy_val": 0.69,
    },
    "vanishing gradients": lambda i: {
        "fresh": 0.6,
        "coverage": 0.02,
        "precision": 0.01,
        "missing": 0.3,
        "auc_val": 1.0,
        "cross_entropy_val": 0.02,
        "grad_g": towards(i, 2.0, 1e-3, 10),
    },
    "oscillation": lambda i: {
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
    "discriminator overfitting": lambda i: {
        "auc_gap": min(0.9, 0.5 + i / 40),
        "r_t": 0.9,
        "fresh": 0.05 + i / 100,
        "coverage": 0.9 - i / 80,
        "cross_entropy_train": 0.2,
    },
    "memorisation": lambda i: {"memory_held_out": max(0.1, 1 - i / 20), "memory_copies": min(0.95, 0.4 + i / 30)},
    "diverged": lambda i: {"diversity": 1.5**i, "precision": 0.0, "coverage": 0.0, "fresh": 0.68, "missing": 0.9} if i > 20 else {},
    "too early to say": lambda i: {},
}


def run(name: str, checks: int = CHECKS, after: int = 1) -> list[Row]:
    """The rows of a run in a state; after: every how many of its checks."""
    return [check(i, **CASES[name](i)) for i in range(0, checks, after)]


def case(name: str, i: int) -> Row:
    """What is particular about check i of a run in this state."""
    return CASES[name](i)


@pytest.fixture(scope="session")
def made() -> SimpleNamespace:
    """The row of one check, the rows of a run in a state, and what they are made from."""
    return SimpleNamespace(check=check, run=run, case=case, cases=CASES, turning=turning, checks=CHECKS, cells=CELLS, half=HALF)
