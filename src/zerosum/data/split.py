"""Split a data set into training, validation and test part, by a hash of each item's content.

An item's part depends on the item alone. So it stays the same when items are added or removed, and identical items are never in
different parts.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from zerosum.data.digest import Keys
from zerosum.data.order import Indices
from zerosum.errors import Refusal

# A tenth of the items is the test part; a tenth of the rest is the validation part.
SHARE = 0.1


@dataclass(frozen=True, eq=False)
class Split:
    """Row numbers of the three parts, each ascending. test is empty where the data came with a test set."""

    train: Indices
    validation: Indices
    test: Indices


def split(keys: Keys, groups: Keys, test: bool = True) -> Split:
    """Split N items. keys: hashes (N,) that decide each item's part. groups: items of one group (N,) stay together, by their least key.

    test: whether to split off a test part (False where the data came with one). Each part gets at least one group: where a part would be
    empty, it gets the group with the next key. Raises Refusal for too few distinct items.
    """
    _, group = np.unique(groups, return_inverse=True)
    least = np.full(group.max(initial=-1) + 1, np.iinfo(np.uint64).max, np.uint64)
    np.minimum.at(least, group, keys)
    needed = 3 if test else 2
    if len(least) < needed:
        raise Refusal(f"The data has {len(least)} distinct item{'s' if len(least) != 1 else ''} among {len(keys)}: give at least {needed}.")
    order = np.argsort(least, kind="stable")
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    first, second = _borders(least[order] / 2.0**64, test)
    rank = place[group]
    train, validation, held = (np.flatnonzero(mask) for mask in (rank >= second, (rank >= first) & (rank < second), rank < first))
    return Split(train, validation, held)


def _borders(u: npt.NDArray[np.float64], test: bool) -> tuple[int, int]:
    """Where the test part and the validation part end among groups sorted by u in [0, 1]."""
    share = SHARE if test else 0.0
    first = min(max(int((u < share).sum()), 1), len(u) - 2) if test else 0
    second = int((u < share + SHARE * (1 - share)).sum())
    return first, min(max(second, first + 1), len(u) - 1)


def limited(train: Indices, keys: Keys, limit: int | None) -> Indices:
    """At most `limit` training rows, ascending. Those with the least keys are chosen, so a smaller limit selects from a larger one's."""
    if limit is None or limit >= len(train):
        return train
    if limit < 1:
        raise Refusal(f"data.limit is {limit}: use at least 1 training item.")
    return np.sort(train[np.argsort(keys[train], kind="stable")[:limit]])
