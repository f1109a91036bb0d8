"""Read arrays: .npy, .npz and idx files, numpy arrays and tensors -> points (N, d) or images (N, C, H, W)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from zerosum.data.cache import cached_images, memory_budget
from zerosum.data.digest import digest, digests
from zerosum.data.each import decode_all
from zerosum.data.idx import companion, read_idx
from zerosum.data.image_file import fit_image
from zerosum.data.image_size import parse_size
from zerosum.data.inflation import require_sensible
from zerosum.data.items import Items, Progress, require_enough
from zerosum.data.label_file import read_list
from zerosum.data.labels import class_numbers, joined, renumbered
from zerosum.data.options import DataOptions
from zerosum.errors import Refusal
from zerosum.options import expanded

# uint8 arrays (N, d) of more columns than this may be flattened images as well as points.
MOST_BYTE_COLUMNS = 16
_CHUNK = 2**18
_IMAGES = ("images", "x", "x_train", "arr_0")
_LABELS = ("labels", "y", "y_train")
# Part of a message of numpy -> what it means for the file.
_MEANINGS = {
    "Object arrays cannot be loaded": "it contains Python objects",
    "Python objects in dtype": "it contains Python objects",
    "contains pickled": "it does not start with the header of an array file",
}
_MODES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}


def read_array(path: Path, options: DataOptions, progress: Progress | None = None) -> Items:
    """Read an .npy or .npz file.

    Of an .npz, the samples are the array `images`, `x`, `x_train` or `arr_0`, else its first; the labels are `labels`, `y` or `y_train`,
    and the test set is `x_test` with `y_test`, where they exist. Raises Refusal for objects, other shapes and types, NaN and infinities.
    """
    with _loaded(path) as loaded:
        if isinstance(loaded, np.ndarray):
            return items_of(loaded, None, str(path), options, progress)
        return _members(loaded, path, options, progress)


def declared(path: Path) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Shape and type of the samples in an .npy or .npz file, from its header. Raises Refusal."""
    with _loaded(path) as loaded:
        if isinstance(loaded, np.ndarray):
            return loaded.shape, loaded.dtype
        return _header(loaded, _member(list(loaded), path)[0])


def read_idx_files(path: Path, options: DataOptions, progress: Progress | None = None) -> Items:
    """Read an idx file, with its label file and, for train-..., the test set t10k-... where they are in the same folder."""
    labels = companion(path, kind="labels")
    items = items_of(read_idx(path), read_idx(labels) if labels else None, str(path), options, progress)
    test = companion(path, part="t10k-") if path.name.startswith("train-") else None
    return with_test(items, read_idx_files(test, options, progress), str(path)) if test else items


def items_of(
    array: npt.NDArray[Any],
    labels: Any,
    name: str,
    options: DataOptions,
    progress: Progress | None = None,
    channels_first: bool = False,
) -> Items:
    """An array as items. labels: one a row, or None (see `class_numbers`). channels_first: how to understand (N, 3, 3, 3) and the like.

    Raises Refusal where the array is neither points nor images.
    """
    kind, _ = classify(array.shape, array.dtype, name, channels_first)
    require_enough(len(array), "item", name)
    if options.labels is not None:
        labels = read_list(expanded(options.labels))
    numbers, classes = class_numbers(labels, len(array), name)
    items = Items(kind, array, numbers, classes)
    return _READERS[kind](items, name, options, progress, channels_first)


def classify(shape: tuple[int, ...], dtype: np.dtype[Any], name: str, channels_first: bool = False) -> tuple[str, tuple[int, ...]]:
    """("points", (d,)) or ("images", (C, H, W)) for an array of this shape and type. Raises Refusal where it is neither, or may be both."""
    wanted = "give points (N, d) of numbers, or images (N, H, W) or (N, H, W, C) of uint8 with C up to 4"
    found = f"{name} is an array of shape {tuple(shape)} and type {dtype}"
    if 0 in shape:
        raise Refusal(f"{found}, which is empty: {wanted}.")
    if len(shape) in (1, 2) and dtype.kind in "fiu":
        d = shape[1] if len(shape) == 2 else 1
        if dtype == np.uint8 and d > MOST_BYTE_COLUMNS:
            raise Refusal(f"{found}, either flattened images or points: reshape images to (N, H, W), or convert points to float32.")
        return "points", (d,)
    if len(shape) == 3 and dtype == np.uint8:
        return "images", (1, *shape[1:])
    if len(shape) == 4 and dtype == np.uint8:
        if _first(shape, channels_first):
            return "images", tuple(shape[1:])
        if shape[3] <= 4:
            return "images", (shape[3], shape[1], shape[2])
    if len(shape) in (3, 4) and dtype.kind == "f":
        wanted = "scale images to 0 to 255 and convert them to uint8 (for a torchvision data set, leave ToTensor out)"
    raise Refusal(f"{found}: {wanted}.")


def _points(items: Items, name: str, options: DataOptions, progress: Progress | None, channels_first: bool) -> Items:
    return replace(items, array=_finite(items.array.reshape(len(items.array), -1), name))


def _images(items: Items, name: str, options: DataOptions, progress: Progress | None, channels_first: bool) -> Items:
    array = items.array
    pixels = array[:, None] if array.ndim == 3 else array if _first(array.shape, channels_first) else np.moveaxis(array, 3, 1)
    items = replace(items, sizes=Counter({pixels.shape[2:]: len(array)}))
    if options.size is not None and parse_size(options.size) != pixels.shape[2:]:
        return _resized(items, pixels, options, progress)
    # A memory-mapped array that does not fit into memory stays in its file.
    return replace(items, array=np.ascontiguousarray(pixels) if pixels.nbytes <= memory_budget() else pixels)


