"""Precision, recall, density and coverage: whether samples lie in one another's k-nearest-neighbour balls.

Convention, pinned by a test: *precision* and *density* ask of each fake whether it lies among the reals (quality); *recall* and *coverage*
ask of each real whether the fakes reach it (variety). A generator that gives one good mode alone has precision near 1 and recall near 0.

Kynkaanniemi et al. 2019, arXiv 1904.06991, eq. 1 and 2, k = 3; Naeem et al. 2020, arXiv 2002.09797, eq. 3 and 5, k = 5. A ball's radius
is the distance to the k-th nearest other sample of the same set; balls are open, so that identical samples have empty balls.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from zerosum.measure.inputs import Sets, check_pair, squared_distances
from zerosum.measure.score import Z95, Reading, wilson

LIMIT = 10_000
K_PRECISION, K_COVERAGE = 3, 5


def radii(x: Tensor) -> tuple[Tensor, Tensor]:
    """Squared distance from each row of x (N, d) to its 3rd and 5th nearest other row, each (N,)."""
    squares = torch.empty(2, len(x))
    for rows, d in squared_distances(x, x):
        index = torch.arange(len(x))[rows]
        d[torch.arange(len(d)), index] = math.inf
        squares[:, rows] = d.topk(K_COVERAGE, 1, largest=False, sorted=True).values[:, [K_PRECISION - 1, K_COVERAGE - 1]].T
    return squares[0], squares[1]


def manifold(fake: Tensor, real: Tensor) -> tuple[Reading, ...]:
    """precision, recall, density, coverage of features fake (n, d) against real (m, d). Memory: 1,024 rows of the distance table at a
    time."""
    check_pair(fake, real, least=K_COVERAGE + 1)
    n, m = len(fake), len(real)
    (fake3, _), (real3, real5) = radii(fake), radii(real)
    inside, balls = torch.zeros(n, dtype=torch.bool), torch.zeros(n)
    recalled, covered, holding = torch.zeros(m, dtype=torch.bool), torch.zeros(m, dtype=torch.bool), torch.zeros(m)
    for rows, d in squared_distances(real, fake):
        inside |= (d < real3[rows, None]).any(0)
        recalled[rows] = (d < fake3).any(1)
        within = d < real5[rows, None]
        balls += within.sum(0)
        holding[rows] = within.sum(1).float()
        covered[rows] = within.any(1)
    density = float(balls.double().mean()) / K_COVERAGE
    # A mean over pairs varies with the fakes (how many balls each is in) and with the reals (how many fakes each ball holds).
    spread = Z95 * math.sqrt(float((balls / K_COVERAGE).var()) / n + float((holding * (m / (n * K_COVERAGE))).var()) / m)
    return (
        _share("precision", inside, m),
        _share("recall", recalled, n),
        Reading("density", density, max(0.0, density - spread), density + spread),
        _share("coverage", covered, n),
    )


def _share(name: str, hits: Tensor, others: int) -> Reading:
    """A share of `hits` (N,) with a 95 % interval that allows for the other set's sampling too, as if it counted as much as this one's."""
    n, share = len(hits), float(hits.double().mean())
    return Reading(name, share, *wilson(share, n * others / (n + others)))


def measure_manifold(sets: Sets) -> tuple[Reading, ...]:
    """MEASURES row: at most LIMIT rows a side, chosen by the seed."""
    fake, real = (part.first(LIMIT, sets.seed, "manifold") for part in (sets.fake, sets.real))
    return manifold(fake.rows, real.rows)
