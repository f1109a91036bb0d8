"""Precision, recall, density and coverage (PRDC): whether samples are within one another's k-nearest-neighbour balls.

Convention, fixed by a test: *precision* and *density* look at each generated sample, and whether it is among real ones (quality); *recall*
and *coverage* look at each real sample, and whether generated ones reach it (variety). A generator of one good mode alone has precision
near 1 and recall near 0.

Kynkaanniemi et al. 2019, arXiv 1904.06991, eq. 1 and 2, k = 3; Naeem et al. 2020, arXiv 2002.09797, eq. 3 and 5, k = 5. A ball's radius
is the distance to the k-th nearest other sample of the same set; balls are open, so identical samples have empty balls.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from zerosum.measure.inputs import MeasureInputs, check_pair, squared_distances
from zerosum.measure.score import Reading, wilson

LIMIT = 10_000
K_PRECISION, K_COVERAGE = 3, 5


def radii(x: Tensor) -> tuple[Tensor, Tensor]:
    """Squared distance from each row of x (N, d) to its 3rd and 5th nearest other row, each (N,)."""
    squares = torch.empty(2, len(x))
    for rows, d in squared_distances(x, x):
        index = torch.arange(len(x))[rows]
        d[torch.arange(len(d)), index] = math.inf  # a sample is not its own neighbour
        squares[:, rows] = d.topk(K_COVERAGE, 1, largest=False, sorted=True).values[:, [K_PRECISION - 1, K_COVERAGE - 1]].T
    return squares[0], squares[1]


def prdc(fake: Tensor, real: Tensor) -> tuple[Reading, ...]:
    """precision, recall, density and coverage of features fake (n, d) against real (m, d), each but density with a 95 % interval.

    Memory: 256 rows of the distance table at a time. Raises Refusal below K_COVERAGE + 1 rows a side, or for rows that are all equal.
    """
    check_pair(fake, real, least=K_COVERAGE + 1)
    n, m = len(fake), len(real)
    (fake3, _), (real3, real5) = radii(fake), radii(real)
    inside, balls = torch.zeros(n, dtype=torch.bool), torch.zeros(n)
    recalled, covered = torch.zeros(m, dtype=torch.bool), torch.zeros(m, dtype=torch.bool)
    # One pass over the table of real by generated samples answers all four questions.
    for rows, d in squared_distances(real, fake):
        inside |= (d < real3[rows, None]).any(0)
        recalled[rows] = (d < fake3).any(1)
        within = d < real5[rows, None]
        balls += within.sum(0)
        covered[rows] = within.any(1)
    density = float(balls.double().mean()) / K_COVERAGE
    return (
        _share("precision", inside, m),
        _share("recall", recalled, n),
        # In 32 dimensions a few balls contain most samples, and intervals by either set's variance cover 80 to 90 % instead of 95 %.
        Reading("density", density, None, None),
        _share("coverage", covered, n),
    )


def _share(name: str, hits: Tensor, others: int) -> Reading:
    """A share of `hits` (N,) with a 95 % interval; n others / (n + others) trials allow for the sampling of both sets."""
    n, share = len(hits), float(hits.double().mean())
    return Reading(name, share, *wilson(share, n * others / (n + others)))


def measure_prdc(sets: MeasureInputs) -> tuple[Reading, ...]:
    """Row of MEASURES: at most LIMIT samples a side, chosen by the seed."""
    fake, real = (part.first(LIMIT, sets.seed, "manifold") for part in (sets.fake, sets.real))
    return prdc(fake.rows, real.rows)
