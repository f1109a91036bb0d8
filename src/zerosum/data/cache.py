"""Decoded images: in memory where they fit, else in a memory-mapped file, written once to the user's cache.

A cache is a folder KEY/ with images.npy, keys.npy, content.npy and facts.json. KEY is a hash of everything that determines the content.
The folder is written as KEY.building under a lock and renamed when complete. So two processes never write the same cache, and a process
that is killed leaves no cache that looks complete. facts.json has the time at which images.npy was written: where another program has
changed that file since, its hashes in content.npy are wrong, and the cache is made anew.

Images that do not fit into memory are in images/. Those that do are also written, to decoded/, where decoding took more than 3 s: by a
thread, while the training begins. The next start then reads them through a memory map. All of decoded/ together takes at most a tenth of
the disk space that would be free without it; the caches that were not used for the longest time are removed first, and a set that is
larger is not written at all.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from hashlib import blake2b
from math import prod
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np
import numpy.typing as npt

from zerosum.data.block import Block
from zerosum.data.digest import Keys
from zerosum.errors import Refusal

Decoding = Iterable[Block]

# Share of the machine's memory that decoded images may use.
MEMORY_SHARE = 0.25
# Share of the free disk space that decoded images may use which fit into memory, and the seconds of decoding that are worth it.
DISK_SHARE = 0.1
SLOW = 3.0
_MARGIN = 2**20
# Largest index, in bytes, that stays in memory: two million rows.
SMALL = 2**23


@dataclass(frozen=True, eq=False)
class DecodedImages:
    """Images and, for those that cannot be used, the reasons.

    pixels: uint8 (N, C, H, W), zero for unusable images. keys: hashes of the files (N,) uint64. content: hashes of the pixels (N,).
    reasons: row -> why it cannot be used.
    """

    pixels: npt.NDArray[np.uint8]
    keys: Keys
    content: Keys
    reasons: dict[int, str]


def cache_directory() -> Path:
    """The directory for files that can be made or downloaded again: $ZEROSUM_CACHE, else the user's cache directory."""
    if named := os.environ.get("ZEROSUM_CACHE"):
        return Path(named)
    import pooch

    return Path(pooch.os_cache("zerosum"))


def memory_budget() -> int:
    """Bytes of memory that decoded images may use: a quarter of what the machine, or the container, has."""
    try:
        memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        memory = 2**32
    with suppress(OSError, ValueError):
        memory = min(memory, int(Path("/sys/fs/cgroup/memory.max").read_text()))
    return int(MEMORY_SHARE * memory)


def cached_images(count: int, shape: tuple[int, int, int], identity: str, decode: Callable[[], Decoding]) -> DecodedImages:
    """`count` images of `shape`, read from the cache where they are in it. Else they are decoded: into memory where they fit, and to the
    cache where they do not, or where decoding was slow.

    identity: everything that determines the content, as text. decode: yields them in order. Raises Refusal for a full disk.
    """
    name = blake2b(identity.encode(), digest_size=16).hexdigest()
    if count * prod(shape) <= memory_budget():
        return _fitting(name, (count, *shape), decode)
    from filelock import FileLock

    root = cache_directory() / "images"
    try:
        root.mkdir(parents=True, exist_ok=True)
        with FileLock(root / f"{name}.lock"):
            images = _complete_cache(root / name, (count, *shape))
            if images is None:
                _build(root / name, (count, *shape), lambda building: _write(building, (count, *shape), decode()))
                images = _complete_cache(root / name, (count, *shape))
    except OSError as error:
        raise _no_room(root, count * prod(shape), error) from error
    if images is None:
        raise Refusal(f"The image cache {root / name} cannot be read back after writing: check that disk, or set ZEROSUM_CACHE to another.")
    return images


def _fitting(name: str, shape: tuple[int, ...], decode: Callable[[], Decoding]) -> DecodedImages:
    """Images that fit into memory. A cache that cannot be written is no reason to stop."""
    stored()
    folder = cache_directory() / "decoded" / name
    if (found := _complete_cache(folder, shape)) is not None:
        with suppress(OSError):
            os.utime(folder)  # When it was last used.
        return found
    began = time.perf_counter()
    images = _in_memory(shape, decode())
    if time.perf_counter() - began >= SLOW:
        thread = Thread(target=_store_if_possible, args=(folder, shape, images))
        thread.start()
        _storing.append(thread)
    return images


_storing: list[Thread] = []


def stored() -> None:
    """Waits until the caches that are being written are complete."""
    for thread in tuple(_storing):
        thread.join()
    _storing[:] = [thread for thread in _storing if thread.is_alive()]


def _store_if_possible(folder: Path, shape: tuple[int, ...], images: DecodedImages) -> None:
    with suppress(OSError, NotImplementedError):
        _store(folder, shape, images)


