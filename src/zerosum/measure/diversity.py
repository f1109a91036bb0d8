"""Diversity ratio: how far apart generated samples are from one another, over how far apart real ones are."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from zerosum.measure.inputs import REAL, MeasureInputs, check_pair, check_rows, squared_distances
from zerosum.measure.score import Z95, Reading

LIMIT = 5_000


def mean_distance(x: Tensor) -> tuple[float, float]:
    """Mean distance over all pairs of different rows of x (N, d), and its sampling variance (a U-statistic's: 4 var of the row means /
    N)."""
    rows = torch.cat([d.sqrt_().double().sum(1) for _, d in squared_distances(x, x)]) / (len(x) - 1)
    return float(rows.mean()), float(4 * rows.var() / len(x))


def diversity(fake: Tensor, real: Tensor) -> Reading:
    """Mean pairwise distance of fake (n, d) over that of real (m, d): 1 for a perfect generator, 0 for one that gives a single sample.

    The 95 % interval is by the delta method. Raises Refusal below 10 rows a side, or for real rows that are all equal.
    """
    check_pair(fake, real, least=10, spread=False)
    check_rows(real, REAL, 10)
    (f, var_f), (r, var_r) = mean_distance(fake), mean_distance(real)
    value = f / r
    # d(f/r) = df/r - f dr/r^2, with f and r from independent samples.
    half = Z95 * math.sqrt(var_f / r**2 + var_r * f**2 / r**4)
    return Reading("diversity", value, max(0.0, value - half), value + half)


def measure_diversity(sets: MeasureInputs) -> tuple[Reading, ...]:
    """Row of MEASURES: at most LIMIT samples a side, chosen by the seed."""
    fake, real = (part.first(LIMIT, sets.seed, "diversity") for part in (sets.fake, sets.real))
    return (diversity(fake.rows, real.rows),)
