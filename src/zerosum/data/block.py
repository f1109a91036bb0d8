"""Several decoded images at once, as one array with their hashes: sending them one by one takes a process as long as decoding small ones.

Nothing here imports torch, because the processes that decode images import it (workers.py).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from zerosum.data.digest import Keys, digests
from zerosum.data.workers import attempts

T = TypeVar("T")
Shape = tuple[int, int, int]
Decode = Callable[[T], tuple[npt.NDArray[np.uint8], int]]
"""The pixels of an item, uint8 (C, H, W), and the hash of its file."""


class Block(NamedTuple):
    """n images in order. pixels: uint8 (n, C, H, W), zero for unusable ones. keys: hashes of their files (n,). content: hashes of their
    pixels (n,). reasons: row -> why it cannot be used.
    """

    pixels: npt.NDArray[np.uint8]
    keys: Keys
    content: Keys
    reasons: dict[int, str]


def decoded(decode: Decode[T], shape: Shape, items: Sequence[T]) -> Block:
    """The images of `items`, each of `shape`."""
    pixels, keys, reasons = np.zeros((len(items), *shape), np.uint8), np.zeros(len(items), np.uint64), {}
    for i, (result, reason) in enumerate(attempts(decode, items)):
        if result is None:
            reasons[i] = reason
        else:
            pixels[i], keys[i] = result
    return Block(pixels, keys, digests(pixels), reasons)
