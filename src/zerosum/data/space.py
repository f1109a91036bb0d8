"""The space that the nets work in: images in [-1, 1], points with mean 0 and standard deviation 1; and the way back to raw data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from zerosum.data.modality import MODALITIES, Modality
from zerosum.errors import Refusal


@dataclass(frozen=True)
class Space:
    """One sample's modality, shape and classes, and the map between raw data x and what the nets see, y.

    kind: a row of MODALITIES. shape: of one sample, (d,) or (C, H, W).
    offset, scale: one number a coordinate, where the modality is standardised: x = offset + scale y.
    classes: names in the order of class number; empty where the data have no classes.
    """

    kind: str
    shape: tuple[int, ...]
    offset: tuple[float, ...] = ()
    scale: tuple[float, ...] = ()
    classes: tuple[str, ...] = ()

    @property
    def modality(self) -> Modality:
        """The row of MODALITIES."""
        return MODALITIES[self.kind]

    def encode(self, raw: Tensor) -> Tensor:
        """x -> y, float32 on x's device: images 0..255 -> [-1, 1], points (x - offset) / scale."""
        return self.modality.encode(raw, self)

    def decode(self, y: Tensor) -> Tensor:
        """y -> x: images clamped to [-1, 1] and rounded to uint8, points float32. The inverse of encode."""
        return self.modality.decode(y, self)

    def to_array(self, raw: Tensor) -> npt.NDArray[Any]:
        """The array that a user gets: images uint8, N x H x W, or N x H x W x C when C > 1; points float32, N x d."""
        return np.ascontiguousarray(self.modality.to_user(raw.cpu()).numpy())

    def from_array(self, array: npt.NDArray[Any]) -> Tensor:
        """Raw samples from an array of the layout that `to_array` returns."""
        return self.modality.from_user(torch.from_numpy(array))

    def affine(self, device: torch.device) -> tuple[Tensor, Tensor]:
        """offset and scale as float32 tensors (d,) on a device."""
        return _constant(self.offset, device), _constant(self.scale, device)

    def to_json(self) -> dict[str, Any]:
        """Plain values: kind, shape, offset, scale, and classes (null without)."""
        values = {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}
        return {**values, "classes": values["classes"] or None}

    @staticmethod
    def from_json(values: dict[str, Any]) -> Space:
        """The space that `to_json` wrote. Raises Refusal where the values describe no space."""
        kind = str(values.get("kind"))
        shape = tuple(int(n) for n in values.get("shape", ()))
        offset, scale = (tuple(float(v) for v in values.get(name) or ()) for name in ("offset", "scale"))
        modality = MODALITIES.get(kind)
        known = modality is not None and len(shape) == modality.axes
        if modality is not None and known and len(offset) == len(scale) == (shape[0] if modality.standardised else 0):
            return Space(kind, shape, offset, scale, tuple(map(str, values.get("classes") or ())))
        raise Refusal(f"A data space of kind {kind!r} and shape {list(shape)} is not one that zerosum writes: the run's files are damaged.")


def images(shape: Sequence[int], classes: Sequence[str] = ()) -> Space:
    """The space of images of `shape` (C, H, W)."""
    return Space("images", tuple(int(n) for n in shape), classes=tuple(classes))


def points(offset: Sequence[float], scale: Sequence[float], classes: Sequence[str] = ()) -> Space:
    """The space of points x = offset + scale y. A constant coordinate (scale 0) keeps its unit: its scale becomes 1."""
    return standardised("points", (len(offset),), offset, scale, classes)


def standardised(kind: str, shape: tuple[int, ...], offset: Sequence[float], scale: Sequence[float], classes: Sequence[str] = ()) -> Space:
    """The space of samples x = offset + scale y; where scale is 0 it becomes 1."""
    return Space(kind, shape, tuple(map(float, offset)), tuple(float(s) or 1.0 for s in scale), tuple(classes))


@lru_cache(maxsize=64)
def _constant(values: tuple[float, ...], device: torch.device) -> Tensor:
    # Cached, because a copy to a device at each step would make the host wait.
    return torch.tensor(values, dtype=torch.float32, device=device)
