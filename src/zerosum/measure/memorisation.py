"""Memorisation: are generated samples nearer to the training set than new samples of p_data would be?

Three readings, each to be compared with what real samples score in the generated ones' place:

- memory_distance: mean distance to the nearest training sample over that to the nearest held-out one. The training set is read in
  blocks of the held-out set's size, since the nearest of more samples is nearer.
- memory_held_out: share of generated samples whose nearest real one is held out, over the share expected by size: 1 when nothing is
  copied, 0 when everything is.
- memory_copies: share of generated samples nearer to a training sample than that sample's own nearest neighbour is (Alaa et al. 2022,
  arXiv 2102.08921, section 3.3, whose authenticity is 1 minus it).

Images are compared by their pixels, downsampled by averaging to at most 16 a side.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d

from zerosum.measure.inputs import MeasureInputs, check_pair, check_rows, squared_distances
from zerosum.measure.score import Z95, Reading, wilson

PIXELS = 16
LIMIT = 10_000  # samples a side
MIN_FOR_COPIES = 20  # rows


@dataclass(frozen=True, eq=False)
class Nearest:
    """For each of N rows, the distance to the nearest of M others and its index; both (N,)."""

    distance: Tensor
    index: Tensor


def comparable(samples: Tensor) -> Tensor:
    """Rows (N, d) float32 whose distances mean likeness: points as they are; images (N, C, H, W) downsampled by
    averaging, in units of full contrast."""
    if samples.ndim == 2:
        return samples.float()
    shrink = math.ceil(max(samples.shape[2:]) / PIXELS)
    pooled = [
        avg_pool2d(part.float() / 255, shrink, ceil_mode=True) if shrink > 1 else part.float() / 255 for part in torch.split(samples, 4096)
    ]
    return torch.cat(pooled).flatten(1)


def nearest(x: Tensor, y: Tensor, itself: Tensor | None = None) -> Nearest:
    """The nearest row of y (M, d) to each row of x (N, d). itself: (N,), for rows of x that are in y too, the index there; it is excluded.

    The search uses rounded distances (see squared_distances); the distance to its result is then computed exactly.
    """
    index = torch.empty(len(x), dtype=torch.long)
    for rows, d in squared_distances(x, y):
        if itself is not None:
            d[torch.arange(len(d)), itself[rows]] = math.inf
        index[rows] = d.argmin(1)
    return Nearest((x - y[index]).square().sum(1).sqrt(), index)


def nearest_pairs(fake: Tensor, train: Tensor, count: int = 16) -> list[tuple[int, int, float]]:
    """The `count` generated samples nearest to a training sample, nearest first: (index in fake, index in train, distance)."""
    found = nearest(comparable(fake), comparable(train))
    first = found.distance.argsort(stable=True)[:count]
    return [(int(i), int(found.index[i]), float(found.distance[i])) for i in first]


def memorisation(fake: Tensor, held: Tensor, train: Tensor) -> tuple[Reading, Reading, Reading]:
    """memory_distance, memory_held_out and memory_copies of rows fake (n, d), held (m, d) and train (l, d).

    held: real samples that G was not trained on. Raises Refusal below MIN_FOR_COPIES rows in any set, or for real rows that are all equal.
    """
    check_pair(fake, held, least=MIN_FOR_COPIES, spread=False)
    check_rows(train, "training samples", MIN_FOR_COPIES)
    check_rows(held, "held-out samples", MIN_FOR_COPIES)
    held = held[: len(train)]
    n, m, total = len(fake), len(held), len(train)
    to_held = nearest(fake, held).distance
    # Blocks of m training samples, so that both distances are to the nearest of m.
    blocks = [nearest(fake, train[i : i + m]) for i in range(0, total, m)]
    distance, block = torch.stack([b.distance for b in blocks]).min(0)
    index = torch.stack([b.index for b in blocks]).gather(0, block[None])[0] + block * m
    full = torch.stack([b.distance for b in blocks[: total // m]]).mean(0)
    ratio = float(full.mean() / to_held.mean())
    # Delta method for a ratio of means, with paired distances.
    half = Z95 * float((full - ratio * to_held).std() / to_held.mean()) / math.sqrt(n)
    # Ties (a sample in both parts) count one half for each.
    outside = float(((to_held < distance).double() + (to_held == distance).double() / 2).mean())
    low, high = wilson(outside, n)
    expected = m / (total + m)
    # Authenticity (Alaa et al., eq. 8): compare with the training sample's own distance to its nearest fellow.
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
        Reading("memory_held_out", outside / expected, low / expected, high / expected, f"{m} held-out against {total} training samples"),
        # Generated samples near the same training sample are not independent: only distinct origins count as trials.
        Reading("memory_copies", copies, *wilson(copies, len(origins))),
    )


def measure_memorisation(sets: MeasureInputs) -> tuple[Reading, ...]:
    """Row of MEASURES: on the samples themselves, at most LIMIT a side, chosen by the seed; against the whole training set."""
    assert sets.train is not None
    fake, held = (part.first(LIMIT, sets.seed, "memory") for part in (sets.fake, sets.real))
    return memorisation(comparable(fake.samples), comparable(held.samples), comparable(sets.train))
