"""Arrays as data: .npy, .npz and idx files, numpy arrays and tensors -> points (N, d) or images (N, C, H, W)."""

from __future__ import annotations

import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from zerosum.data.cache import budget, hold
from zerosum.data.idx import companion, read_idx
from zerosum.data.images import decoded
from zerosum.data.items import Items, Progress, require_enough
from zerosum.data.options import DataOptions
from zerosum.data.pictures import fitted
from zerosum.data.size import parse_size
from zerosum.data.split import digest, digests
from zerosum.errors import Refusal

MOST_DIMENSIONS = 16
_CHUNK = 2**18
_IMAGES = ("images", "x", "x_train", "arr_0")
_LABELS = ("labels", "y", "y_train")
# What numpy's messages mean here.
_SIGNS = {
    "Object arrays cannot be loaded": "it holds Python objects",
    "Python objects in dtype": "it holds Python objects",
    "contains pickled": "it does not begin as an array file does",
}
_MODES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}


def read_array(path: Path, options: DataOptions, progress: Progress | None = None) -> Items:
    """An .npy or .npz file. An .npz gives its array `images`, `x`, `x_train` or `arr_0`, else its first; `labels` or `y`, and the test set
    `x_test`, `y_test`, where there. Raises Refusal for objects, other shapes and types, NaN and infinite values."""
    with _loaded(path) as loaded:
        if isinstance(loaded, np.ndarray):
            return items_of(loaded, None, str(path), options, progress)
        _require_small(path)
        return _members(loaded, path, options, progress)


