"""The real samples that a run's checks compare with: always the same ones, prepared once.

Nothing here uses the data's name or a known density: points from a file are checked as points from the density itself would be.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from zerosum.data.parts import Part
from zerosum.data.source import Data
from zerosum.data.space import Space
from zerosum.measure.inputs import squared_distances
from zerosum.measure.memorisation import MIN_FOR_COPIES, comparable, memorisation
from zerosum.measure.noise_share import NoiseScale, scale
from zerosum.measure.prdc import radii
from zerosum.measure.random_features import FITTED, RandomConvolutions
from zerosum.measure.score import Reading
from zerosum.monitor.neighbour_test import jsd_bound, nearest_others

CELLS = 16
CELLS_OF = 2048  # training samples that the cells are made from, at most
LLOYD = 12  # steps of Lloyd's algorithm
LARGEST = 4096  # training samples that a check searches for copies; in a larger set it does not search
COPIED = 256  # generated samples whose nearest training samples are searched
FEWEST = 20  # samples a side for a comparison
PER_CELL = 8  # samples a side for each cell, at least: with fewer samples there are fewer cells


@dataclass(frozen=True)
class Comparison:
    """How generated samples compare with held-out real ones. Each number has a reference score: what other real samples score instead.

    coverage: share of real samples with a generated one within the distance of their 5th nearest (Naeem et al. 2020). precision: share of
    generated samples within such a distance of a real one. diversity: mean distance of two generated samples, divided by that of two real
    ones. missing: total variation distance between the shares of `CELLS` cells, 0 to 1. cells: generated samples in each cell.
    """

    coverage: float
    precision: float
    diversity: float
    missing: float
    cells: list[int]


class Reference:
    """n held-out real samples, as many `others`, and the training samples on which D is evaluated.

    The others are training samples; if there are fewer of those than of held-out ones, further held-out samples take their place. Where
    few samples are held out, `train` is longer than n, so that a D that has memorised its training samples is seen more sharply.
    train_y, held_y: the class labels of `train` and `held`; None without classes.
    """

    def __init__(self, data: Data, n: int) -> None:
        self.space: Space = data.space
        self.data = data
        train, held = (n if part.size is None else part.size for part in (data.train, data.validation))
        spare = min(n, held // 2)
        self.n = spare if spare > train else min(n, train, held)
        self.train, self.held = data.train.head(min(n, train)), data.validation.head(self.n)
        # Cells, and random features of images, are fitted on further training samples where there are any: on the samples that are
        # compared, both would fit better than on new ones.
        size = data.train.size
        further = data.train.head(self.n + CELLS_OF if size is None else min(size, self.n + CELLS_OF))[self.n :]
        self.fitted = further if len(further) >= self.n else self.train
        self.others = data.validation.head(2 * self.n)[self.n :] if self.n > train else self.train[: self.n]
        self.train_y, self.held_y = data.train.labels_head(min(n, train)), data.validation.labels_head(self.n)
        self.enough = self.n >= FEWEST

    def rows(self, raw: Tensor) -> Tensor:
        """Rows (N, d) whose distances measure similarity: points in units of the data's standard deviation; random features of images."""
        return self.space.encode(raw) if self.features is None else self.features(raw)

    @cached_property
    def features(self) -> RandomConvolutions | None:
        """Features of images, fitted on training images; None for points."""
        kind = FEATURES[self.space.modality.compared_as]
        return None if kind is None else kind(self.fitted[:FITTED])

    @cached_property
    def _scale(self) -> NoiseScale | None:
        return None if self.features is None else scale(self.held, self.features)

    def noise_share(self, rows: Tensor) -> Reading | None:
        """measure/noise_share.py of features (N, d) of images; None for points."""
        return None if self._scale is None else self._scale.share(rows)

    def details(self, raw: Tensor) -> Tensor:
        """Rows (N, d) that distinguish a copy from a similar sample: images are averaged down less."""
        return self.space.encode(raw) if self.features is None else comparable(raw)

    @cached_property
    def other_rows(self) -> Tensor:
        return self.rows(self.others)

    @cached_property
    def fitted_rows(self) -> Tensor:
        return self.rows(self.fitted)

    @cached_property
    def held_rows(self) -> Tensor:
        return self.rows(self.held)

    # -- cells ------------------------------------------------------------------------------------------------------------

    @cached_property
    def anchors(self) -> Tensor:
        """Centres of the cells, (CELLS, d): Lloyd's algorithm on `fitted`, started at samples far from one another."""
        x = self.fitted_rows
        chosen = x[:1]
        for _ in range(max(2, min(CELLS, self.n // PER_CELL)) - 1):
            chosen = torch.cat([chosen, x[torch.cdist(x, chosen).amin(1).argmax()][None]])
        for _ in range(LLOYD):
            nearest = torch.cdist(x, chosen).argmin(1)
            counts = torch.bincount(nearest, minlength=len(chosen)).clamp(min=1)
            moved = torch.zeros_like(chosen).index_add_(0, nearest, x) / counts[:, None]
            chosen = torch.where((torch.bincount(nearest, minlength=len(chosen)) > 0)[:, None], moved, chosen)
        return chosen

    def census(self, rows: Tensor) -> Tensor:
        """How many rows are in each cell, (CELLS,)."""
        return torch.bincount(torch.cdist(rows, self.anchors).argmin(1), minlength=len(self.anchors))

    @cached_property
    def shares(self) -> Tensor:
        """The share of each cell among the samples that the cells are made from, (CELLS,)."""
        return self.census(self.fitted_rows).double() / len(self.fitted_rows)

    # -- comparison -------------------------------------------------------------------------------------------------------

    @cached_property
    def _among_real(self) -> Tensor:
        return nearest_others(self.held_rows)

    def across(self, rows: Tensor) -> Tensor:
        """Squared distances of the held-out samples to generated ones (N, d), as (n, N): the input of the two comparisons below."""
        return torch.cat([d for _, d in squared_distances(self.held_rows, rows)])

    def neighbour_test(self, rows: Tensor, across: Tensor) -> tuple[float, float]:
        """The nearest-neighbour test (monitor/neighbour_test.py) of generated samples (N, d): a JSD bound in nats, and its error."""
        return jsd_bound(self._among_real, nearest_others(rows), across)

    @cached_property
    def _balls(self) -> Tensor:
        return radii(self.held_rows)[1]

    @cached_property
    def _spread(self) -> float:
        return spread(self.held_rows)

    def comparison(self, rows: Tensor, across: Tensor) -> Comparison:
        """Generated samples (N, d), all finite, against the held-out real ones."""
        # As bytes: torch reduces booleans one by one.
        inside = (across < self._balls[:, None]).view(torch.uint8)
        cells = self.census(rows)
        apart = (self.shares - cells.double() / len(rows)).abs().sum() / 2
        return Comparison(
            coverage=float(inside.amax(1).double().mean()),
            precision=float(inside.amax(0).double().mean()),
            diversity=spread(rows) / self._spread if self._spread else math.nan,
            missing=float(apart),
            cells=cells.tolist(),
        )

    @cached_property
    def reference_scores(self) -> dict[str, Any]:
        """What the other real samples score in place of generated ones, by name."""
        rows, across = self.other_rows, self.across(self.other_rows)
        found = asdict(self.comparison(rows, across))
        share = self.noise_share(rows)
        return {
            **{name: found[name] for name in found if name != "cells"},
            "fresh": self.neighbour_test(rows, across)[0],
            **({} if share is None else {"noise_share": share.value}),
            **self._copies_of_real,
        }

    # -- copies -----------------------------------------------------------------------------------------------------------

    @cached_property
    def _everything(self) -> tuple[Tensor, Tensor] | None:
        """All training samples and as many held-out ones, where they are few enough to search; else None."""
        train: Part = self.data.train
        if train.size is None or train.size > LARGEST or self.n < FEWEST:
            return None
        held = self.data.validation.size or 0
        return self.details(train.head(train.size)), self.details(self.data.validation.head(min(held, train.size)))

    def copies(self, raw: Tensor) -> dict[str, float | None]:
        """The numbers of measure/memorisation.py for raw generated samples; None where the training set is not searched."""
        if self._everything is None:
            return {"memory_held_out": None, "memory_copies": None, "memory_distance": None}
        train, held = self._everything
        return {reading.name: reading.value for reading in memorisation(self.details(raw[:COPIED]), held, train)}

    @cached_property
    def _copies_of_real(self) -> dict[str, float]:
        """What held-out samples score in the generated ones' place, half of them against the other half; {} where they are too few."""
        if self._everything is None:
            return {}
        train, held = self._everything
        half = min(COPIED, len(held) // 2)
        if half < MIN_FOR_COPIES:
            return {}
        return {reading.name: reading.value for reading in memorisation(held[:half], held[half:], train)}


# By the modality's `compared_as`: the features that are compared; None for the samples' own coordinates.
FEATURES: dict[str, type[RandomConvolutions] | None] = {"vectors": None, "features": RandomConvolutions}


def spread(rows: Tensor) -> float:
    """Mean distance between rows of one half and rows of the other."""
    a, b = rows[::2], rows[1::2]
    return float(torch.cdist(a, b).mean())
