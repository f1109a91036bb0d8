"""The result of a scenario: a table over seeds, curves, and a paragraph that explains them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from zerosum.game.prior import PRIORS
from zerosum.measure.modes import Census, census
from zerosum.monitor.diagnostics import modes_of
from zerosum.study.density_game import DensityGame
from zerosum.theory.optimum import PlaneJSD, plane_jsd

Array = NDArray[Any]


# Student's t, two-sided 95 %, by degrees of freedom from 1.
_T95 = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262)


def mean_and_half(values: Sequence[float]) -> tuple[float, float]:
    """The mean over seeds, and half of its 95 % interval (Student's t; at most ten seeds); NaN for one seed."""
    n = len(values)
    mean = sum(values) / n
    if n < 2:
        return mean, float("nan")
    spread = math.sqrt(sum((v - mean) ** 2 for v in values) / (n - 1))
    return mean, _T95[min(n - 2, len(_T95) - 1)] * spread / math.sqrt(n)


@dataclass(frozen=True)
class Schedule:
    """One way to take turns, played with several seeds.

    k, g_steps: updates of D and of G in each training step. d_taken, g_taken: updates in all. modes, jsd: of each seed; jsd in nats.
    samples: (N, 2) of G, of the first seed.
    """

    k: int
    g_steps: int
    d_taken: int
    g_taken: int
    modes: tuple[int, ...]
    jsd: tuple[float, ...]
    samples: Array

    @property
    def modes_mean(self) -> tuple[float, float]:
        """Mean over the seeds, and half of its 95 % interval."""
        return mean_and_half(self.modes)

    @property
    def jsd_mean(self) -> tuple[float, float]:
        """Likewise, in nats."""
        return mean_and_half(self.jsd)


@dataclass(frozen=True)
class ScenarioResult:
    """rows: plain values, one row per case and seed. panels: title -> label -> (x, y), the first seed's curves. why: a paragraph.

    grids: title -> schedules, rows by k and columns by g_steps. pictures: title -> images, uint8 (N, H, W, 3).
    """

    rows: list[dict[str, Any]]
    panels: dict[str, dict[str, tuple[Array, Array]]]
    why: str
    grids: dict[str, list[Schedule]] = field(default_factory=dict)
    pictures: dict[str, Array] = field(default_factory=dict)


def curve(points: list[tuple[float, float]]) -> tuple[Array, Array]:
    """(x, y) pairs as two arrays."""
    table = np.array(points, dtype=np.float64)
    return table[:, 0], table[:, 1]


@torch.no_grad()
def samples(density_game: DensityGame, n: int) -> torch.Tensor:
    """n samples of G in the data's unit, (n, d)."""
    z = PRIORS[density_game.config.prior.kind]((n, density_game.config.prior.dim), density_game.config.seed, "study/samples", 0)
    x: torch.Tensor = density_game.G(z)
    return x


def blurred_jsd(density_game: DensityGame, n: int = 4000) -> PlaneJSD:
    """The JSD of a 2-D p_data and n samples of G (without EMA)."""
    return plane_jsd(density_game.p_data, samples(density_game, n))


def modes_reached(density_game: DensityGame, n: int = 2500) -> tuple[int, float, Census]:
    """Modes captured, share of high quality, and the census of n samples of G (without EMA)."""
    modes = modes_of(density_game.p_data)
    assert modes is not None
    found = census(samples(density_game, n), modes)
    return int((found.counts > 0).sum()), float(found.counts.sum()) / found.n, found
