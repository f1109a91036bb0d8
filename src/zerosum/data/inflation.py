"""How much compressed data may unpack to: known before anything is unpacked."""

from __future__ import annotations

from zerosum.data.cache import memory_budget
from zerosum.errors import Refusal

SMALL = 2**24
"""Bytes that any file may unpack to."""

FOLD = 100
"""Above that, how many times its packed size. Deflate reaches a thousand, and only for what says next to nothing."""


def is_bomb(packed: int, unpacked: int) -> bool:
    """Whether so many bytes unpack to far more than data do."""
    return unpacked > SMALL and unpacked > FOLD * packed


def require_sensible(packed: int, unpacked: int, name: str) -> None:
    """Require that data unpack to a sensible size that memory holds. Raises Refusal."""
    if is_bomb(packed, unpacked):
        times = unpacked // max(packed, 1)
        raise Refusal(f"{name} has {packed:,} bytes and unpacks to {unpacked:,}, {times:,} times as many: save it as an unpacked file.")
    if unpacked > 2 * memory_budget():
        raise Refusal(
            f"{name} unpacks to {unpacked:,} bytes, more than half of this machine's memory: save one .npy, which is read in place."
        )