_READERS = {"points": _points, "images": _images}


def with_test(items: Items, test: Items, name: str) -> Items:
    """Items with the test set that came with them, classes numbered alike in both. Raises Refusal where their shapes differ."""
    if test.array.shape[1:] != items.array.shape[1:]:
        shapes = f"{items.array.shape[1:]} and its test items {test.array.shape[1:]}"
        raise Refusal(f"The training items of {name} have shape {shapes}: give two sets of one shape.")
    if items.labels is None or test.labels is None:
        return replace(items, test=replace(test, labels=None, classes=()))
    classes = joined(items.classes, test.classes)
    test = replace(test, labels=renumbered(test.labels, test.classes, classes), classes=classes)
    return replace(items, labels=renumbered(items.labels, items.classes, classes), classes=classes, test=test)


@contextmanager
def _loaded(path: Path) -> Iterator[Any]:
    """An .npy memory-mapped, or an .npz open. Whatever numpy raises for a file that is not a plain array becomes a Refusal."""
    try:
        with path.open("rb") as file:
            if file.read(2) != b"PK":
                yield np.load(path, mmap_mode="r", allow_pickle=False)
                return
            file.seek(0)
            with np.load(file, allow_pickle=False) as members:
                yield members
    except Refusal:
        raise
    except Exception as error:
        # Headers are parsed as Python literals and members decompressed, so a damaged file can raise almost any exception.
        words = str(error) or type(error).__name__
        reason = next((sentence for part, sentence in _MEANINGS.items() if part in words), words.splitlines()[0].rstrip("."))
        raise Refusal(f"{path} cannot be read as an array ({reason}): save plain numbers with numpy.save or numpy.savez.") from error


def _member(names: list[str], path: Path) -> tuple[str, str | None]:
    """Names of the arrays of samples and of labels in an .npz."""
    if not names:
        raise Refusal(f"{path} contains no arrays: save one with numpy.savez.")
    items = next((n for n in _IMAGES if n in names), next((n for n in names if n not in _LABELS), names[0]))
    return items, next((n for n in _LABELS if n in names and n != items), None)


def _members(loaded: Any, path: Path, options: DataOptions, progress: Progress | None) -> Items:
    names = list(loaded)
    image, label = _member(names, path)
    tested = image == "x_train" and "x_test" in names
    labels = "y_test" if tested and "y_test" in names else None
    shape, dtype = _header(loaded, image)
    if not dtype.hasobject:  # numpy refuses objects in words of its own.
        classify(shape, dtype, f"{path}[{image}]")
    _require_sensible(loaded, [image, label, "x_test" if tested else None, labels], path)
    items = items_of(loaded[image], loaded[label] if label else None, f"{path}[{image}]", options, progress)
    if not tested:
        return items
    test_labels = loaded[labels] if labels else None
    return with_test(items, items_of(loaded["x_test"], test_labels, f"{path}[x_test]", options, progress), str(path))


def _require_sensible(loaded: Any, names: Sequence[str | None], path: Path) -> None:
    """Compare what the arrays of an .npz declare with the file's own size, before any is unpacked. Raises Refusal."""
    packed = unpacked = 0
    for name in filter(None, names):
        info, (shape, dtype) = loaded.zip.getinfo(f"{name}.npy"), _header(loaded, name)
        if (declared := prod(shape) * dtype.itemsize) > info.file_size:
            what = f"{path}[{name}] declares {declared:,} bytes of values and contains {info.file_size:,} at most"
            raise Refusal(f"{what}: save it again with numpy.savez.")
        packed, unpacked = packed + info.compress_size, unpacked + info.file_size
    require_sensible(min(packed, path.stat().st_size), unpacked, str(path))


def _header(loaded: Any, name: str) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Shape and type of one array of an .npz, from its first bytes."""
    with loaded.zip.open(f"{name}.npy") as file:
        version = np.lib.format.read_magic(file)
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, _, dtype = read(file)
        return shape, dtype


def _first(shape: tuple[int, ...], channels_first: bool) -> bool:
    """Whether the channels of (N, ., ., .) come first: where only that axis is short enough, or both are and `channels_first`."""
    return shape[1] <= 4 and (channels_first or shape[3] > 4)


def _finite(array: npt.NDArray[Any], name: str) -> npt.NDArray[np.float32]:
    with np.errstate(over="ignore"):
        points = array.astype(np.float32, copy=False)
    bad = sum(int((~np.isfinite(points[i : i + _CHUNK]).all(axis=1)).sum()) for i in range(0, len(points), _CHUNK))
    if bad:
        raise Refusal(f"{bad} of {len(points)} rows of {name} contain NaN or infinite values (as float32): remove or fix them.")
    return points


def _resized(items: Items, images: npt.NDArray[Any], options: DataOptions, progress: Progress | None) -> Items:
    channels = images.shape[1]
    shape = (channels, *parse_size(options.size or ""))

    def decode(i: int) -> tuple[npt.NDArray[np.uint8], int]:
        raw = np.ascontiguousarray(images[i].transpose(1, 2, 0))
        image = Image.frombytes(_MODES[channels], (raw.shape[1], raw.shape[0]), raw.tobytes())
        return fit_image(image, shape, options.fit), digest(raw.tobytes())

    identity = f"{digest(digests(images).tobytes())}/{images.shape}/{shape}/{options.fit}"
    rows = range(len(images))
    resized = cached_images(len(rows), shape, identity, lambda: decode_all(decode, rows, shape, "resizing images", progress))
    return replace(items, array=resized.pixels, keys=resized.keys, content=resized.content)
