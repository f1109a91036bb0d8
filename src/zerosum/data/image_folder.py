"""Read collections of images: all usable ones as uint8 (N, C, H, W), their classes, and why others are unusable."""

from __future__ import annotations

import json
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from io import BytesIO
from os import cpu_count
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from zerosum.data.cache import cached_images
from zerosum.data.collection import listing_of
from zerosum.data.header_cache import Found, cached_headers
from zerosum.data.image_file import ImageHeader, UnreadableImage, decode_image, read_header, strict_pillow
from zerosum.data.image_size import chosen_size
from zerosum.data.items import Items, Progress, Skipped, require_enough
from zerosum.data.label_file import labels_of, read_table
from zerosum.data.labels import Classes, Labels
from zerosum.data.listing import Entry, Listing, class_of
from zerosum.data.options import DataOptions
from zerosum.data.split import digest
from zerosum.errors import Refusal
from zerosum.options import expanded

# With a larger share of unusable files, something is wrong with the data rather than with a few files.
BAD_SHARE = 0.05
_LISTED = 10
_CHUNK = 512  # items between two reports of progress, and at most on their way to threads
_PIECE = 32  # items that a thread gets at a time
# Version of the decoding, part of a cache's name. Increase it with each change, so that older caches are not used.
_DECODING = 1

T = TypeVar("T")
U = TypeVar("U")


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

    def decode(i: int) -> tuple[npt.NDArray[np.uint8], int]:
        content = listing.read(entries[i])
        return decode_image(BytesIO(content), shape, options.fit), digest(content)

    identity = json.dumps([_DECODING, listing.root, entries, shape, options.fit])
    decoded = cached_images(len(entries), shape, identity, lambda: decode_all(decode, range(len(entries)), "reading images", progress))
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

    def one(entry: Entry) -> ImageHeader:
        with listing.open(entry) as stream:
            return read_header(stream)

    def read() -> Found:
        return list(try_each(one, listing.entries, "looking at images", progress))

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


def decode_all(
    decode: Callable[[int], tuple[npt.NDArray[np.uint8], int]], numbers: Iterable[int], stage: str, progress: Progress | None
) -> Iterator[tuple[npt.NDArray[np.uint8] | None, int, str]]:
    """(pixels, key, "") of each item in order, or (None, 0, why it cannot be used)."""
    for result, reason in try_each(decode, list(numbers), stage, progress):
        yield (None, 0, reason) if result is None else (*result, "")


def try_each(work: Callable[[T], U], items: Any, stage: str, progress: Progress | None) -> Iterator[tuple[U | None, str]]:
    """work(item) for each item in order: (result, ""), or (None, why it failed).

    One thread a core runs it, because Pillow releases Python's global lock while it decodes. Each gets several items at a time: handing
    over single ones takes as long as decoding a small image.
    """

    def one(item: T) -> tuple[U | None, str]:
        try:
            return work(item), ""
        except UnreadableImage as error:
            return None, str(error)
        except Exception as error:
            # A wrong checksum, a deleted file or a failing disk makes one file unusable, not the others.
            return None, str(error) or type(error).__name__

    threads = cpu_count() or 1
    size = max(1, min(_PIECE, _CHUNK // (2 * threads), len(items) // (4 * threads)))
    told = done = 0
    with strict_pillow(), ThreadPoolExecutor(threads) as pool:
        waiting: deque[Future[list[tuple[U | None, str]]]] = deque()
        for start in range(0, len(items) + 2 * threads * size, size):
            if start < len(items):
                waiting.append(pool.submit(lambda piece: list(map(one, piece)), items[start : start + size]))
            if waiting and start >= 2 * threads * size:
                results = waiting.popleft().result()
                yield from results
                done += len(results)
                if progress is not None and (done - told >= _CHUNK or done == len(items)):
                    progress(stage, done, len(items))
                    told = done


def _require_good(path: Path | str, good: int, skipped: list[Skipped]) -> None:
    skipped = [s for s in skipped if not s.name.endswith("/")]  # A folder that was not read is reported, but is no image.
    if len(skipped) <= BAD_SHARE * (good + len(skipped)):
        return
    listed = "; ".join(f"{s.name}: {s.reason}" for s in skipped[:_LISTED])
    more = f"; and {len(skipped) - _LISTED} more" if len(skipped) > _LISTED else ""
    raise Refusal(f"{len(skipped)} of {good + len(skipped)} images in {path} cannot be used: fix or remove them ({listed}{more}).")


def _others(listing: Listing) -> str:
    return f", only {listing.ignored} other file{'s' if listing.ignored != 1 else ''}" if listing.ignored else ""
