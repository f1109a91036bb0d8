"""A frame: what the page draws of one moment, as one binary message. Numbers as JSON in front, arrays behind it.

Layout: the JSON's length (uint32, little-endian), the JSON padded with spaces to a multiple of 8 bytes, then the arrays, each padded
likewise. The JSON's `arrays` gives each one's type, shape and offset behind the JSON.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zerosum.runs.record import plain

Arrays = Mapping[str, NDArray[Any]]
_TYPES = {"float32": "f4", "uint8": "u1", "uint16": "u2", "int32": "i4"}


def encoded(numbers: Mapping[str, Any], arrays: Arrays) -> bytes:
    """The message. numbers: plain values; NaN and infinity become null. arrays: float32, uint8, uint16 or int32."""
    blobs, layout, at = [], {}, 0
    for name, array in arrays.items():
        blob = _padded(np.ascontiguousarray(array).tobytes())
        layout[name] = {"type": _TYPES[array.dtype.name], "shape": array.shape, "at": at}
        blobs.append(blob)
        at += len(blob)
    head = json.dumps({**plain(dict(numbers)), "arrays": layout}, allow_nan=False).encode()
    head += b" " * (-(len(head) + 4) % 8)
    return struct.pack("<I", len(head)) + head + b"".join(blobs)


def _padded(blob: bytes) -> bytes:
    return blob + bytes(-len(blob) % 8)


def decoded(message: bytes) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """The numbers and arrays of a message, as the page reads them."""
    (length,) = struct.unpack_from("<I", message)
    head = json.loads(message[4 : 4 + length])
    arrays = {}
    for name, row in head.pop("arrays").items():
        count = int(np.prod(row["shape"]))
        arrays[name] = np.frombuffer(message, "<" + row["type"], count, 4 + length + row["at"]).reshape(row["shape"])
    return head, arrays


def joined(messages: list[bytes]) -> bytes:
    """Several frames as one message: their number, then each with its length in front, padded to 8 bytes."""
    parts = [struct.pack("<II", len(messages), 0)]
    for message in messages:
        message = _padded(message)
        parts += [struct.pack("<II", len(message), 0), message]
    return b"".join(parts)


def bytes_of(share: NDArray[Any]) -> NDArray[np.uint8]:
    """Numbers from 0 to 1 as 0 to 254; NaN as 255."""
    found: NDArray[np.uint8] = np.rint(np.clip(np.nan_to_num(share, nan=0.0), 0, 1) * 254).astype(np.uint8)
    found[np.isnan(share)] = 255
    return found
