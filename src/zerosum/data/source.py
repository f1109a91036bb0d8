"""Open data by name, by path or from Python objects: DATA lists the names, `open_data` opens them all."""

from __future__ import annotations

import zipfile
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol, cast

import numpy as np
import numpy.typing as npt
from torch import Tensor

from zerosum.data import space
from zerosum.data.arrays import items_of, read_array, read_idx_files
from zerosum.data.collection import packed_in
from zerosum.data.density import DENSITIES, Density
from zerosum.data.digest import Keys, digests
from zerosum.data.fashion import read_fashion
from zerosum.data.hugging_face import PREFIX
from zerosum.data.idx import is_idx
from zerosum.data.image_folder import read_images
from zerosum.data.in_memory import InMemory, as_array, in_memory
from zerosum.data.items import Items, Progress, Skipped
from zerosum.data.mnist import read_mnist
from zerosum.data.modality import MODALITIES
from zerosum.data.options import DataOptions
from zerosum.data.order import Indices
from zerosum.data.parts import Draws, Part, Rows
from zerosum.data.space import Space
from zerosum.data.split import limited, split
from zerosum.data.written import parse_written
from zerosum.errors import Refusal, nearest
from zerosum.options import expanded
from zerosum.records import is_run

Spec = str | Path | npt.NDArray[Any] | Tensor | InMemory | Iterable[Any]
Reader = Callable[[DataOptions, Progress | None], Items]


class FileReader(Protocol):
    """A module that reads the files of one modality, named by its row's `files`. Both functions raise Refusal."""

    def read(self, path: Path, options: DataOptions, progress: Progress | None = None) -> Items:
        """The items of the file."""
        ...

    def shape_of(self, path: Path, options: DataOptions) -> tuple[int, ...] | None:
        """One sample's shape under these options, from the header alone; None where all of the file would have to be read."""
        ...


_CHUNK = 2**18


@dataclass(frozen=True, eq=False)
class Data:
    """A data set, split and ready to train on.

    name: short, for people and folders. spec: what the user named, absolute where a path; in_memory: whether it was given as Python objects
    instead. space: modality, shape, scaling and classes. train, validation, test: D sees the first, checks and the choice of the best
    checkpoint use the second, only `evaluate` reads the third. density: p_data where it is known.
    skipped: files that could not be used. ignored: how many files were not images. sizes: (height, width) -> how many images had it.
    formats: how many images were stored in which format (PNG, JPEG, ...), empty for arrays.
    fingerprint: a hash of samples and labels; samples_fingerprint: of the samples alone, as data without labels have it.
    """

    name: str
    spec: str
    space: Space
    train: Part
    validation: Part
    test: Part
    density: Density | None = None
    skipped: tuple[Skipped, ...] = ()
    ignored: int = 0
    sizes: Counter[tuple[int, int]] = field(default_factory=Counter)
    formats: Counter[str] = field(default_factory=Counter)
    fingerprint: str = ""
    samples_fingerprint: str = ""
    in_memory: bool = False

    @property
    def classes(self) -> tuple[str, ...]:
        """Names in the order of class number; empty where the data have no classes."""
        return self.space.classes

    def matches(self, fingerprint: str) -> bool:
        """Whether a run with this fingerprint was trained on these data; a run that recorded no labels, on the same samples."""
        return fingerprint in (self.fingerprint, self.samples_fingerprint)


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
    """Open data by name (a row of DATA), as "mixture:0.5*N(0,1)+0.5*N(3,1)" or "drawn:0.05@0,0;0,1", by path, or as Python objects.

    Python objects: an array or tensor; a tuple (samples, labels); a map-style data set; an iterable of batches (see `in_memory`). Arrays
    are points (N, d) or uint8 images (N, H, W[, C]); tensors of images are (N, H, W) or (N, C, H, W). progress(stage, done, total) is
    called while files are read. Raises Refusal for whatever a user can fix.
    """
    options = options or DataOptions()
    if isinstance(spec, str) and spec in DATA:
        return DATA[spec](options, progress)
    if isinstance(spec, str) and (written := parse_written(spec)) is not None:
        return of_density(spec.partition(":")[0], spec, written, options)
    if isinstance(spec, str) and spec.startswith(PREFIX):
        return assemble(spec.removeprefix(PREFIX).rsplit("/")[-1] or "data", spec, read_images(spec, options, progress), options)
    found = in_memory(spec)
    if isinstance(found, InMemory):
        tensor = isinstance(found.x, Tensor)
        items = items_of(as_array(found.x), found.y, f"the {'tensor' if tensor else 'array'}", options, progress, channels_first=tensor)
        return replace(assemble("array", f"array {tuple(found.x.shape)}", items, options), in_memory=True)
    path = existing(found)
    return assemble(path.name.split(".")[0] or "data", str(path), reader_of(path)(options, progress), options)


