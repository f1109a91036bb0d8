"""Batches with all classes equally often: an endless order of rows, of which any batch is computed without the batches before it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from zerosum.data.order import Indices, permuted


def members_of(labels: npt.NDArray[np.int64]) -> list[Indices]:
    """For each class that occurs among labels (N,), which of the N have it, in ascending order."""
    order = np.argsort(labels, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(labels[order])) + 1)


def balanced_order(n: int, members: Sequence[Indices], seed: int, counter: int) -> Indices:
    """The rows of batch number `counter` of n: positions counter n to counter n + n - 1 of an endless order. Shape (n,).

    The order consists of blocks with one row of each class, the classes shuffled anew in each. The rows of one class follow each other in
    a shuffled order of their own, all of them before any comes again.
    """
    classes = len(members)
    positions = np.arange(counter * n, counter * n + n)
    blocks, places = np.divmod(positions, classes)
    which = np.empty(n, np.int64)
    for b in range(int(blocks[0]), int(blocks[-1]) + 1):
        inside = blocks == b
        which[inside] = permuted(places[inside], classes, seed, "order of classes", b)
    rows = np.empty(n, np.int64)
    for c in np.unique(which):
        mine = which == c
        # Block b contains the b-th row of the class's own endless order.
        epochs, at = np.divmod(blocks[mine], len(members[c]))
        found = np.empty(len(at), np.int64)
        for epoch in np.unique(epochs):
            now = epochs == epoch
            found[now] = permuted(at[now], len(members[c]), seed, f"order within class {c}", int(epoch))
        rows[mine] = members[c][found]
    return rows