def declared(path: Path) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Shape and type of the items in an .npy or .npz file, from headers where that is possible. Raises Refusal."""
    with _loaded(path) as loaded:
        if isinstance(loaded, np.ndarray):
            return loaded.shape, loaded.dtype
        with loaded.zip.open(f"{_member(list(loaded), path)[0]}.npy") as file:
            version = np.lib.format.read_magic(file)
            read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
            shape, _, dtype = read(file)
            return shape, dtype


def read_idx_files(path: Path, options: DataOptions, progress: Progress | None = None) -> Items:
    """An idx file, with the labels and, for train-..., the test set t10k-... where they lie beside it."""
    labels = companion(path, kind="labels")
    items = items_of(read_idx(path), read_idx(labels) if labels else None, str(path), options, progress)
    test = companion(path, part="t10k-") if path.name.startswith("train-") else None
    return with_test(items, read_idx_files(test, options, progress), str(path)) if test else items


def items_of(
    array: npt.NDArray[Any],
    labels: npt.NDArray[Any] | None,
    name: str,
    options: DataOptions,
    progress: Progress | None = None,
    channels_first: bool = False,
) -> Items:
    """An array as items. channels_first: how (N, 3, 3, 3) and the like are to be understood.

    Raises Refusal where it is neither points nor images.
    """
    kind, shape = classify(array.shape, array.dtype, name, channels_first)
    require_enough(len(array), "item", name)
    numbers, classes = _classes(labels, len(array), name)
    if kind == "points":
        return Items(_finite(array.reshape(len(array), -1), name), numbers, classes)
    images = array[:, None] if array.ndim == 3 else array if _first(array.shape, channels_first) else np.moveaxis(array, 3, 1)
    sizes = Counter({(shape[1], shape[2]): len(array)})
    if options.size is not None and parse_size(options.size) != shape[1:]:
        return _resized(images, numbers, classes, sizes, options, progress)
    if images.nbytes <= budget():
        images = np.ascontiguousarray(images)
    return Items(images, numbers, classes, sizes=sizes)


def classify(shape: tuple[int, ...], dtype: np.dtype[Any], name: str, channels_first: bool = False) -> tuple[str, tuple[int, ...]]:
    """("points", (d,)) or ("images", (C, H, W)) of an array of this shape and type. Raises Refusal where it is neither."""
    wanted = f"give points (N, d) of numbers with d up to {MOST_DIMENSIONS}, or images (N, H, W) or (N, H, W, C) of uint8 with C up to 4"
    found = f"{name} is an array of shape {tuple(shape)} and type {dtype}"
    if 0 in shape:
        raise Refusal(f"{found}, which is empty: {wanted}.")
    if len(shape) in (1, 2) and dtype.kind in "fiu":
        d = shape[1] if len(shape) == 2 else 1
        if d <= MOST_DIMENSIONS:
            return "points", (d,)
    if len(shape) == 3 and dtype == np.uint8:
        return "images", (1, *shape[1:])
    if len(shape) == 4 and dtype == np.uint8:
        if _first(shape, channels_first):
            return "images", tuple(shape[1:])
        if shape[3] <= 4:
            return "images", (shape[3], shape[1], shape[2])
    if len(shape) in (3, 4) and dtype.kind == "f":
        wanted = "images must be uint8 from 0 to 255, so scale them to that and convert"
    raise Refusal(f"{found}: {wanted}.")


def with_test(items: Items, test: Items, name: str) -> Items:
    """Items with the test set that came with them. Raises Refusal where the two do not match."""
    if test.array.shape[1:] != items.array.shape[1:]:
        shapes = f"{items.array.shape[1:]} and its test items {test.array.shape[1:]}"
        raise Refusal(f"The training items of {name} have shape {shapes}: give two sets of one shape.")
    if items.classes is None or test.classes is None or items.labels is None or test.labels is None:
        return Items(items.array, items.labels, items.classes, items.keys, sizes=items.sizes, test=Items(test.array, keys=test.keys))
    classes = tuple(sorted({*items.classes, *test.classes}, key=int))
    train_labels, test_labels = (np.array([classes.index(c) for c in part.classes or ()])[part.labels] for part in (items, test))
    return Items(items.array, train_labels, classes, items.keys, sizes=items.sizes, test=Items(test.array, test_labels, classes, test.keys))


@contextmanager
def _loaded(path: Path) -> Iterator[Any]:
    """An .npy memory-mapped, or an .npz open; whatever numpy raises on a file that is no plain array, as a Refusal."""
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
        # Headers are parsed as Python literals and members inflated: a damaged file can end in almost any exception.
        words = str(error) or type(error).__name__
        reason = next((sentence for sign, sentence in _SIGNS.items() if sign in words), words.splitlines()[0].rstrip("."))
        raise Refusal(f"{path} cannot be read as an array ({reason}): save plain numbers with numpy.save or numpy.savez.") from error


def _member(names: list[str], path: Path) -> tuple[str, str | None]:
    """Which arrays of an .npz are the items and the labels."""
    if not names:
        raise Refusal(f"{path} holds no arrays: save one with numpy.savez.")
    items = next((n for n in _IMAGES if n in names), next((n for n in names if n not in _LABELS), names[0]))
    return items, next((n for n in _LABELS if n in names and n != items), None)


def _members(loaded: Mapping[str, npt.NDArray[Any]], path: Path, options: DataOptions, progress: Progress | None) -> Items:
    names = list(loaded)
    image, label = _member(names, path)
    items = items_of(loaded[image], loaded[label] if label else None, f"{path}[{image}]", options, progress)
    if image != "x_train" or "x_test" not in names:
        return items
    test_labels = loaded["y_test"] if "y_test" in names else None
    return with_test(items, items_of(loaded["x_test"], test_labels, f"{path}[x_test]", options, progress), str(path))


def _require_small(path: Path) -> None:
    # The members of an .npz are read whole, and a small file can declare a large one.
    with zipfile.ZipFile(path) as archive:
        size = sum(info.file_size for info in archive.infolist())
    if size > 2 * budget():
        raise Refusal(f"{path} unpacks to {size:,} bytes, more than half of this machine's memory: save one .npy, which is read in place.")


def _first(shape: tuple[int, ...], channels_first: bool) -> bool:
    """Whether the channels of (N, ., ., .) come first: where only that axis is short enough, or where both are and `channels_first`."""
    return shape[1] <= 4 and (channels_first or shape[3] > 4)


def _classes(labels: npt.NDArray[Any] | None, count: int, name: str) -> tuple[npt.NDArray[np.int64] | None, tuple[str, ...] | None]:
    if labels is None:
        return None, None
    labels = labels.reshape(len(labels)) if labels.ndim == 2 and labels.shape[1] == 1 else labels
    if labels.shape != (count,) or labels.dtype.kind not in "iu":
        raise Refusal(f"The labels of {name} have shape {labels.shape} and type {labels.dtype}: give {count} whole numbers, one an item.")
    values, numbers = np.unique(labels, return_inverse=True)
    return numbers.astype(np.int64), tuple(str(v) for v in values)


def _finite(array: npt.NDArray[Any], name: str) -> npt.NDArray[np.float32]:
    with np.errstate(over="ignore"):
        points = array.astype(np.float32, copy=False)
    bad = sum(int((~np.isfinite(points[i : i + _CHUNK]).all(axis=1)).sum()) for i in range(0, len(points), _CHUNK))
    if bad:
        raise Refusal(f"{bad} of {len(points)} rows of {name} hold NaN or infinite values (as float32): remove or mend them.")
    return points


def _resized(
    images: npt.NDArray[Any],
    labels: npt.NDArray[np.int64] | None,
    classes: tuple[str, ...] | None,
    sizes: Counter[tuple[int, int]],
    options: DataOptions,
    progress: Progress | None,
) -> Items:
    channels = images.shape[1]
    shape = (channels, *parse_size(options.size or ""))

    def decode(i: int) -> tuple[npt.NDArray[np.uint8], int]:
        raw = np.ascontiguousarray(images[i].transpose(1, 2, 0))
        picture = Image.frombytes(_MODES[channels], (raw.shape[1], raw.shape[0]), raw.tobytes())
        return fitted(picture, shape, options.fit), digest(raw.tobytes())

    identity = f"{digest(digests(images).tobytes())}/{images.shape}/{shape}/{options.fit}"
    held = hold(len(images), shape, identity, lambda: decoded(decode, range(len(images)), "resizing images", progress))
    return Items(held.pixels, labels, classes, held.keys, sizes=sizes)
