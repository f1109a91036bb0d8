"""The progress callback of a study: (label, done, total)."""

from __future__ import annotations

from zerosum.data.items import Progress

__all__ = ["Progress", "silent"]


def silent(label: str, done: int, total: int) -> None:
    """Report no progress."""
