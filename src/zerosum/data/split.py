"""Which items train, which watch, which judge: by a hash of each item's content.

An item's part depends on the item alone, so it stays when other items come or go, and identical items are never on two sides.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import numpy as np
import numpy.typing as npt

from zerosum.data.order import Indices
from zerosum.errors import Refusal

Keys = npt.NDArray[np.uint64]

# A tenth for the test part; a tenth of the rest for validation.
SHARE = 0.1
_CHUNK = 4096


@dataclass(frozen=True, eq=False)
class Split:
    """Row numbers of the three parts, each ascending; test is empty where a test set was given."""

    train: Indices
    validation: Indices
    test: Indices


def digest(content: bytes | memoryview) -> int:
    """A 64-bit content hash (BLAKE2b): uniform, the same on every machine."""
    return int.from_bytes(blake2b(content, digest_size=8).digest(), "little")


def digests(array: npt.NDArray[Any], rows: Indices | None = None) -> Keys:
    """The content hash of each of an array's rows, (N,) uint64; of these rows alone where given."""
    rows = np.arange(len(array)) if rows is None else rows
    found = np.empty(len(rows), np.uint64)
    for start in range(0, len(rows), _CHUNK):
        chunk = np.ascontiguousarray(array[rows[start : start + _CHUNK]])
        content, width = memoryview(chunk.tobytes()), chunk.nbytes // len(chunk)
        # `digest` of each row, written out: a call less for each of millions.
        joined = b"".join([blake2b(content[i : i + width], digest_size=8).digest() for i in range(0, len(content), width)])
        found[start : start + len(chunk)] = np.frombuffer(joined, "<u8")
    return found


def split(keys: Keys, groups: Keys, test: bool = True) -> Split:
    """The parts of N items. keys, groups: (N,); an item's key decides its part, and items of one group stay together, by their least key.

    test: whether to set a test part aside (no, where one was given). No part is empty: where a share holds no group, the one with the next
    key is taken. Raises Refusal where there are too few distinct items for that.
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
    """Of groups sorted by u in [0, 1]: where the test part ends, and where the validation part ends."""
    share = SHARE if test else 0.0
    first = min(max(int((u < share).sum()), 1), len(u) - 2) if test else 0
    second = int((u < share + SHARE * (1 - share)).sum())
    return first, min(max(second, first + 1), len(u) - 1)


def limited(train: Indices, keys: Keys, limit: int | None) -> Indices:
    """At most `limit` of the training rows, ascending: those with the least keys, so that a smaller limit's are among a larger one's."""
    if limit is None or limit >= len(train):
        return train
    if limit < 1:
        raise Refusal(f"data.limit is {limit}: use at least 1 training item.")
    return np.sort(train[np.argsort(keys[train], kind="stable")[:limit]])
