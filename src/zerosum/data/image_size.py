"""Parse image sizes as a user writes them, 64 or 48x64 (height x width), and choose the size to train at."""

from __future__ import annotations

import re
from collections import Counter

from zerosum.errors import Refusal

# Images that share one size of at most this many pixels a side keep it; others are resized to this side.
DEFAULT_SIDE = 64
LARGEST_SIDE = 4096


def parse_size(text: str) -> tuple[int, int]:
    """(height, width) of "64", "48x64" or "48 x 64". Raises Refusal for other text, and for a side of 0 or above 4096."""
    read = re.fullmatch(r"\s*(\d{1,6})(?:\s*[xX]\s*(\d{1,6}))?\s*", text)
    if read is None:
        raise Refusal(f"The image size {text!r} cannot be read: write 64 for a square, or 48x64 for height x width.")
    height, width = int(read[1]), int(read[2] or read[1])
    if not (1 <= height <= LARGEST_SIDE and 1 <= width <= LARGEST_SIDE):
        raise Refusal(f"The image size {text!r} is out of range: each side must be 1 to {LARGEST_SIDE} pixels.")
    return height, width


def chosen_size(text: str | None, seen: Counter[tuple[int, int]]) -> tuple[int, int]:
    """(height, width) to train at: the user's, else the images' own if they share one of at most 64 a side, else 64 x 64."""
    if text is not None:
        return parse_size(text)
    own = next(iter(seen)) if len(seen) == 1 else None
    return own if own is not None and max(own) <= DEFAULT_SIDE else (DEFAULT_SIDE, DEFAULT_SIDE)
