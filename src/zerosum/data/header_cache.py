"""Headers of many images, kept in the user's cache: reading 100,000 of them takes as long as opening as many files."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import astuple
from hashlib import blake2b
from pathlib import Path
from typing import Any

from zerosum.data import cache
from zerosum.data.image_file import FORMATS, ImageHeader
from zerosum.errors import Refusal
from zerosum.plain_files import read_plain, write_whole

Header = tuple[ImageHeader | None, str]
"""An image's header and "", or None and why it cannot be used."""
Found = list[Header]

KEPT = 8
"""Lists of headers that are kept, the newest ones; one of 100,000 images of one size takes 0.3 MB."""


def cached_headers(identity: str, count: int, read: Callable[[], Found]) -> Found:
    """The headers of `count` images: from the cache where they are in it, else by `read`, and kept where that took more than 3 s.

    identity: everything that determines them, as text.
    """
    file = cache.cache_directory() / "headers" / f"{blake2b(identity.encode(), digest_size=16).hexdigest()}.json"
    if (known := _known(file, count)) is not None:
        return known
    began = time.perf_counter()
    found = read()
    if time.perf_counter() - began >= cache.SLOW:
        with suppress(OSError, Refusal):
            write_whole(file, _packed(found))
            for old in sorted(file.parent.glob("*.json"), key=lambda p: p.stat().st_mtime)[:-KEPT]:
                old.unlink(missing_ok=True)
    return found


def _packed(found: Found) -> bytes:
    """Each different header once, and for each image the number of its own: most images of a collection have the same."""
    number: dict[Header, int] = {}
    order = [number.setdefault(header, len(number)) for header in found]
    return json.dumps({"headers": [reason if header is None else astuple(header) for header, reason in number], "order": order}).encode()


def _known(file: Path, count: int) -> Found | None:
    try:
        stored = json.loads(read_plain(file))
        headers: Found = [(None, value) if isinstance(value, str) else (_header(value), "") for value in stored["headers"]]
        order = stored["order"]
        sound = len(order) == count and set(map(type, order)) <= {int} and min(order, default=0) >= 0
        return [headers[i] for i in order] if sound else None
    except (OSError, Refusal, LookupError, ValueError, TypeError, RecursionError):
        return None


def _header(value: Any) -> ImageHeader:
    """Raises ValueError or TypeError for what `astuple` did not write."""
    height, width, colour, alpha, name = value
    sound = all(type(n) is int and n > 0 for n in (height, width)) and type(colour) is type(alpha) is bool and name in FORMATS
    if not sound:
        raise ValueError(value)
    return ImageHeader(height, width, colour, alpha, name)
