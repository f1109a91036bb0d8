"""Memorisation: are fakes nearer to the training set than an honest generator's would be?

Three readings, each against what held-out reals get in the fakes' place. memory_distance: mean distance to the nearest training sample
over that to the nearest held-out one, the training set read in blocks of the held-out set's size. memory_held_out: share of fakes whose
nearest real is held out, over the share expected by size: 1 when nothing is copied, 0 when everything is. memory_copies: share of fakes
nearer to a training sample than that sample's own nearest neighbour is (Alaa et al. 2022, arXiv 2102.08921, section 3.3, whose
authenticity is its complement). Images are compared by their pixels, averaged down to at most 16 a side.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d

from zerosum.measure.inputs import Sets, check_pair, check_rows, squared_distances
from zerosum.measure.score import Z95, Reading, wilson

SIDE = 16
LIMIT = 10_000  # fakes, and held-out reals
LEAST = 20


@dataclass(frozen=True, eq=False)
class Nearest:
    """For each of N rows, the distance to the nearest of M others and its index; both (N,)."""

    distance: Tensor
    index: Tensor


def comparable(samples: Tensor) -> Tensor:
    """Rows (N, d) float32 whose distances mean likeness: points as they are; images (N, C, H, W) averaged down, in units of full
    contrast."""
    if samples.ndim == 2:
        return samples.float()
    shrink = math.ceil(max(samples.shape[2:]) / SIDE)
    pooled = [
        avg_pool2d(part.float() / 255, shrink, ceil_mode=True) if shrink > 1 else part.float() / 255 for part in torch.split(samples, 4096)
    ]
    return torch.cat(pooled).flatten(1)


def nearest(x: Tensor, y: Tensor, itself: Tensor | None = None) -> Nearest:
    """The nearest row of y (M, d) to each row of x (N, d). itself: (N,), the row of y that x's row is and that does not count.

    The search may round (see squared_distances); the distance to what it found is then taken exactly.
    """
    index = torch.empty(len(x), dtype=torch.long)
    for rows, d in squared_distances(x, y):
        if itself is not None:
            d[torch.arange(len(d)), itself[rows]] = math.inf
        index[rows] = d.argmin(1)
    return Nearest((x - y[index]).square().sum(1).sqrt(), index)


def nearest_pairs(fake: Tensor, train: Tensor, count: int = 16) -> list[tuple[int, int, float]]:
    """The `count` fakes nearest to a training sample: (fake's index, training sample's index, distance), nearest first. Samples as they
    are."""
    found = nearest(comparable(fake), comparable(train))
    first = found.distance.argsort(stable=True)[:count]
    return [(int(i), int(found.index[i]), float(found.distance[i])) for i in first]


def memory(fake: Tensor, held: Tensor, train: Tensor) -> tuple[Reading, Reading, Reading]:
    """memory_distance, memory_held_out, memory_copies of rows fake (n, d), held-out reals (m, d) and training set (l, d)."""
    check_pair(fake, held, least=LEAST, spread=False)
    check_rows(train, "training samples", LEAST)
    check_rows(held, "reals", LEAST)
    held = held[: len(train)]
    n, m, total = len(fake), len(held), len(train)
    to_held = nearest(fake, held).distance
    blocks = [nearest(fake, train[i : i + m]) for i in range(0, total, m)]
    distance, block = torch.stack([b.distance for b in blocks]).min(0)
    index = torch.stack([b.index for b in blocks]).gather(0, block[None])[0] + block * m
    full = torch.stack([b.distance for b in blocks[: total // m]]).mean(0)
    ratio = float(full.mean() / to_held.mean())
    half = Z95 * float((full - ratio * to_held).std() / to_held.mean()) / math.sqrt(n)
    # Ties (a sample in both parts) count half to each.
    outside = float(((to_held < distance).double() + (to_held == distance).double() / 2).mean())
    low, high = wilson(outside, n)
    expected = m / (total + m)
    origins, where = torch.unique(index, return_inverse=True)
    own = nearest(train[origins], train, itself=origins).distance[where]
    copies = float((distance < own).double().mean())
    return (
        Reading(
            "memory_distance",
            ratio,
            max(0.0, ratio - half),
            ratio + half,
            f"{total // m} block{'s' if total // m > 1 else ''} of {m} training samples",
        ),
        Reading("memory_held_out", outside / expected, low / expected, high / expected, f"{m} held out against {total} trained on"),
        # Fakes near the same training sample stand or fall together.
        Reading("memory_copies", copies, *wilson(copies, len(origins))),
    )


def measure_memory(sets: Sets) -> tuple[Reading, ...]:
    """MEASURES row: on the samples themselves; at most LIMIT fakes and LIMIT held-out reals, chosen by the seed, against all of the
    training set."""
    assert sets.train is not None
    fake, held = (part.first(LIMIT, sets.seed, "memory") for part in (sets.fake, sets.real))
    return memory(comparable(fake.samples), comparable(held.samples), comparable(sets.train))
