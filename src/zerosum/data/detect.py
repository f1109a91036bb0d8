"""Detect which modality and shape a data spec has, from headers alone: enough to choose a preset before anything is decoded."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import NamedTuple

import numpy as np
from torch import Tensor

from zerosum.data.arrays import classify, declared
from zerosum.data.collection import listing_of, packed_in
from zerosum.data.density import DENSITIES
from zerosum.data.hugging_face import PREFIX
from zerosum.data.idx import idx_shape, is_idx
from zerosum.data.image_folder import channels, read_headers
from zerosum.data.image_size import chosen_size, parse_size
from zerosum.data.in_memory import InMemory, as_array, in_memory
from zerosum.data.listing import class_of, more_images
from zerosum.data.modality import MODALITIES
from zerosum.data.options import DataOptions
from zerosum.data.source import DATA, Spec, existing, idx_in, own_reader, reader_of
from zerosum.data.written import parse_written
from zerosum.errors import Refusal

# Reading the headers of this many images takes about a second. The shape of a larger collection is not detected.
_MOST_HEADERS = 5000


class Kind(NamedTuple):
    """kind: a row of MODALITIES. shape: (d,) or (C, H, W); None where all files would have to be read."""

    kind: str
    shape: tuple[int, ...] | None


def kind_of(spec: Spec, options: DataOptions | None = None) -> Kind:
    """The modality of the data that `spec` names and, where that is quick, a sample's shape under these options. Raises Refusal."""
    options = options or DataOptions()
    if isinstance(spec, str) and spec in DENSITIES:
        return Kind("points", (DENSITIES[spec]().dim,))
    if isinstance(spec, str) and spec in ("mnist", "fashion-mnist"):
        return _kind("images", (1, 28, 28), options)
    if isinstance(spec, str) and (written := parse_written(spec)) is not None:
        return Kind("points", (written.dim,))
    if isinstance(spec, str) and spec.startswith(PREFIX):
        return _of_images(spec, options)
    found = in_memory(spec)
    if not isinstance(found, InMemory):
        return _of_path(existing(found), options)
    dtype = as_array(found.x.reshape(-1)[:0]).dtype
    return _kind(*classify(tuple(found.x.shape), dtype, "the array", isinstance(found.x, Tensor)), options)


def may_have_labels(spec: Spec, options: DataOptions | None = None) -> bool:
    """Whether the data that `spec` names may have class labels: False only where names alone tell that there are none. Raises Refusal."""
    options = options or DataOptions()
    if options.labels is not None:
        return True
    found = in_memory(spec)
    if isinstance(found, InMemory):
        return found.y is not None
    if isinstance(spec, str) and (spec in DATA or spec.startswith(PREFIX)):
        return True
    path = existing(found)
    if path.suffix.lower() == ".npy":
        return False
    if own_reader(path) or idx_in(path if path.is_dir() else path.parent) or is_idx(path) or path.suffix.lower() == ".npz":
        return True
    listing = listing_of(path)
    return listing.labels() is not None or (listing.folders and class_of([entry.name for entry in listing.entries]) is not None)


def _of_path(path: Path, options: DataOptions) -> Kind:
    if own := own_reader(path):
        return Kind(own[0], own[1].shape_of(path, options))
    digits = idx_in(path) if path.is_dir() else path if is_idx(path) else None
    if digits is not None:
        # Of the types that idx files have, only bytes are images, and the reader refuses the others.
        return _kind(*classify(idx_shape(digits), np.dtype(np.uint8), str(path)), options)
    if path.suffix.lower() in (".npy", ".npz"):
        return _kind(*classify(*declared(path), str(path)), options)
    reader_of(path)
    return _of_images(path, options)


def _of_images(path: Path | str, options: DataOptions) -> Kind:
    plain = isinstance(path, Path) and path.is_dir() and not packed_in(path)[1]
    if plain and more_images(Path(path), _MOST_HEADERS):
        return Kind("images", None)
    listing = listing_of(path)
    if len(listing.entries) > _MOST_HEADERS:
        return Kind("images", None)
    headers, _ = read_headers(listing)
    if not headers:
        raise Refusal(f"{path} contains no image that can be read: give a folder or zip that does.")
    height, width = chosen_size(options.size, Counter((header.height, header.width) for header in headers.values()))
    return _kind("images", (channels(headers.values()), height, width), options)


def _kind(kind: str, shape: tuple[int, ...], options: DataOptions) -> Kind:
    resized = MODALITIES[kind].resizable and options.size is not None
    return Kind(kind, (shape[0], *parse_size(options.size or "")) if resized else shape)
