"""Images made by code, for benchmarks/verdict.py: discs, squares and crosses; waves; beads; quarters; digits of the package in colour."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from zerosum.chance import uniform
from zerosum.data.options import DataOptions
from zerosum.data.source import open_data

SIDE = 16
N = 6000


def shapes() -> npt.NDArray[Any]:
    """(N, 16, 16) uint8: a disc, a square or a cross of any size, place and brightness, with soft edges, on black."""
    u = uniform((N, 5), 0, "benchmark/shapes")
    size, bright = 2.5 + 3 * u[:, 1], 0.5 + 0.5 * u[:, 2]
    middle = SIDE / 2 + 5 * (u[:, 3:] - 0.5)
    at = torch.arange(SIDE) + 0.5
    y, x = ((at[None] - middle[:, i : i + 1]).abs() for i in (0, 1))
    y, x, r = y[:, :, None], x[:, None, :], size[:, None, None]
    disc = r - (x**2 + y**2).sqrt()
    square = r - torch.maximum(x, y)
    cross = torch.minimum(square, 1 - torch.minimum(x, y))
    kind = (3 * u[:, 0]).long()[:, None, None]
    inside = torch.where(kind == 0, disc, torch.where(kind == 1, square, cross)).clamp(-0.5, 0.5) + 0.5
    return _bytes(inside * bright[:, None, None])


def gratings() -> npt.NDArray[Any]:
    """(N, 16, 16) uint8: a few waves of any direction, length, phase and contrast within a soft round window."""
    u = uniform((N, 4), 0, "benchmark/gratings").double()
    at = (torch.arange(SIDE) + 0.5) / SIDE - 0.5
    y, x = at[None, :, None], at[None, None, :]
    angle, waves, phase, contrast = (u[:, i, None, None] for i in range(4))
    along = x * (math.pi * angle).cos() + y * (math.pi * angle).sin()
    window = (-(x**2 + y**2) / 0.08).exp()
    return _bytes(0.5 + 0.5 * (0.4 + 0.6 * contrast) * window * (2 * math.pi * ((1.5 + 2 * waves) * along + phase)).cos())


def beads() -> npt.NDArray[Any]:
    """(N, 16, 16, 3) uint8: three soft discs, each of a place and a colour of its own, on black."""
    u = uniform((N, 18), 0, "benchmark/beads").view(N, 3, 6)
    at = torch.arange(SIDE) + 0.5
    y, x = at[:, None] - (3 + 10 * u[..., 0, None, None]), at[None] - (3 + 10 * u[..., 1, None, None])
    inside = (2 + 1.5 * u[..., 2, None, None] - (x**2 + y**2).sqrt()).clamp(-0.5, 0.5) + 0.5
    return _bytes((inside[..., None] * (0.3 + 0.7 * u[..., None, None, 3:])).amax(1))


def corners() -> npt.NDArray[Any]:
    """(N, 16, 16) uint8: four flat quarters that meet anywhere, each of a grey of its own, with soft edges."""
    u = uniform((N, 6), 0, "benchmark/corners")
    at = torch.arange(SIDE) + 0.5
    low, right = (((at[None] - (4 + 8 * u[:, i : i + 1])).clamp(-0.5, 0.5) + 0.5) for i in (0, 1))
    y, x, grey = low[:, :, None], right[:, None, :], u[:, 2:, None, None].unbind(1)
    return _bytes((1 - y) * ((1 - x) * grey[0] + x * grey[1]) + y * ((1 - x) * grey[2] + x * grey[3]))


def tinted() -> npt.NDArray[Any]:
    """(N, 16, 16, 3) uint8: digits, each in a colour of its own on a dark ground of another."""
    digits = open_data("mnist", DataOptions(size=str(SIDE), limit=N)).train.head(N)[:, 0].double() / 255
    u = uniform((len(digits), 6), 0, "benchmark/tinted")
    ink, ground = 0.4 + 0.6 * u[:, None, None, :3], 0.3 * u[:, None, None, 3:]
    return _bytes(ground + (ink - ground) * digits[..., None])


def _bytes(shares: Tensor) -> npt.NDArray[Any]:
    found: npt.NDArray[Any] = np.asarray((255 * shares).round().clamp(0, 255).to(torch.uint8))
    return found
