"""The result of reading stored data, before it is split into parts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from zerosum.data.digest import Keys
from zerosum.data.order import Indices
from zerosum.errors import Refusal

# progress(stage, done, total)
Progress = Callable[[str, int, int], None]


def silent(label: str, done: int, total: int) -> None:
    """Report no progress."""


# The fewest items from which a distribution can be learned.
FEWEST = 16


@dataclass(frozen=True)
class Skipped:
    """A file that could not be used, and why."""

    name: str
    reason: str


@dataclass(frozen=True, eq=False)
class Items:
    """Items of one source, in a fixed order.

    kind: a row of MODALITIES. array: uint8 (N, C, H, W) or float32 (N, d), in memory or memory-mapped.
    labels: class numbers (N,) into `classes`; None and () where the source has none.
    keys: hashes (N,) that decide each item's part; None for the hash of its content. content: the hashes of the array's rows (N,), where
    they are known; None where they have to be computed.
    rows: which of the N are usable; None for all. skipped, ignored, sizes, formats: see `Data`.
    test: the test set that came with the data.
    """

    kind: str
    array: npt.NDArray[Any]
    labels: npt.NDArray[np.int64] | None = None
    classes: tuple[str, ...] = ()
    keys: Keys | None = None
    rows: Indices | None = None
    skipped: tuple[Skipped, ...] = ()
    ignored: int = 0
    sizes: Counter[tuple[int, int]] = field(default_factory=Counter)
    formats: Counter[str] = field(default_factory=Counter)
    test: Items | None = None
    content: Keys | None = None


def require_enough(count: int, what: str, where: str) -> None:
    """Raises Refusal for fewer than 16 usable items."""
    if count < FEWEST:
        raise Refusal(f"{where} contains {count} usable {what}{'s' if count != 1 else ''}: give at least {FEWEST}.")