def existing(spec: str | Path) -> Path:
    """The absolute path of `spec`. Raises Refusal, with the nearest names, where nothing is there."""
    path = expanded(spec)
    if str(spec).strip() and path.exists():
        if not (path.is_file() or path.is_dir()):
            raise Refusal(f"{path} is neither a file nor a folder: give a path to images or an array.")
        if is_run(path):
            samples = f"zerosum sample {path} -n 10000 --out samples.npy"
            compare = f"zerosum evaluate {path} --against DATA compares its samples with any data"
            raise Refusal(f"{path} is a run, and its pictures are not data: {compare}, and {samples} draws samples to use as data.")
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
    """The reader for an existing path, chosen by its content; .npy, .npz and a modality's own files by the end of the name.

    Raises Refusal where there is none.
    """
    if own := own_reader(path):
        return lambda o, p: own[1].read(path, o, p)
    if packed_in(path)[1]:
        return lambda o, p: read_images(path, o, p)
    if path.is_dir():
        digits = idx_in(path)
        return (lambda o, p: read_idx_files(digits, o, p)) if digits else lambda o, p: read_images(path, o, p)
    if path.suffix.lower() in (".npy", ".npz"):
        return lambda o, p: read_array(path, o, p)
    if zipfile.is_zipfile(path):
        return lambda o, p: read_images(path, o, p)
    if is_idx(path):
        return lambda o, p: read_idx_files(path, o, p)
    known = "a folder or zip of images, parquet files, tar shards, an idx file, or an .npy or .npz array"
    raise Refusal(f"{path} is not data that zerosum reads: give {known}.")


def own_reader(path: Path) -> tuple[str, FileReader] | None:
    """The modality whose own format the name of a file or folder says, and its reader; None where there is none."""
    found = [(suffix, row) for row in MODALITIES.values() for suffix in row.files if path.name.lower().endswith(suffix)]
    if not found:
        return None
    suffix, row = max(found, key=lambda pair: len(pair[0]))
    return row.name, cast(FileReader, import_module(row.files[suffix]))


def idx_in(folder: Path) -> Path | None:
    """MNIST's training images in a folder with MNIST's file names; else None."""
    return next((p for p in sorted(folder.glob("train-images[-.]idx3-ubyte*")) if p.is_file() and is_idx(p)), None)


def of_density(name: str, spec: str, density: Density, options: DataOptions) -> Data:
    """Endless data from a known density. Raises Refusal for options that need stored data."""
    if options.limit is not None or options.size is not None or options.flip or options.balance:
        raise Refusal(
            f"{name} is a density with endless points, and data.limit, data.size, data.flip and data.balance need stored data: drop them."
        )
    train, validation, test = (Draws(density, f"data/{part}") for part in ("train", "validation", "test"))
    fingerprint = blake2b(f"density/{spec}".encode(), digest_size=16).hexdigest()
    scaled = space.points(density.mean.tolist(), density.std.tolist())
    return Data(name, spec, scaled, train, validation, test, density, fingerprint=fingerprint, samples_fingerprint=fingerprint)


def assemble(name: str, spec: str, items: Items, options: DataOptions) -> Data:
    """Split items into the parts of a data set. Standardised modalities get offset and scale from the training part alone."""
    modality = MODALITIES[items.kind]
    if not modality.resizable and (options.size is not None or options.flip):
        raise Refusal(f"{name} contains {items.kind}, and data.size and data.flip are for images: leave them out.")
    if options.balance and items.labels is None:
        raise Refusal(f"{name} has no class labels, and --data.balance shows all classes equally often: leave it out, or give labels.")
    rows = np.arange(len(items.array)) if items.rows is None else items.rows
    content = digests(items.array) if items.content is None else items.content
    keys = content if items.keys is None else items.keys
    parts = split(keys[rows], content[rows], test=items.test is None)
    train = limited(rows[parts.train], keys, options.limit)
    fingerprint, samples_fingerprint = _fingerprints(items, content[rows], rows)
    test = Rows(items.array, rows[parts.test], items.labels) if items.test is None else Rows(items.test.array, None, items.test.labels)
    return Data(
        name,
        spec,
        _space(items, train),
        Rows(items.array, train, items.labels, flip=options.flip, balance=options.balance),
        Rows(items.array, rows[parts.validation], items.labels),
        test,
        skipped=items.skipped,
        ignored=items.ignored,
        sizes=items.sizes,
        formats=items.formats,
        fingerprint=fingerprint,
        samples_fingerprint=samples_fingerprint,
    )


def _space(items: Items, train: Indices) -> Space:
    shape = tuple(items.array.shape[1:])
    if not MODALITIES[items.kind].standardised:
        return Space(items.kind, shape, classes=items.classes)
    return space.standardised(items.kind, shape, *moments(items.array, train), items.classes)


def moments(array: npt.NDArray[Any], rows: Indices) -> tuple[list[float], list[float]]:
    """Mean and standard deviation of these rows in each dimension, in float64; exactly 0 where a dimension is constant."""
    chunks = [rows[i : i + _CHUNK] for i in range(0, len(rows), _CHUNK)]
    mean = sum(array[c].sum(0, dtype=np.float64) for c in chunks) / len(rows)
    variance = sum(((array[c] - mean) ** 2).sum(0) for c in chunks) / len(rows)
    constant = np.logical_and.reduce([(array[c] == array[rows[0]]).all(0) for c in chunks])
    return np.where(constant, array[rows[0]], mean).tolist(), np.where(constant, 0.0, np.sqrt(variance)).tolist()


def _fingerprints(items: Items, content: Keys, rows: Indices) -> tuple[str, str]:
    """Hashes of the samples with their labels, and of the samples as if they had none; the same where they have none."""
    test = b"" if items.test is None else digests(items.test.array).tobytes()
    labels = b"" if items.labels is None else items.labels[rows].tobytes()

    def fingerprint(classes: tuple[str, ...], labels: bytes) -> str:
        hashed = blake2b(f"{items.array.dtype}/{items.array.shape[1:]}/{classes or None}".encode(), digest_size=16)
        for values in (content.tobytes(), labels, test):
            hashed.update(values)
        return hashed.hexdigest()

    return fingerprint(items.classes, labels), fingerprint((), b"")
