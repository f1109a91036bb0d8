"""Batches read ahead of the step that needs them, by a thread: the step then does not wait for a disk."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor

import torch
from torch import Tensor

from zerosum.data.batch import Batch
from zerosum.data.parts import Rows


class Ahead:
    """`source` with the batch after the last one under way. pinned: in memory from which a GPU copies without waiting.

    The batches are those of `source`, whatever is asked for: another batch than the next one is read when it is asked for.
    """

    def __init__(self, source: Rows, pinned: bool = False) -> None:
        self.source, self.pinned, self.flip = source, pinned, source.flip
        self._last: int | None = None
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="zerosum-reader")
        self._next: tuple[tuple[int, int, int], Future[Batch]] | None = None

    def batch(self, n: int, seed: int, counter: int) -> Batch:
        ready, self._next = self._next, None
        asked = (n, seed, counter)
        batch = ready[1].result() if ready is not None and ready[0] == asked else self._read(*asked)
        # The step between two batches of one process is the distance to the one before.
        following = (n, seed, counter + self._stride(counter))
        self._next = (following, self._reader.submit(self._read, *following))
        return batch

    def _stride(self, counter: int) -> int:
        last, self._last = self._last, counter
        return counter - last if last is not None and counter > last else 1

    def _read(self, n: int, seed: int, counter: int) -> Batch:
        x, y = self.source.batch(n, seed, counter)
        return Batch(self._kept(x), None if y is None else self._kept(y))

    def _kept(self, rows: Tensor) -> Tensor:
        return rows.pin_memory() if self.pinned and torch.cuda.is_available() else rows
