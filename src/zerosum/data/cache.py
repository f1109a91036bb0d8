"""Decoded images: in memory where they fit, else in a memory-mapped file made once in the user's cache.

A cache is a folder KEY/ with images.npy, keys.npy and reasons.json, KEY being a hash of what went in. It is written as KEY.building under a
lock and renamed when complete, so that two processes never write one, and a process that dies leaves nothing that looks finished.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from hashlib import blake2b
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from zerosum.data.split import Keys
from zerosum.errors import Refusal

Decoding = Iterable[tuple[npt.NDArray[np.uint8] | None, int, str]]

# Share of the machine's memory that decoded images may take.
MEMORY_SHARE = 0.25
_MARGIN = 2**20
# Bytes up to which an index stays in memory: millions of rows.
SMALL = 2**23


@dataclass(frozen=True, eq=False)
class Held:
    """pixels: uint8 (N, C, H, W), zero where an image could not be used; keys: (N,) uint64; reasons: row -> why it could not."""

    pixels: npt.NDArray[np.uint8]
    keys: Keys
    reasons: dict[int, str]


def directory() -> Path:
    """Where zerosum keeps what can be made again: $ZEROSUM_CACHE, else the user's cache directory."""
    if named := os.environ.get("ZEROSUM_CACHE"):
        return Path(named)
    import pooch

    return Path(pooch.os_cache("zerosum"))


def budget() -> int:
    """Bytes that decoded images may take in memory: a quarter of what the machine, or the container, has."""
    try:
        memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        memory = 2**32
    with suppress(OSError, ValueError):
        memory = min(memory, int(Path("/sys/fs/cgroup/memory.max").read_text()))
    return int(MEMORY_SHARE * memory)


def hold(count: int, shape: tuple[int, int, int], identity: str, decode: Callable[[], Decoding]) -> Held:
    """`count` images of `shape` as `decode` gives them, in memory or from the cache of this identity.

    Raises Refusal where the disk has no room.
    """
    if count * prod(shape) <= budget():
        return _in_memory(count, shape, decode())
    from filelock import FileLock

    root = directory() / "images"
    name = blake2b(identity.encode(), digest_size=16).hexdigest()
    try:
        root.mkdir(parents=True, exist_ok=True)
        with FileLock(root / f"{name}.lock"):
            held = _opened(root / name, (count, *shape))
            if held is None:
                _build(root / name, (count, *shape), decode)
                held = _opened(root / name, (count, *shape))
    except OSError as error:
        raise _no_room(root, count * prod(shape), error) from error
    if held is None:
        raise Refusal(f"The image cache {root / name} cannot be read back after writing: check that disk, or set ZEROSUM_CACHE to another.")
    return held


def aside(index: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """An index of many rows in a nameless file, mapped: it need not stay in memory. As given where it is small, or the disk has no room."""
    if index.nbytes <= SMALL:
        return index
    root = directory()
    try:
        root.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=root) as file:
            index.tofile(file)
            file.flush()
            return np.memmap(file, index.dtype, "r", shape=index.shape)
    except OSError:
        return index


def _in_memory(count: int, shape: tuple[int, int, int], decoding: Decoding) -> Held:
    held = Held(np.zeros((count, *shape), np.uint8), np.zeros(count, np.uint64), {})
    for i, (image, key, reason) in enumerate(decoding):
        if image is None:
            held.reasons[i] = reason
        else:
            held.pixels[i], held.keys[i] = image, key
    return held


def _opened(folder: Path, shape: tuple[int, ...]) -> Held | None:
    """A finished cache; None where there is none, or it is not what it should be."""
    try:
        pixels: npt.NDArray[Any] = np.load(folder / "images.npy", mmap_mode="r", allow_pickle=False)
        keys: npt.NDArray[Any] = np.load(folder / "keys.npy", allow_pickle=False)
        reasons = {int(i): str(reason) for i, reason in json.loads((folder / "reasons.json").read_text()).items()}
    except (OSError, ValueError, AttributeError):
        return None
    if pixels.shape != shape or pixels.dtype != np.uint8 or keys.shape != shape[:1] or keys.dtype != np.uint64:
        return None
    return Held(pixels, keys, reasons)


def _build(folder: Path, shape: tuple[int, ...], decode: Callable[[], Decoding]) -> None:
    building = folder.with_name(f"{folder.name}.building")
    for stale in (building, folder):
        shutil.rmtree(stale, ignore_errors=True)
    building.mkdir()
    try:
        if shutil.disk_usage(building).free < prod(shape) + _MARGIN:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        _write(building, shape, decode())
        building.rename(folder)
    finally:
        shutil.rmtree(building, ignore_errors=True)


def _write(building: Path, shape: tuple[int, ...], decoding: Decoding) -> None:
    keys, reasons = np.zeros(shape[0], np.uint64), {}
    nothing = bytes(prod(shape[1:]))
    # Written row by row, not through a memory map: a full disk is then an error rather than a killed process.
    with (building / "images.npy").open("wb") as file:
        np.lib.format.write_array_header_1_0(file, {"descr": "|u1", "fortran_order": False, "shape": shape})
        for i, (image, key, reason) in enumerate(decoding):
            file.write(nothing if image is None else image.tobytes())
            keys[i] = key
            if image is None:
                reasons[i] = reason
        file.flush()
        os.fsync(file.fileno())
    np.save(building / "keys.npy", keys)
    (building / "reasons.json").write_text(json.dumps(reasons))


def _no_room(root: Path, needed: int, error: OSError) -> Refusal:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return Refusal(
            f"The image cache in {root} needs {needed:,} bytes and the disk has no room: "
            "free some, set ZEROSUM_CACHE to another disk, or train at a smaller data.size."
        )
    return Refusal(f"The image cache in {root} cannot be written ({error.strerror or error}): set ZEROSUM_CACHE to a folder that can.")
