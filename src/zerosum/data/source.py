"""From what a user names to data that can be trained on: DATA, `open_data`, `kind_of`."""

from __future__ import annotations

import zipfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from zerosum.data import space
from zerosum.data.arrays import items_of, read_array, read_idx_files
from zerosum.data.batches import Draws, Part, Rows
from zerosum.data.density import DENSITIES, Density, parse_mixture
from zerosum.data.fashion import read_fashion
from zerosum.data.idx import is_idx
from zerosum.data.images import read_images
from zerosum.data.items import Items, Progress, Skipped
from zerosum.data.mnist import read_mnist
from zerosum.data.options import DataOptions
from zerosum.data.order import Indices
from zerosum.data.space import Space
from zerosum.data.split import Keys, digests, limited, split
from zerosum.errors import Refusal, nearest

Spec = str | Path | npt.NDArray[Any] | Tensor
Reader = Callable[[DataOptions, Progress | None], Items]

MIXTURE = "mixture:"
_CHUNK = 2**18


@dataclass(frozen=True, eq=False)
class Data:
    """What a training reads. train feeds the game, validation serves signals and selection, test is read by `evaluate` alone.

    name: short, for people and folders. spec: what the user named, absolute where a path. density: p_data where it is known.
    classes: names by class number. sizes: (height, width) -> how many images had it before they were resized. formats: how many were stored
    in which format (PNG, JPEG, ...), empty for arrays.
    skipped: files that could not be used. ignored: how many files were no images. fingerprint: a hash of the content.
    """

    name: str
    spec: str
    space: Space
    train: Part
    validation: Part
    test: Part
    density: Density | None = None
    classes: tuple[str, ...] | None = None
    skipped: tuple[Skipped, ...] = ()
    ignored: int = 0
    sizes: Counter[tuple[int, int]] = field(default_factory=Counter)
    formats: Counter[str] = field(default_factory=Counter)
    fingerprint: str = ""


def _known(name: str) -> Callable[[DataOptions, Progress | None], Data]:
    return lambda options, progress: of_density(name, name, DENSITIES[name](), options)


def _stored(name: str, reader: Reader) -> Callable[[DataOptions, Progress | None], Data]:
    return lambda options, progress: assemble(name, name, reader(options, progress), options)


DATA: dict[str, Callable[[DataOptions, Progress | None], Data]] = {
    "mnist": _stored("mnist", read_mnist),
    "fashion-mnist": _stored("fashion-mnist", read_fashion),
    **{name: _known(name) for name in DENSITIES},
}


def open_data(spec: Spec, options: DataOptions | None = None, progress: Progress | None = None) -> Data:
    """Data by name (a row of DATA), as "mixture:0.3*N(-2,0.5)+0.7*N(1,0.2)", by path, or handed over as an array or tensor.

    Arrays are (N, d) points or uint8 (N, H, W[, C]) images; tensors of images (N, H, W) or (N, C, H, W). progress(stage, done, total) is
    called while files are read. Raises Refusal for whatever a user can mend.
    """
    options = options or DataOptions()
    if isinstance(spec, (np.ndarray, Tensor)):
        array = as_array(spec)
        name = "the tensor" if isinstance(spec, Tensor) else "the array"
        items = items_of(array, None, name, options, progress, channels_first=isinstance(spec, Tensor))
        return assemble("array", f"array {tuple(array.shape)}", items, options)
    if isinstance(spec, str) and spec in DATA:
        return DATA[spec](options, progress)
    if isinstance(spec, str) and spec.startswith(MIXTURE):
        return of_density("mixture", spec, parse_mixture(spec.removeprefix(MIXTURE)), options)
    path = existing(spec)
    return assemble(path.name.split(".")[0] or "data", str(path), reader_of(path)(options, progress), options)


def as_array(spec: npt.NDArray[Any] | Tensor) -> npt.NDArray[Any]:
    """An array or tensor as an array. Floating types that numpy lacks become float32."""
    if not isinstance(spec, Tensor):
        return spec
    tensor = spec.detach().cpu()
    return (tensor.float() if tensor.dtype in (torch.bfloat16, torch.float16) else tensor).numpy()


