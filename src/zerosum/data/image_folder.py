"""Read collections of images: all usable ones as uint8 (N, C, H, W), their classes, and why others are unusable."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from zerosum.data.cache import Decoding, cached_images
from zerosum.data.collection import listing_of
from zerosum.data.each import decode_all, try_each
from zerosum.data.header_cache import Found, cached_headers
from zerosum.data.image_file import ImageHeader
from zerosum.data.image_size import chosen_size
from zerosum.data.items import Items, Progress, Skipped, require_enough
from zerosum.data.label_file import labels_of, read_table
from zerosum.data.labels import Classes, Labels
from zerosum.data.listing import Listing, class_of
from zerosum.data.options import DataOptions
from zerosum.data.stored_image import Entry, header_of, pixels_of
from zerosum.errors import Refusal
from zerosum.options import expanded

# With a larger share of unusable files, something is wrong with the data rather than with a few files.
BAD_SHARE = 0.05
_LISTED = 10
# Version of the decoding, part of a cache's name. Increase it with each change, so that older caches are not used.
_DECODING = 1


def read_images(path: Path | str, options: DataOptions, progress: Progress | None = None) -> Items:
    """Read every usable image of a collection (collection.py), at one size, with enough channels for all of them.

    Labels are those of options.labels, else those that came with the collection, else the names of first-level folders. Raises Refusal for
    an empty folder, fewer than 16 usable images, more than 5 % unusable ones, labels that do not fit, or a disk too full for the cache.
    """
    listing = listing_of(path)
    if not listing.entries and not listing.skipped:
        raise Refusal(f"{path} contains no images (PNG, JPEG, WebP, BMP, TIFF or GIF){_others(listing)}: give a folder or a zip that does.")
    headers, skipped = read_headers(listing, progress)
    _require_good(path, len(headers), skipped)
    sizes = Counter((header.height, header.width) for header in headers.values())
    formats = Counter(header.format for header in headers.values())
    shape = (channels(headers.values()), *chosen_size(options.size, sizes))
    entries = list(headers)
    decode = partial(pixels_of, listing.open, listing.measured, shape, options.fit)

    def decoding() -> Decoding:
        return decode_all(decode, entries, shape, "reading images", progress, listing.sendable)

    identity = json.dumps([_DECODING, listing.root, entries, shape, options.fit])
    decoded = cached_images(len(entries), shape, identity, decoding)
    skipped += [Skipped(entries[i].name, reason) for i, reason in decoded.reasons.items()]
    rows = np.array([i for i in range(len(entries)) if i not in decoded.reasons], dtype=np.int64)
    _require_good(path, len(rows), skipped)
    require_enough(len(rows), "image", str(path))
    numbers, classes = _labels(listing, [entry.name for entry in entries], skipped, options.labels)
    found = Items("images", decoded.pixels, numbers, classes, decoded.keys, rows, tuple(skipped), listing.ignored, sizes, formats)
    return replace(found, content=decoded.content)


def _labels(listing: Listing, names: list[str], skipped: list[Skipped], file: str | None) -> tuple[Labels | None, Classes]:
    """Class numbers and class names of the images `names`; (None, ()) without labels."""
    table = read_table(expanded(file)) if file is not None else listing.labels()
    if table is not None:
        return labels_of(names, table, file or f"The table of labels in {listing.root}", [s.name for s in skipped])
    classes, numbers = (class_of(names) if listing.folders else None) or ((), None)
    return (None, ()) if numbers is None else (np.array(numbers, dtype=np.int64), classes)


def read_headers(listing: Listing, progress: Progress | None = None) -> tuple[dict[Entry, ImageHeader], list[Skipped]]:
    """The headers of all usable entries, without decoding, and the entries that cannot be used."""
    headers: dict[Entry, ImageHeader] = {}
    skipped = list(listing.skipped)

    def read() -> Found:
        header = partial(header_of, listing.open)
        return list(try_each(header, listing.entries, "looking at images", progress, listing.sendable, listing.expect))

    identity = json.dumps([_DECODING, listing.root, listing.entries])
    for entry, (header, reason) in zip(listing.entries, cached_headers(identity, len(listing.entries), read), strict=True):
        if header is None:
            skipped.append(Skipped(entry.name, reason))
        else:
            headers[entry] = header
    return headers, skipped


def channels(headers: Iterable[ImageHeader]) -> int:
    """The number of channels for all images together: 1 grey, 2 grey and alpha, 3 RGB, 4 RGBA. One image in colour makes all RGB."""
    kinds = {(header.colour, header.alpha) for header in headers}
    return (3 if any(colour for colour, _ in kinds) else 1) + any(alpha for _, alpha in kinds)


def _require_good(path: Path | str, good: int, skipped: list[Skipped]) -> None:
    skipped = [s for s in skipped if not s.name.endswith("/")]  # A folder that was not read is reported, but is no image.
    if len(skipped) <= BAD_SHARE * (good + len(skipped)):
        return
    listed = "; ".join(f"{s.name}: {s.reason}" for s in skipped[:_LISTED])
    more = f"; and {len(skipped) - _LISTED} more" if len(skipped) > _LISTED else ""
    raise Refusal(f"{len(skipped)} of {good + len(skipped)} images in {path} cannot be used: fix or remove them ({listed}{more}).")


def _others(listing: Listing) -> str:
    return f", only {listing.ignored} other file{'s' if listing.ignored != 1 else ''}" if listing.ignored else ""
