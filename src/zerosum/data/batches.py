"""Parts of the data (training, validation, test): endless batches by counter, and a fixed head for measuring.

Batch number c is a function of (seed, c): nothing is remembered between batches, so a run that stops goes on with the batch that it would
have seen.
"""

from __future__ import annotations

from functools import lru_cache, partial
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from zerosum.chance import generator, uniform
from zerosum.data.batch import Batch
from zerosum.data.cache import aside
from zerosum.data.order import BLOCKS, Indices, batch_order, block, permuted


class Part(Protocol):
    """A part of the data, finite or endless; items are raw: uint8 (C, H, W) or float32 (d,)."""

    @property
    def size(self) -> int | None:
        """Number of items; None where they never end."""

    def batch(self, n: int, seed: int, counter: int) -> Batch:
        """Batch number `counter` (0, 1, ...) of n items, (n, ...): a function of the arguments alone."""

    def head(self, n: int) -> Tensor:
        """n distinct items, always the same ones, (n, ...); fewer where there are fewer. A shorter head begins a longer one."""

    def labels_head(self, n: int) -> Tensor | None:
        """Class numbers of `head(n)`, int64; None where there are no classes."""


class Rows:
    """A finite part: some rows of an array that lies in memory or in a memory-mapped file.

    array: uint8 (N, C, H, W) or float32 (N, d), never written to.
    rows: which of the N belong to this part; default all.
    labels: class numbers of the array's rows (N,).
    flip: mirror each image of a batch, never of the head, left to right with probability one half.
    """

    def __init__(
        self, array: npt.NDArray[Any], rows: Indices | None = None, labels: npt.NDArray[Any] | None = None, flip: bool = False
    ) -> None:
        self.array = array
        # A bit a row, in place of a number in a file, took as long to look up as all else together.
        self._rows = None if rows is None else np.asarray(aside(rows if len(array) >= 2**32 else rows.astype(np.uint32)))
        self._block = lru_cache(BLOCKS)(partial(_block_of, self._rows))
        # A plain view: numpy's memmap runs Python at each indexing.
        self._items = np.asarray(array)
        self.labels = labels
        self.flip = flip

    @property
    def size(self) -> int:
        return len(self.array) if self._rows is None else len(self._rows)

    @property
    def rows(self) -> Indices:
        """Which of the array's rows belong to this part, (size,)."""
        return np.arange(len(self.array)) if self._rows is None else self._rows.astype(np.int64)

    def batch(self, n: int, seed: int, counter: int) -> Batch:
        rows = self.order(n, seed, counter)
        items = self._items[rows]
        if self.flip:
            mirrored = self.mirrored(n, seed, counter).numpy()
            items[mirrored] = items[mirrored][..., ::-1]
        y = None if self.labels is None else torch.from_numpy(self.labels[rows].astype(np.int64))
        return Batch(torch.from_numpy(items), y)

    def order(self, n: int, seed: int, counter: int) -> Indices:
        """The array's rows that are batch number `counter`, (n,)."""
        return batch_order(n, self.size, seed, "order", counter, self._block)

    def mirrored(self, n: int, seed: int, counter: int) -> Tensor:
        """Which images of that batch `flip` mirrors, bool (n,)."""
        return uniform((n,), seed, "flip", counter) < 0.5

    def head(self, n: int) -> Tensor:
        return torch.from_numpy(self._items[self._head(n)])

    def labels_head(self, n: int) -> Tensor | None:
        return None if self.labels is None else torch.from_numpy(self.labels[self._head(n)].astype(np.int64))

    def counts(self, classes: int) -> list[int]:
        """Number of items of each class; empty where there are no classes."""
        return [] if self.labels is None else np.bincount(self.labels[self.rows], minlength=classes).tolist()

    def _head(self, n: int) -> Indices:
        # Shuffled by a key that is always the same: files often lie sorted by class.
        order = permuted(np.arange(min(n, self.size)), self.size, 0, "head", 0)
        return order if self._rows is None else self._rows[order].astype(np.int64)


def _block_of(rows: npt.NDArray[Any] | None, number: int, size: int, seed: int, purpose: str, epoch: int) -> Indices:
    """The rows of an array at a block of a part's order."""
    order = block(number, size, seed, purpose, epoch)
    return order if rows is None else rows[order].astype(np.int64)


class Sampler(Protocol):
    """What a known density offers here."""

    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        """n independent draws, (n, d), float32."""


# Head items come in blocks, each from its own generator, so that a shorter head begins a longer one.
_BLOCK = 4096


class Draws:
    """An endless part: fresh independent draws from a known density. purpose: keeps the draws of one part apart from another's."""

    def __init__(self, density: Sampler, purpose: str) -> None:
        self.density = density
        self.purpose = purpose

    @property
    def size(self) -> None:
        return None

    def batch(self, n: int, seed: int, counter: int) -> Batch:
        return Batch(self.density.sample(n, generator(seed, self.purpose, counter)))

    def head(self, n: int) -> Tensor:
        blocks = range(max(1, -(-n // _BLOCK)))
        return torch.cat([self.density.sample(_BLOCK, generator(0, f"{self.purpose}/head", i)) for i in blocks])[:n]

    def labels_head(self, n: int) -> None:
        return None
