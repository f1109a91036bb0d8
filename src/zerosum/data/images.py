"""Folders and zips of images -> uint8 (N, C, H, W), with what could not be used and why."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from os import cpu_count
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from zerosum.data.cache import hold
from zerosum.data.items import Items, Progress, Skipped, require_enough
from zerosum.data.listing import Entry, Listing, class_of, list_images
from zerosum.data.options import DataOptions
from zerosum.data.pictures import Look, Unreadable, guarded, look, pixels
from zerosum.data.size import chosen_size
from zerosum.data.split import digest
from zerosum.errors import Refusal

# More than this share of files that cannot be used means that something is wrong with the data, not with a few files.
BAD_SHARE = 0.05
_LISTED = 10
_CHUNK = 512
# What the decoder does to an image; a change of it must not find an older version's cache.
_RECIPE = 1

T = TypeVar("T")
U = TypeVar("U")


def read_images(path: Path, options: DataOptions, progress: Progress | None = None) -> Items:
    """Every usable image of a folder or zip, at one size, with as many channels as the richest of them has.

    Raises Refusal for an empty folder, fewer than 16 usable images, more than 5 % unusable ones, or a disk too full for the cache.
    """
    listing = list_images(path)
    if not listing.entries and not listing.skipped:
        raise Refusal(f"{path} holds no images (PNG, JPEG, WebP, BMP, TIFF or GIF){_others(listing)}: give a folder or a zip that does.")
    looks, skipped = survey(listing, progress)
    _require_good(path, len(looks), skipped)
    sizes = Counter((seen.height, seen.width) for seen in looks.values())
    formats = Counter(seen.format for seen in looks.values())
    shape = (channels(looks.values()), *chosen_size(options.size, sizes))
    entries = list(looks)

    def decode(i: int) -> tuple[npt.NDArray[np.uint8], int]:
        content = listing.read(entries[i])
        return pixels(BytesIO(content), shape, options.fit), digest(content)

    identity = json.dumps([_RECIPE, str(path.resolve()), [(e.name, e.size, e.stamp) for e in entries], shape, options.fit])
    held = hold(len(entries), shape, identity, lambda: decoded(decode, range(len(entries)), "reading images", progress))
    skipped += [Skipped(entries[i].name, reason) for i, reason in held.reasons.items()]
    rows = np.array([i for i in range(len(entries)) if i not in held.reasons], dtype=np.int64)
    _require_good(path, len(rows), skipped)
    require_enough(len(rows), "image", str(path))
    found = class_of([entry.name for entry in entries])
    classes, labels = (found[0], np.array(found[1], dtype=np.int64)) if found else (None, None)
    return Items(held.pixels, labels, classes, held.keys, rows, tuple(skipped), listing.ignored, sizes, formats)


def survey(listing: Listing, progress: Progress | None = None) -> tuple[dict[Entry, Look], list[Skipped]]:
    """The headers of all entries, without decoding: what each usable one looks like, and which cannot be used."""
    looks: dict[Entry, Look] = {}
    skipped = list(listing.skipped)

    def header(entry: Entry) -> Look:
        with listing.open(entry) as stream:
            return look(stream)

    for entry, (seen, reason) in zip(listing.entries, attempted(header, listing.entries, "looking at images", progress), strict=True):
        if seen is None:
            skipped.append(Skipped(entry.name, reason))
        else:
            looks[entry] = seen
    return looks, skipped


def channels(looks: Iterable[Look]) -> int:
    """Channels that hold every image: 1 grey, 2 grey and alpha, 3 RGB, 4 RGBA. One image in colour makes all so; so does one with alpha."""
    kinds = {(seen.colour, seen.alpha) for seen in looks}
    return (3 if any(colour for colour, _ in kinds) else 1) + any(alpha for _, alpha in kinds)


def decoded(
    decode: Callable[[int], tuple[npt.NDArray[np.uint8], int]], numbers: Iterable[int], stage: str, progress: Progress | None
) -> Iterator[tuple[npt.NDArray[np.uint8] | None, int, str]]:
    """(pixels, key, "") of each item in order, or (None, 0, why it cannot be used)."""
    for result, reason in attempted(decode, list(numbers), stage, progress):
        yield (None, 0, reason) if result is None else (*result, "")


def attempted(work: Callable[[T], U], items: Any, stage: str, progress: Progress | None) -> Iterator[tuple[U | None, str]]:
    """work(item) for each item in order: (result, ""), or (None, reason). A thread a core: Pillow works outside the interpreter's lock."""

    def one(item: T) -> tuple[U | None, str]:
        try:
            return work(item), ""
        except Unreadable as error:
            return None, str(error)
        except Exception as error:
            # A member whose checksum is wrong, a file that vanished, a disk that fails: the file cannot be used, the others can.
            return None, str(error) or type(error).__name__

    with guarded(), ThreadPoolExecutor(cpu_count()) as pool:
        for start in range(0, len(items), _CHUNK):
            yield from pool.map(one, items[start : start + _CHUNK])
            if progress is not None:
                progress(stage, min(start + _CHUNK, len(items)), len(items))


def _require_good(path: Path, good: int, skipped: list[Skipped]) -> None:
    if len(skipped) <= BAD_SHARE * (good + len(skipped)):
        return
    listed = "; ".join(f"{s.name}: {s.reason}" for s in skipped[:_LISTED])
    more = f"; and {len(skipped) - _LISTED} more" if len(skipped) > _LISTED else ""
    raise Refusal(f"{len(skipped)} of {good + len(skipped)} images in {path} cannot be used: mend or remove them ({listed}{more}).")


def _others(listing: Listing) -> str:
    return f", only {listing.ignored} other file{'s' if listing.ignored != 1 else ''}" if listing.ignored else ""
