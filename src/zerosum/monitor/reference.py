"""The reals that a run's checks compare with: always the same ones, brought once into the form in which likeness can be measured.

Nothing here looks at the data's name or at what is known of its density: points from a file are checked as the density that they came
from would be.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d

from zerosum.data.parts import Part
from zerosum.data.source import Data
from zerosum.data.space import Space
from zerosum.measure.inputs import squared_distances
from zerosum.measure.memorisation import comparable, memory
from zerosum.measure.prdc import radii

SHADES = 8  # pixels a side by which images are compared
CELLS = 16
LLOYD = 12  # steps of Lloyd's algorithm
NEIGHBOURS = 15  # of a sample, by which the fresh D judges it
LARGEST = 4096  # training items that a check searches for copies; a larger set is no check's work
COPIED = 256  # fakes whose originals are looked for
LEAST = 20  # rows a side
A_CELL = 8  # rows a side for each cell, at least: with fewer rows there are fewer cells, and
A_NEIGHBOUR = 4  # fewer neighbours are asked, so that a few dozen rows are not all each other's


@dataclass(frozen=True)
class Comparison:
    """How fakes lie to held-out reals; every number has a floor, which training reals get in the fakes' place.

    coverage: share of reals with a fake among their 5 nearest (Naeem et al. 2020). precision: share of fakes within such a ball.
    diversity: mean distance of two fakes over that of two reals. missing: total variation between the shares of `CELLS` cells.
    cells: counts of the fakes in each cell.
    """

    coverage: float
    precision: float
    diversity: float
    missing: float
    cells: list[int]


class Reference:
    """n held-out reals as raw samples and as comparable rows (n, d), as many `others`, and the training reals that D is asked about.

    The others are training reals. Where there are fewer of those, and held-out ones to spare, other held-out reals stand in for them. Where
    held-out ones are few, `train` is longer than n: what D knows of its own reals is seen the more sharply.
    """

    def __init__(self, data: Data, n: int) -> None:
        self.space: Space = data.space
        self.data = data
        train, held = (n if part.size is None else part.size for part in (data.train, data.validation))
        spare = min(n, held // 2)
        self.n = spare if spare > train else min(n, train, held)
        self.train, self.held = data.train.head(min(n, train)), data.validation.head(self.n)
        self.others = data.validation.head(2 * self.n)[self.n :] if self.n > train else self.train[: self.n]
        self.enough = self.n >= LEAST

    def rows(self, raw: Tensor) -> Tensor:
        """Rows (N, d) whose distances mean likeness: points in units of the training part's spread; images averaged down to SHADES a side.

        Finer images are all far from one another, and fakes at a little distance from every real would be as bad as noise.
        """
        return ROWS[self.space.modality.compared_as].rows(self.space, raw)

    def details(self, raw: Tensor) -> Tensor:
        """Rows (N, d) in which a copy is told from its original: images are averaged down less."""
        return ROWS[self.space.modality.compared_as].details(self.space, raw)

    @cached_property
    def other_rows(self) -> Tensor:
        return self.rows(self.others)

    @cached_property
    def held_rows(self) -> Tensor:
        return self.rows(self.held)

    # -- cells ------------------------------------------------------------------------------------------------------------

    @cached_property
    def anchors(self) -> Tensor:
        """Centres of the cells, (CELLS, d): Lloyd's algorithm on other reals, begun at rows far from one another."""
        x = self.other_rows
        chosen = x[:1]
        for _ in range(max(2, min(CELLS, len(x) // A_CELL)) - 1):
            chosen = torch.cat([chosen, x[torch.cdist(x, chosen).amin(1).argmax()][None]])
        for _ in range(LLOYD):
            nearest = torch.cdist(x, chosen).argmin(1)
            counts = torch.bincount(nearest, minlength=len(chosen)).clamp(min=1)
            moved = torch.zeros_like(chosen).index_add_(0, nearest, x) / counts[:, None]
            chosen = torch.where((torch.bincount(nearest, minlength=len(chosen)) > 0)[:, None], moved, chosen)
        return chosen

    def census(self, rows: Tensor) -> Tensor:
        """How many rows lie in each cell, (CELLS,)."""
        return torch.bincount(torch.cdist(rows, self.anchors).argmin(1), minlength=len(self.anchors))

    @cached_property
    def shares(self) -> Tensor:
        """The reals' share of each cell, of held-out rows and others together."""
        return self.census(torch.cat([self.other_rows, self.held_rows])).double() / (2 * self.n)

    # -- the fresh D ------------------------------------------------------------------------------------------------------

    @cached_property
    def _among_reals(self) -> Tensor:
        """Squared distances of the held-out reals to their NEIGHBOURS nearest fellows, (n, NEIGHBOURS), in no order."""
        return fellows(self.held_rows)

    def across(self, rows: Tensor) -> Tensor:
        """Squared distances of the held-out reals to fakes (N, d), (n, N): what `fresh` and `likeness` go by."""
        return torch.cat([d for _, d in squared_distances(self.held_rows, rows)])

    def fresh(self, rows: Tensor, across: Tensor) -> tuple[float, float]:
        """A fresh D against fakes (N, d): of each sample it asks whether its nearest others are reals or fakes.

        D(x) = (reals + 1) / (NEIGHBOURS + 2) among the NEIGHBOURS nearest, x itself left out. log 2 - its cross-entropy, in nats, whose
        expectation is at most the JSD, for no sample has a part in its own judgement; and the standard error.
        """
        among_fakes = fellows(rows)
        k = self._among_reals.shape[1]
        of_real = judged(self._among_reals, least(across, k))
        of_fake = judged(among_fakes, least(across.T.contiguous(), k))
        paid_r, paid_f = -of_real.log(), -of_fake.log()
        error = math.sqrt((float(paid_r.var()) / len(paid_r) + float(paid_f.var()) / len(paid_f)) / 4)
        return math.log(2) - float(paid_r.mean() + paid_f.mean()) / 2, error

    # -- likeness ---------------------------------------------------------------------------------------------------------

    @cached_property
    def _balls(self) -> Tensor:
        return radii(self.held_rows)[1]

    @cached_property
    def _spread(self) -> float:
        return spread(self.held_rows)

    def likeness(self, rows: Tensor, across: Tensor) -> Comparison:
        """Fakes' rows (N, d), all finite, against the held-out reals."""
        # Schedules, for torch asks bits one by one.
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
    def floor(self) -> dict[str, Any]:
        """What other reals get in the fakes' place, by name."""
        rows, across = self.other_rows, self.across(self.other_rows)
        found = asdict(self.likeness(rows, across))
        return {**{name: found[name] for name in found if name != "cells"}, "fresh": self.fresh(rows, across)[0]}

    # -- copies -----------------------------------------------------------------------------------------------------------

    @cached_property
    def _everything(self) -> tuple[Tensor, Tensor] | None:
        """All training rows and as many held-out ones, where there are few enough to search; else None."""
        train: Part = self.data.train
        if train.size is None or train.size > LARGEST or self.n < LEAST:
            return None
        held = self.data.validation.size or 0
        return self.details(train.head(train.size)), self.details(self.data.validation.head(min(held, train.size)))

    def copies(self, raw: Tensor) -> dict[str, float | None]:
        """memory_held_out and memory_copies (measure/memorisation.py) of raw fakes; None where the training set is not searched."""
        if self._everything is None:
            return {"memory_held_out": None, "memory_copies": None, "memory_distance": None}
        train, held = self._everything
        return {reading.name: reading.value for reading in memory(self.details(raw[:COPIED]), held, train)}


class Likeness(NamedTuple):
    """How raw samples become the rows of `Reference.rows` and of `Reference.details`."""

    rows: Callable[[Space, Tensor], Tensor]
    details: Callable[[Space, Tensor], Tensor]


# By the modality's `compared_as`.
ROWS: dict[str, Likeness] = {
    "vectors": Likeness(Space.encode, Space.encode),
    "pixels": Likeness(lambda space, raw: averaged(raw, SHADES), lambda space, raw: comparable(raw)),
}


def averaged(images: Tensor, side: int) -> Tensor:
    """uint8 images (N, C, H, W) averaged down to at most `side` a side, in units of full contrast, as rows (N, C h w)."""
    shrink = math.ceil(max(images.shape[2:]) / side)
    return avg_pool2d(images.float() / 255, shrink, ceil_mode=True).flatten(1)


def spread(rows: Tensor) -> float:
    """Mean distance between rows of one half and rows of the other."""
    a, b = rows[::2], rows[1::2]
    return float(torch.cdist(a, b).mean())


def fellows(rows: Tensor) -> Tensor:
    """Squared distance from each row (N, d) to its NEIGHBOURS nearest other rows, (N, k), in no order."""
    near = []
    for at, d in squared_distances(rows, rows):
        d[torch.arange(len(d)), torch.arange(len(rows))[at]] = math.inf
        near.append(least(d, min(NEIGHBOURS, len(rows) // A_NEIGHBOUR)))
    return torch.cat(near)


def least(d: Tensor, k: int) -> Tensor:
    """The k least numbers of each row (N, M), (N, k), in no order. By numpy: four times as quick as torch's topk, which sorts pairs."""
    return torch.from_numpy(np.partition(d.numpy(), k - 1, axis=1)[:, :k])


def judged(own: Tensor, other: Tensor) -> Tensor:
    """The probability of its own kind that the nearest others give a sample. own, other: squared distances (N, k) to either kind."""
    k = own.shape[1]
    # Where several are as far as the last that counts, as among identical fakes, each counts for a part.
    cut = least(torch.cat([own, other], 1), k).amax(1, keepdim=True)
    sure, tied = [(near < cut).sum(1).double() for near in (own, other)], [(near == cut).sum(1).double() for near in (own, other)]
    left = k - sure[0] - sure[1]
    mine = sure[0] + left * tied[0] / (tied[0] + tied[1])
    return (mine + 1) / (k + 2)
