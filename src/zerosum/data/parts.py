"""The parts of a data set (training, validation, test): endless batches by number, and a fixed head for measuring.

Batch number c is a function of (seed, c) alone. Nothing is remembered between batches, so a resumed run sees the same batches as an
uninterrupted one.
"""

from __future__ import annotations

from functools import lru_cache, partial
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from zerosum.chance import generator, uniform
from zerosum.data.balance import balanced_order, members_of
from zerosum.data.batch import Batch
from zerosum.data.cache import spill_to_disk
from zerosum.data.order import BLOCKS, Indices, batch_order, block, permuted


class Part(Protocol):
    """A part of the data, finite or endless. Samples are raw: uint8 (C, H, W) or float32 (d,)."""

    @property
    def size(self) -> int | None:
        """Number of samples; None where they are endless."""

    def batch(self, n: int, seed: int, counter: int) -> Batch:
        """Batch number `counter` (0, 1, ...) of n samples with their labels: a function of the arguments alone."""

    def head(self, n: int) -> Tensor:
        """n distinct samples, always the same ones, (n, ...); fewer where there are fewer. A shorter head begins a longer one."""

    def labels_head(self, n: int) -> Tensor | None:
        """Class numbers of `head(n)`, int64; None where there are no classes."""


class Rows:
    """A finite part: some rows of an array in memory or in a memory-mapped file.

    array: uint8 (N, C, H, W) or float32 (N, d), never written to.
    rows: which of the N belong to this part; default all.
    labels: class numbers of the array's rows (N,).
    flip: mirror each image of a batch, never of the head, left to right with probability one half. balance: batches contain all classes
    equally often (balance.py).
    """

    def __init__(
        self,
        array: npt.NDArray[Any],
        rows: Indices | None = None,
        labels: npt.NDArray[Any] | None = None,
        flip: bool = False,
        balance: bool = False,
    ) -> None:
        self.array = array
        # Four bytes a row are looked up faster than eight, and ten million rows leave memory for a file.
        self._rows = None if rows is None else np.asarray(spill_to_disk(rows if len(array) >= 2**32 else rows.astype(np.uint32)))
        self._block = lru_cache(BLOCKS)(partial(_block_of, self._rows))
        # A plain view: numpy's memmap runs Python code each time it is indexed.
        self._items = np.asarray(array)
        self.labels = None if labels is None else np.asarray(labels, dtype=np.int64)
        self.flip = flip
        self._members = members_of(self.labels[self.rows]) if balance and self.labels is not None else None

    @property
    def size(self) -> int:
        return len(self.array) if self._rows is None else len(self._rows)

    @property
    def on_disk(self) -> bool:
        """Whether the array is a memory-mapped file."""
        return isinstance(self.array, np.memmap)

    @property
    def rows(self) -> Indices:
        """Which of the array's rows belong to this part, (size,)."""
        return np.arange(len(self.array)) if self._rows is None else self._rows.astype(np.int64)

    def batch(self, n: int, seed: int, counter: int) -> Batch:
        order = self.order(n, seed, counter)
        items = self._items[order]
        if self.flip:
            mirrored = self.mirrored(n, seed, counter).numpy()
            items[mirrored] = items[mirrored][..., ::-1]
        return Batch(torch.from_numpy(items), self._labels(order))

    def order(self, n: int, seed: int, counter: int) -> Indices:
        """The array's rows that are batch number `counter`, (n,)."""
        if self._members is not None:
            return self.rows[balanced_order(n, self._members, seed, counter)]
        return batch_order(n, self.size, seed, "order", counter, self._block)

    def mirrored(self, n: int, seed: int, counter: int) -> Tensor:
        """Which images of that batch `flip` mirrors, bool (n,)."""
        return uniform((n,), seed, "flip", counter) < 0.5

    def head(self, n: int) -> Tensor:
        return torch.from_numpy(self._items[self._head(n)])

    def labels_head(self, n: int) -> Tensor | None:
        return self._labels(self._head(n))

    def counts(self, classes: int) -> list[int]:
        """Number of samples of each class; empty where there are no classes."""
        return [] if self.labels is None else np.bincount(self.labels[self.rows], minlength=classes).tolist()

    def _labels(self, rows: Indices) -> Tensor | None:
        return None if self.labels is None else torch.from_numpy(self.labels[rows])

    def _head(self, n: int) -> Indices:
        # Shuffled, always in the same way: files are often sorted by class.
        order = permuted(np.arange(min(n, self.size)), self.size, 0, "head", 0)
        return order if self._rows is None else self._rows[order].astype(np.int64)


def _block_of(rows: npt.NDArray[Any] | None, number: int, size: int, seed: int, purpose: str, epoch: int) -> Indices:
    """The rows of an array at a block of a part's order."""
    order = block(number, size, seed, purpose, epoch)
    return order if rows is None else rows[order].astype(np.int64)


class Sampler(Protocol):
    """A known density, as far as a part needs it."""

    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        """n independent draws, (n, d), float32."""


# A head is drawn in blocks, each from its own generator, so that a shorter head begins a longer one.
_BLOCK = 4096


class Draws:
    """An endless part: fresh independent draws from a known density, without labels. purpose: separates the draws of different parts."""

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
