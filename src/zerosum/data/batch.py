"""One minibatch: samples, and their class numbers where the data have classes."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor


class Batch(NamedTuple):
    """x: samples (n, ...). y: class numbers, int64 (n,), in the order of the space's `classes`; None where there are no classes."""

    x: Tensor
    y: Tensor | None = None

    def rows(self, which: slice) -> Batch:
        """The same rows of samples and labels, for a process that plays part of a batch."""
        return Batch(self.x[which], None if self.y is None else self.y[which])