def existing(spec: str | Path) -> Path:
    """The absolute path of `spec`. Raises Refusal, with the nearest names, where nothing is there."""
    path = Path(spec).expanduser()
    if str(spec).strip() and path.exists():
        if not (path.is_file() or path.is_dir()):
            raise Refusal(f"{path} is neither a file nor a folder: give a path to images or an array.")
        return path.resolve()
    try:
        beside = {child.name: str(path.parent / child.name) for child in path.parent.iterdir()}
    except OSError:
        beside = {}
    words = {**{name: name for name in DATA}, **beside}
    close = nearest(path.name, words)
    for name in sorted(beside, key=len, reverse=True):
        close = close.replace(f" {name}", f" {beside[name]}")
    names = ", ".join(DATA)
    raise Refusal(f"There is no data {str(spec)!r}, neither by name nor as a path: give {names}, or a path to images or an array.{close}")


def reader_of(path: Path) -> Reader:
    """How an existing path is read: by what it is, not by what its name ends in. Raises Refusal where it is nothing that zerosum reads."""
    if path.is_dir():
        digits = idx_in(path)
        return (lambda o, p: read_idx_files(digits, o, p)) if digits else lambda o, p: read_images(path, o, p)
    if path.suffix.lower() in (".npy", ".npz"):
        return lambda o, p: read_array(path, o, p)
    if zipfile.is_zipfile(path):
        return lambda o, p: read_images(path, o, p)
    if is_idx(path):
        return lambda o, p: read_idx_files(path, o, p)
    raise Refusal(f"{path} is no data that zerosum reads: give a folder or zip of images, an idx file, or an .npy or .npz array.")


def idx_in(folder: Path) -> Path | None:
    """MNIST's training images in a folder that is laid out as MNIST is; else None."""
    return next((p for p in sorted(folder.glob("train-images[-.]idx3-ubyte*")) if p.is_file() and is_idx(p)), None)


def of_density(name: str, spec: str, density: Density, options: DataOptions) -> Data:
    """Endless data from a known density. Raises Refusal for a limit or an image size, which it cannot have."""
    if options.limit is not None or options.size is not None or options.flip:
        raise Refusal(f"{name} is a density with endless points, and data.limit, data.size and data.flip are for stored data: drop them.")
    train, validation, test = (Draws(density, f"data/{part}") for part in ("train", "validation", "test"))
    fingerprint = blake2b(f"density/{spec}".encode(), digest_size=16).hexdigest()
    scaled = space.points(density.mean.tolist(), density.std.tolist())
    return Data(name, spec, scaled, train, validation, test, density, fingerprint=fingerprint)


def assemble(name: str, spec: str, items: Items, options: DataOptions) -> Data:
    """Items split into parts. Points get offset and scale from the training part's mean and standard deviation in each dimension."""
    points = items.array.ndim == 2
    if points and (options.size is not None or options.flip):
        raise Refusal(f"{name} holds points, and data.size and data.flip are for images: leave them out.")
    rows = np.arange(len(items.array)) if items.rows is None else items.rows
    content = digests(items.array)
    keys = content if items.keys is None else items.keys
    parts = split(keys[rows], content[rows], test=items.test is None)
    train = limited(rows[parts.train], keys, options.limit)
    test = Rows(items.array, rows[parts.test], items.labels) if items.test is None else Rows(items.test.array, None, items.test.labels)
    return Data(
        name,
        spec,
        space.points(*moments(items.array, train)) if points else space.images(items.array.shape[1:]),
        Rows(items.array, train, items.labels, flip=options.flip),
        Rows(items.array, rows[parts.validation], items.labels),
        test,
        classes=items.classes,
        skipped=items.skipped,
        ignored=items.ignored,
        sizes=items.sizes,
        formats=items.formats,
        fingerprint=_fingerprint(items, content[rows], rows),
    )


def moments(array: npt.NDArray[Any], rows: Indices) -> tuple[list[float], list[float]]:
    """Mean and standard deviation of these rows in each dimension, in float64; exactly 0 where a dimension is constant."""
    chunks = [rows[i : i + _CHUNK] for i in range(0, len(rows), _CHUNK)]
    mean = sum(array[c].sum(0, dtype=np.float64) for c in chunks) / len(rows)
    variance = sum(((array[c] - mean) ** 2).sum(0) for c in chunks) / len(rows)
    constant = np.logical_and.reduce([(array[c] == array[rows[0]]).all(0) for c in chunks])
    return np.where(constant, array[rows[0]], mean).tolist(), np.where(constant, 0.0, np.sqrt(variance)).tolist()


def _fingerprint(items: Items, content: Keys, rows: Indices) -> str:
    hashed = blake2b(f"{items.array.dtype}/{items.array.shape[1:]}/{items.classes}".encode(), digest_size=16)
    hashed.update(content.tobytes())
    if items.labels is not None:
        hashed.update(items.labels[rows].tobytes())
    if items.test is not None:
        hashed.update(digests(items.test.array).tobytes())
    return hashed.hexdigest()
