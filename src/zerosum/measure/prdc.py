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

from zerosum.chance import generator
from zerosum.measure.inputs import MeasureInputs, check_pair, squared_distances
from zerosum.measure.score import Reading, wilson

LIMIT = 10_000
K_PRECISION, K_COVERAGE = 3, 5

HALVES, SPREAD_OF = 20, 2_000
"""Of so many random halves of at most so many samples a side the shares' variance is taken."""

FARTHEST = 4.0
"""Between 1/FARTHEST and FARTHEST times the variance of independent trials is what halves can say: where nearly all samples are hits, a
single one decides."""

Shares = tuple[Tensor, Tensor, Tensor, Tensor]


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
    precision, recall, density, coverage = (float(hits.double().mean()) for hits in _hits(fake, real))
    trials = _trials(fake, real)
    return (
        Reading("precision", precision, *wilson(precision, trials[0])),
        Reading("recall", recall, *wilson(recall, trials[1])),
        # In 32 dimensions a few balls contain most samples, and intervals by either set's variance cover 80 to 90 % instead of 95 %.
        Reading("density", density, None, None),
        Reading("coverage", coverage, *wilson(coverage, trials[3])),
    )


def _hits(fake: Tensor, real: Tensor) -> Shares:
    """Which generated samples are precise (n,), which real ones are recalled (m,), the density at each generated one (n,), and which real
    ones are covered (m,)."""
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
    return inside, recalled, balls / K_COVERAGE, covered


def _trials(fake: Tensor, real: Tensor) -> list[float]:
    """For each of the four shares the number of independent trials whose variance it has.

    Hits are not independent: one real sample far out can make hits of many generated ones. If they were, n m / (n + m) trials would allow
    for the sampling of both sets. The variance over random halves (Politis and Romano 1994, Annals of Statistics 22, 2031-2050) says how
    many times fewer or more trials there are.
    """
    sizes = (len(fake), len(real))
    # Of each side the same share, so that the two keep their proportion.
    share = 0.5 * min(1.0, SPREAD_OF / max(sizes))
    parts = tuple(max(K_COVERAGE + 1, round(share * size)) for size in sizes)
    draws, halves = generator(0, "halves"), []
    for _ in range(HALVES):
        sides = [x[torch.randperm(len(x), generator=draws)[:part]] for x, part in zip((fake, real), parts, strict=True)]
        halves.append(torch.stack([hits.double().mean() for hits in _hits(*sides)]))
    means = torch.stack(halves)
    mean, independent = means.mean(0), _harmonic(*sizes)
    # Drawn without replacement from the samples, so that a half has the variance of the whole.
    expected = mean * (1 - mean) * (1 / _harmonic(*parts) - 1 / independent)
    ratio = torch.where(expected > 0, means.var(0) / expected, 1.0).clamp(1 / FARTHEST, FARTHEST)
    return (independent / ratio).tolist()


def _harmonic(n: int, m: int) -> float:
    return n * m / (n + m)


def measure_prdc(sets: MeasureInputs) -> tuple[Reading, ...]:
    """Row of MEASURES: at most LIMIT samples a side, chosen by the seed."""
    fake, real = (part.first(LIMIT, sets.seed, "manifold") for part in (sets.fake, sets.real))
    return prdc(fake.rows, real.rows)
