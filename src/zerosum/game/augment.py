"""Augmentation: random transformations of real and generated samples alike, before D sees either.

The game is then played between T(x) and T(G(z)); where T can be inverted in distribution, its solution is still p_g = p_data
(Karras et al. 2020, arXiv 2006.06676, section 2.2). Every T is differentiable in the sample, so that G learns through it. Gradient
penalties are taken at what D sees, T(x) and T(G(z)).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from zerosum.game import ada

SHIFT = 1 / 8  # of a side: the farthest translation; Zhao et al. 2020, appendix
HOLE = 1 / 2  # of a side: the cutout's square


@dataclass(frozen=True)
class Augmentation:
    """One transformation T(x, u).

    transform: from samples (N, ...) and numbers u (N, `numbers`), each uniform in [0, 1), to samples of the same shape.
    axes: of the samples that it can transform: 3 for images (C, H, W), 1 for points (d,).
    gates: how many of the numbers, the first ones, are gates: a part of T is applied where its gate is below 1. With gates T is adaptive:
        parts are applied with a probability p that follows the overfitting of D (ada.py).
    """

    transform: Callable[[Tensor, Tensor], Tensor]
    numbers: int
    axes: int
    source: str
    gates: int = 0


@dataclass(frozen=True)
class Augmented:
    """The augmentation of one step: a row with the numbers (N, n) of its samples. Called with them (N, ...), it transforms them."""

    row: Augmentation
    numbers: Tensor

    def __call__(self, x: Tensor) -> Tensor:
        return self.row.transform(x, self.numbers)

    def part(self, rows: slice) -> Augmented:
        """The augmentation of some of the samples."""
        return Augmented(self.row, self.numbers[rows])


def _colours(x: Tensor) -> tuple[Tensor, ...]:
    """The colour or grey channels of images, and the opacity that an even number of channels ends with (empty otherwise)."""
    return x.tensor_split([x.shape[1] - (x.shape[1] + 1) % 2], 1)


def colour(x: Tensor, u: Tensor) -> Tensor:
    """Brightness + (u_0 - 1/2); saturation times 2 u_1; contrast times u_2 + 1/2. x: images (N, C, H, W) in [-1, 1]; u: (N, 3)."""
    brightness, saturation, contrast = (u[:, i].view(-1, 1, 1, 1).to(x.dtype) for i in range(3))
    seen, opacity = _colours(x)
    seen = seen + (brightness - 0.5)
    grey = seen.mean(1, keepdim=True)
    seen = (seen - grey) * (2 * saturation) + grey
    mean = seen.mean((1, 2, 3), keepdim=True)
    return torch.cat(((seen - mean) * (contrast + 0.5) + mean, opacity), 1)


def translation(x: Tensor, u: Tensor) -> Tensor:
    """Shifts by up to SHIFT of a side, down by u_0 and right by u_1; mid-grey (0) fills what is left empty. u: (N, 2)."""
    for axis, length in ((2, x.shape[2]), (3, x.shape[3])):
        most = round(SHIFT * length)
        moved = ((2 * most + 1) * u[:, axis - 2]).long() - most
        places = torch.arange(length, device=x.device) - moved[:, None]
        inside = (places >= 0) & (places < length)
        shape = [len(x), 1, 1, 1]
        shape[axis] = length
        index = places.clamp(0, length - 1).view(shape).expand_as(x)
        x = x.gather(axis, index) * inside.view(shape).to(x.dtype)
    return x


def cutout(x: Tensor, u: Tensor) -> Tensor:
    """Sets to mid-grey (0) a rectangle of HOLE of each side, centred at (u_0, u_1) of the image. u: (N, 2)."""
    kept = x.new_ones(())
    for axis, length in ((2, x.shape[2]), (3, x.shape[3])):
        side = round(HOLE * length)
        first = (u[:, axis - 2] * (length + 1 - side % 2)).long() - side // 2
        places = torch.arange(length, device=x.device)
        hole = (places >= first[:, None]) & (places < first[:, None] + side)
        shape = [len(x), 1, 1, 1]
        shape[axis] = length
        # Outside the rectangle where either coordinate is outside.
        kept = kept * hole.view(shape).to(x.dtype)
    return x * (1 - kept)


def diffaugment(x: Tensor, u: Tensor) -> Tensor:
    """Colour, translation and cutout in turn. u: (N, 7)."""
    return cutout(translation(colour(x, u[:, :3]), u[:, 3:5]), u[:, 5:])


_ZHAO = "Zhao et al. 2020, arXiv 2006.10738, section 4"
AUGMENTATIONS: dict[str, Augmentation | None] = {
    "none": None,
    # Replaced before a training begins, by the number of images (play/presets.py).
    "auto": None,
    "diffaugment": Augmentation(diffaugment, numbers=7, axes=3, source=_ZHAO),
    "ada": Augmentation(ada.ada, numbers=ada.NUMBERS, axes=3, gates=ada.GATES, source="Karras et al. 2020, arXiv 2006.06676, section 3"),
}
