"""What kind of data a spec names, from headers alone: enough to choose a preset, long before everything is decoded."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from torch import Tensor

from zerosum.data.arrays import classify, declared
from zerosum.data.density import DENSITIES, parse_mixture
from zerosum.data.idx import idx_shape, is_idx
from zerosum.data.images import channels, survey
from zerosum.data.listing import list_images
from zerosum.data.options import DataOptions
from zerosum.data.size import chosen_size, parse_size
from zerosum.data.source import MIXTURE, Spec, as_array, existing, idx_in, reader_of
from zerosum.errors import Refusal

# Headers of so many images are read in about a second; a larger collection's size and channels are left open.
_CHEAP = 5000


class Kind(NamedTuple):
    """kind: "digits" is MNIST's format, 28 x 28 grey. shape: (d,) or (C, H, W), None where only reading everything would tell."""

    kind: Literal["points", "digits", "images"]
    shape: tuple[int, ...] | None


def kind_of(spec: Spec, options: DataOptions | None = None) -> Kind:
    """The kind of data that `spec` names and, where that is cheap, the shape of an item under these options. Raises Refusal."""
    options = options or DataOptions()
    if isinstance(spec, (np.ndarray, Tensor)):
        dtype = as_array(spec.reshape(-1)[:0]).dtype
        return _kind(*classify(tuple(spec.shape), dtype, "the array", isinstance(spec, Tensor)), options)
    if spec in DENSITIES:
        return Kind("points", (DENSITIES[str(spec)]().dim,))
    if spec in ("mnist", "fashion-mnist"):
        return _kind("images", (1, 28, 28), options)
    if isinstance(spec, str) and spec.startswith(MIXTURE):
        return Kind("points", (parse_mixture(spec.removeprefix(MIXTURE)).dim,))
    return _of_path(existing(spec), options)


def _of_path(path: Path, options: DataOptions) -> Kind:
    digits = idx_in(path) if path.is_dir() else path if is_idx(path) else None
    if digits is not None:
        shape = idx_shape(digits)
        # Of idx's types, bytes alone make images, and the reader refuses the others.
        return _kind(*classify(shape, np.dtype(np.uint8), str(path)), options)
    if path.suffix.lower() in (".npy", ".npz"):
        return _kind(*classify(*declared(path), str(path)), options)
    reader_of(path)
    return _of_images(path, options)


def _of_images(path: Path, options: DataOptions) -> Kind:
    listing = list_images(path)
    if len(listing.entries) > _CHEAP:
        return Kind("images", None)
    looks, _ = survey(listing)
    if not looks:
        raise Refusal(f"{path} holds no image that can be read: give a folder or zip that does.")
    height, width = chosen_size(options.size, Counter((seen.height, seen.width) for seen in looks.values()))
    return _kind("images", (channels(looks.values()), height, width), options)


def _kind(kind: str, shape: tuple[int, ...], options: DataOptions) -> Kind:
    if kind == "points":
        return Kind("points", shape)
    shape = (shape[0], *parse_size(options.size)) if options.size is not None else shape
    return Kind("digits" if shape == (1, 28, 28) else "images", shape)
