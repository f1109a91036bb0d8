"""Hashes of the content of files and of an array's rows. They decide each item's part (split.py) and identify a data set."""

from __future__ import annotations

from hashlib import blake2b
from typing import Any

import numpy as np
import numpy.typing as npt

Keys = npt.NDArray[np.uint64]

_CHUNK = 4096


def digest(content: bytes | memoryview) -> int:
    """A 64-bit hash (BLAKE2b) of an item's content, uniform and the same on every machine."""
    return int.from_bytes(blake2b(content, digest_size=8).digest(), "little")


def digests(array: npt.NDArray[Any], rows: npt.NDArray[np.int64] | None = None) -> Keys:
    """The content hashes of an array's rows, or of the given ones, (N,) uint64."""
    found = np.empty(len(array) if rows is None else len(rows), np.uint64)
    for start in range(0, len(found), _CHUNK):
        part = slice(start, start + _CHUNK)
        chunk = np.ascontiguousarray(array[part] if rows is None else array[rows[part]])
        content, width = chunk.reshape(-1).view(np.uint8).data, chunk.nbytes // len(chunk)
        # `digest` written out, which saves a function call for each of millions of rows.
        joined = b"".join([blake2b(content[i : i + width], digest_size=8).digest() for i in range(0, len(content), width)])
        found[part] = np.frombuffer(joined, "<u8")
    return found
