"""What a source of finite data gives, before it is split into parts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from zerosum.data.order import Indices
from zerosum.data.split import Keys
from zerosum.errors import Refusal

# progress(stage, done, total)
Progress = Callable[[str, int, int], None]

# Fewer items than this are no distribution.
FEWEST = 16


@dataclass(frozen=True)
class Skipped:
    """A file that was to be data and could not be."""

    name: str
    reason: str


@dataclass(frozen=True, eq=False)
class Items:
    """Items of one source, in a fixed order.

    array: uint8 (N, C, H, W) or float32 (N, d), in memory or memory-mapped.
    labels: class numbers (N,) into `classes`, or None. keys: what the split goes by (N,); None where an item's own content serves.
    rows: which of the N are usable; None for all. sizes: (height, width) -> how many images had it before they were resized.
    formats: how many images were stored in which format. test: the test set that came with the data.
    """

    array: npt.NDArray[Any]
    labels: npt.NDArray[np.int64] | None = None
    classes: tuple[str, ...] | None = None
    keys: Keys | None = None
    rows: Indices | None = None
    skipped: tuple[Skipped, ...] = ()
    ignored: int = 0
    sizes: Counter[tuple[int, int]] = field(default_factory=Counter)
    formats: Counter[str] = field(default_factory=Counter)
    test: Items | None = None


def require_enough(count: int, what: str, where: str) -> None:
    """Raises Refusal where fewer than 16 items are usable."""
    if count < FEWEST:
        raise Refusal(f"{where} holds {count} usable {what}{'s' if count != 1 else ''}: give at least {FEWEST}.")
