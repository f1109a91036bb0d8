"""Which of N rows belong to a part, a bit each: ten million rows take 2.5 MB, where a list of their numbers takes 80."""

from __future__ import annotations

import numpy as np

from zerosum.data.order import Indices

_WORD = 64  # rows between two entries of the running count


class Members:
    """Some of the numbers 0 to n - 1. `members[k]` are the k-th of them in ascending order, for an array of places k in range(len)."""

    def __init__(self, rows: Indices, n: int) -> None:
        """rows: ascending, distinct, below n."""
        mask = np.zeros(-(-n // _WORD) * _WORD, bool)
        mask[rows] = True
        words = mask.reshape(-1, _WORD)
        self._bits = np.packbits(words, axis=1)
        # How many members lie before each word, and after the last one how many there are.
        self._before = np.concatenate([np.zeros(1, np.int64), np.cumsum(words.sum(1, dtype=np.int64))])

    def __len__(self) -> int:
        return int(self._before[-1])

    def __getitem__(self, places: Indices) -> Indices:
        if len(places) and (places.min() < 0 or places.max() >= len(self)):
            raise IndexError(f"places from {places.min()} to {places.max()} of {len(self)} members")
        word = np.searchsorted(self._before, places, side="right") - 1
        upto = np.cumsum(np.unpackbits(self._bits[word], axis=1), axis=1, dtype=np.uint8)
        before = (places - self._before[word]).astype(np.uint8)
        found: Indices = word * _WORD + (upto <= before[:, None]).sum(1)
        return found

    def rows(self) -> Indices:
        """All of them, ascending: eight bytes each."""
        return np.flatnonzero(np.unpackbits(self._bits))

    @property
    def nbytes(self) -> int:
        return self._bits.nbytes + self._before.nbytes