def _store(folder: Path, shape: tuple[int, ...], images: DecodedImages) -> None:
    """Write a cache of images that are in memory, where there is room by the rule at the top. Raises OSError."""
    from filelock import FileLock, Timeout

    def save(building: Path) -> None:
        np.save(building / "images.npy", images.pixels)
        _write_index(building, images.keys, images.content, images.reasons)

    folder.parent.mkdir(parents=True, exist_ok=True)
    try:
        # One lock for all: two processes that store at once would both count the room as theirs.
        with FileLock(folder.parent / "lock", timeout=0):
            if _make_room(folder.parent, prod(shape)):
                _build(folder, shape, save)
    except Timeout:
        return  # The next start may store it.


def _make_room(root: Path, needed: int) -> bool:
    """Whether so many bytes may be stored, after the removal of caches that were not used for the longest time."""
    caches = sorted((p for p in root.iterdir() if p.is_dir()), key=lambda p: p.stat().st_mtime)
    sizes = {cache: sum(file.stat().st_size for file in cache.iterdir()) for cache in caches}
    used = sum(sizes.values())
    allowed = DISK_SHARE * (shutil.disk_usage(root).free + used)
    if needed > allowed:
        return False
    for cache in caches:
        if used + needed <= allowed:
            break
        shutil.rmtree(cache, ignore_errors=True)
        used -= sizes[cache]
    return True


def spill_to_disk(index: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Move a large index out of memory, to a memory-mapped temporary file. Returned unchanged where it is small, or the disk is full."""
    if index.nbytes <= SMALL:
        return index
    root = cache_directory()
    try:
        root.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=root) as file:
            index.tofile(file)
            file.flush()
            return np.memmap(file, index.dtype, "r", shape=index.shape)
    except OSError:
        return index


def _in_memory(shape: tuple[int, ...], decoding: Decoding) -> DecodedImages:
    pixels, index = np.empty(shape, np.uint8), _Index(shape[0])
    for block in decoding:
        pixels[index.take(block)] = block.pixels
    return DecodedImages(pixels, index.keys, index.content, index.reasons)


class _Index:
    """What is known of `count` images besides their pixels, filled block by block."""

    def __init__(self, count: int) -> None:
        self.keys, self.content, self.filled = np.zeros(count, np.uint64), np.zeros(count, np.uint64), 0
        self.reasons: dict[int, str] = {}

    def take(self, block: Block) -> slice:
        """The rows of the next block."""
        first = self.filled
        self.filled += len(block.keys)
        rows = slice(first, self.filled)
        self.keys[rows], self.content[rows] = block.keys, block.content
        self.reasons |= {first + i: reason for i, reason in block.reasons.items()}
        return rows


def _complete_cache(folder: Path, shape: tuple[int, ...]) -> DecodedImages | None:
    """A complete cache; None where there is none, or its content is not as expected."""
    try:
        pixels: npt.NDArray[Any] = np.load(folder / "images.npy", mmap_mode="r", allow_pickle=False)
        keys, content = (np.load(folder / f"{name}.npy", allow_pickle=False) for name in ("keys", "content"))
        facts = json.loads((folder / "facts.json").read_text())
        reasons = {int(i): str(reason) for i, reason in facts["reasons"].items()}
        changed = facts["written"] != (folder / "images.npy").stat().st_mtime_ns
    except (OSError, ValueError, AttributeError, LookupError, TypeError):
        return None
    of_images = pixels.shape == shape and pixels.dtype == np.uint8
    if changed or not of_images or any(hashes.shape != shape[:1] or hashes.dtype != np.uint64 for hashes in (keys, content)):
        return None
    return DecodedImages(pixels, keys, content, reasons)


def _build(folder: Path, shape: tuple[int, ...], write: Callable[[Path], None]) -> None:
    building = folder.with_name(f"{folder.name}.building")
    for stale in (building, folder):
        shutil.rmtree(stale, ignore_errors=True)
    building.mkdir()
    try:
        if shutil.disk_usage(building).free < prod(shape) + _MARGIN:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        write(building)
        building.rename(folder)
    finally:
        shutil.rmtree(building, ignore_errors=True)


def _write(building: Path, shape: tuple[int, ...], decoding: Decoding) -> None:
    index = _Index(shape[0])
    # Written block by block rather than through a memory map, so that a full disk raises an error instead of killing the process.
    with (building / "images.npy").open("wb") as file:
        np.lib.format.write_array_header_1_0(file, {"descr": "|u1", "fortran_order": False, "shape": shape})
        for block in decoding:
            index.take(block)
            file.write(block.pixels.data)
        file.flush()
        os.fsync(file.fileno())
    _write_index(building, index.keys, index.content, index.reasons)


def _write_index(building: Path, keys: Keys, content: Keys, reasons: dict[int, str]) -> None:
    np.save(building / "keys.npy", keys)
    np.save(building / "content.npy", content)
    written = (building / "images.npy").stat().st_mtime_ns
    (building / "facts.json").write_text(json.dumps({"reasons": reasons, "written": written}))


def _no_room(root: Path, needed: int, error: OSError) -> Refusal:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return Refusal(
            f"The image cache in {root} needs {needed:,} bytes and the disk has no room: "
            "free some, set ZEROSUM_CACHE to another disk, or train at a smaller data.size."
        )
    return Refusal(f"The image cache in {root} cannot be written ({error.strerror or error}): set ZEROSUM_CACHE to a folder that can.")
