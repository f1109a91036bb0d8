"""The space that a net works in: images in [-1, 1], points with mean 0 and standard deviation 1, and the way back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from zerosum.errors import Refusal


@dataclass(frozen=True)
class Space:
    """Between raw data x and what the nets see, y.

    kind: "points", x float32 (N, d), or "images", x uint8 (N, C, H, W).
    shape: of one item: (d,) or (C, H, W).
    offset, scale: points alone, a number a dimension: x = offset + scale y.
    """

    kind: Literal["points", "images"]
    shape: tuple[int, ...]
    offset: tuple[float, ...] = ()
    scale: tuple[float, ...] = ()
    classes: tuple[str, ...] = ()

    def encode(self, raw: Tensor) -> Tensor:
        """x -> y, float32 on x's device: images 0..255 -> [-1, 1], points (x - offset) / scale."""
        if self.kind == "images":
            return raw.to(torch.float32).mul_(1 / 127.5).sub_(1)
        return (raw.to(torch.float32) - _row(self.offset, raw.device)) / _row(self.scale, raw.device)

    def decode(self, y: Tensor) -> Tensor:
        """y -> x: images clamped to [-1, 1] and rounded to uint8, points float32. The inverse of encode."""
        if self.kind == "images":
            return y.to(torch.float32).clamp(-1, 1).add_(1).mul_(127.5).round_().to(torch.uint8)
        return y.to(torch.float32) * _row(self.scale, y.device) + _row(self.offset, y.device)

    def to_array(self, raw: Tensor) -> npt.NDArray[Any]:
        """What a user is given: images uint8, N x H x W, or N x H x W x C when C > 1; points float32, N x d."""
        if self.kind == "points":
            return raw.to("cpu", torch.float32).numpy()
        last = raw.to("cpu", torch.uint8).movedim(1, -1)
        return np.ascontiguousarray((last[..., 0] if self.shape[0] == 1 else last).numpy())

    def to_json(self) -> dict[str, Any]:
        """As plain values: kind, shape, offset, scale."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}

    @staticmethod
    def from_json(values: dict[str, Any]) -> Space:
        """The space that `to_json` wrote. Raises Refusal where the values are no space."""
        kind = values.get("kind")
        shape = tuple(int(n) for n in values.get("shape", ()))
        offset, scale = (tuple(float(v) for v in values.get(name) or ()) for name in ("offset", "scale"))
        if kind == "points" and len(shape) == 1 and len(offset) == len(scale) == shape[0]:
            return Space("points", shape, offset, scale)
        if kind == "images" and len(shape) == 3:
            return Space("images", shape)
        raise Refusal(f"A data space of kind {kind!r} and shape {list(shape)} is none that zerosum writes: the run's files are damaged.")


def images(shape: Sequence[int]) -> Space:
    """The space of images of `shape` (C, H, W)."""
    return Space("images", tuple(int(n) for n in shape))


def points(offset: Sequence[float], scale: Sequence[float]) -> Space:
    """The space of points x = offset + scale y; a dimension whose scale is 0 is constant, and keeps its unit: scale 1."""
    return Space("points", (len(offset),), tuple(map(float, offset)), tuple(float(s) or 1.0 for s in scale))


@lru_cache(maxsize=64)
def _row(values: tuple[float, ...], device: torch.device) -> Tensor:
    # Kept, because a copy to a device in every round would make the host wait.
    return torch.tensor(values, dtype=torch.float32, device=device)
