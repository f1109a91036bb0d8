"""What the runs of benchmarks/verdict.py learn: densities and points drawn from them, and small images."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from math import pi
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor
from verdict_drawn import SIDE, beads, corners, gratings, shapes, tinted

from zerosum.chance import generator
from zerosum.data.density import DENSITIES, Density, Mixture
from zerosum.data.options import DataOptions
from zerosum.data.source import Data, of_density, open_data
from zerosum.data.written import parse_mixture


def mixture(weights: list[float], means: list[list[float]], stds: list[float], curve: bool = False) -> Mixture:
    """sum w_k N(mean_k, std_k^2 I), the weights brought to sum 1."""
    w, mu, sigma = (torch.tensor(x, dtype=torch.float64) for x in (weights, means, stds))
    return Mixture(w / w.sum(), mu, sigma, curve)


def along(x: Callable[[Tensor], Tensor], y: Callable[[Tensor], Tensor], std: float) -> Mixture:
    """A curve (x(t), y(t)), t from 0 to 1, evenly in t, thickened."""
    t = (torch.arange(96, dtype=torch.float64) + 0.5) / 96
    return mixture([1.0] * 96, torch.stack([x(t), y(t)], 1).tolist(), [std] * 96, curve=True)


def rings() -> Mixture:
    """Two circles, of radius 1 and 2."""
    return along(
        lambda t: (1 + (2 * t).floor()) * (4 * pi * t).cos(),
        lambda t: (1 + (2 * t).floor()) * (4 * pi * t).sin(),
        0.12,
    )


def bent(t: Tensor) -> tuple[Tensor, Tensor]:
    """A knot: a curve that crosses itself, t from 0 to 1."""
    return (2 * pi * t).sin() * 2, (4 * pi * t + 0.5).sin() * 1.5


def comb() -> Mixture:
    """Three separate strokes, side by side."""
    return along(lambda t: 2 * (3 * t).floor() - 2, lambda t: 3 * (3 * t - (3 * t).floor()) - 1.5, 0.15)


def honeycomb() -> Mixture:
    """A mode in the middle and six about it."""
    around = [[2 * math.cos(pi * i / 3), 2 * math.sin(pi * i / 3)] for i in range(6)]
    return mixture([1.0] * 7, [[0.0, 0.0], *around], [0.35] * 7)


def flower() -> Mixture:
    """A rose of five petals."""
    return along(lambda t: 2 * (5 * pi * t).sin() * (pi * t).cos(), lambda t: 2 * (5 * pi * t).sin() * (pi * t).sin(), 0.12)


def ladder() -> Mixture:
    """A zigzag."""
    return along(lambda t: 4 * t - 2, lambda t: 2 * (2 * (3 * t - (3 * t).floor()) - 1).abs() - 1, 0.1)


class Subject(NamedTuple):
    """Data to learn. points: how many of the density's points are kept, 0 for no end. aside: no threshold was chosen on runs of it."""

    density: Callable[[], Density]
    points: int = 0
    aside: bool = False


SUBJECTS: dict[str, Subject] = {
    **{name: Subject(density) for name, density in DENSITIES.items()},
    "two widths": Subject(lambda: parse_mixture("0.5*N(0,1)+0.5*N(4,0.3)")),
    "unequal": Subject(lambda: mixture([6, 3, 1], [[0, 0], [3, 1], [-1, 3]], [0.6, 0.4, 0.3]), 20_000),
    "mixture": Subject(lambda: parse_mixture("0.3*N(-2,0.5)+0.7*N(1,0.2)")),
    "three": Subject(lambda: parse_mixture("0.2*N(-4,0.3)+0.5*N(0,0.5)+0.3*N(3,1)")),
    "rings": Subject(rings),
    "wave": Subject(lambda: along(lambda t: 6 * t - 3, lambda t: (3 * pi * t).sin(), 0.15), 20_000),
    "solid": Subject(lambda: mixture([2, 2, 1, 1], [[0, 0, 0], [2, 0, 1], [0, 2, -1], [-2, -1, 2]], [0.5, 0.3, 0.4, 0.6]), 20_000),
    # Data that end, and that can be learned by heart.
    "moons-600": Subject(DENSITIES["moons"], 600),
    "ring8-1500": Subject(DENSITIES["ring8"], 1500),
    "moons-400": Subject(DENSITIES["moons"], 400),
    "checkerboard-400": Subject(DENSITIES["checkerboard"], 400),
    "wave-1500": Subject(lambda: along(lambda t: 6 * t - 3, lambda t: (3 * pi * t).sin(), 0.15), 1500),
    "rings-300": Subject(rings, 300),
    "spiral-500": Subject(DENSITIES["spiral"], 500),
    "heavy": Subject(lambda: mixture([3, 1], [[0], [0]], [0.4, 2])),
    "five": Subject(lambda: mixture([1, 2, 3, 2, 1], [[-6], [-3], [0], [3], [6]], [0.5] * 5)),
    "knot": Subject(lambda: along(lambda t: bent(t)[0], lambda t: bent(t)[1], 0.15)),
    "comb": Subject(comb),
    "honeycomb": Subject(honeycomb, 20_000),
    "four axes": Subject(lambda: mixture([1, 1, 2], [[0, 0, 0, 0], [2, 2, 0, 0], [0, -2, 2, 1]], [0.6, 0.5, 0.7]), 20_000),
    "knot-1800": Subject(lambda: along(lambda t: bent(t)[0], lambda t: bent(t)[1], 0.15), 1800),
    "honeycomb-350": Subject(honeycomb, 350),
    "comb-550": Subject(comb, 550),
    # Set aside.
    "skew": Subject(lambda: mixture([5, 2, 1], [[0], [2], [5]], [0.5, 0.6, 1.2]), aside=True),
    "flower": Subject(flower, aside=True),
    "ladder": Subject(ladder, aside=True),
    "pentagon": Subject(
        lambda: mixture([3, 1, 2, 1, 3], [[math.cos(k), math.sin(k)] for k in (0, 1.3, 2.5, 3.8, 5.0)], [0.2] * 5), 20_000, aside=True
    ),
    "six axes": Subject(lambda: mixture([1, 1], [[0] * 6, [1.5] * 6], [0.6, 0.8]), 20_000, aside=True),
    "flower-1600": Subject(flower, 1600, aside=True),
    "ladder-420": Subject(ladder, 420, aside=True),
    "pentagon-380": Subject(
        lambda: mixture([1] * 5, [[math.cos(k), math.sin(k)] for k in (0, 1.3, 2.5, 3.8, 5.0)], [0.2] * 5), 380, aside=True
    ),
}
# Set aside, or not.
IMAGES = {**dict.fromkeys(("mnist", "emoji", "shapes", "tinted", "gratings", "beads"), False), "corners": True}


def aside(name: str) -> bool:
    """Whether runs on this data are for testing alone."""
    return SUBJECTS[name].aside if name in SUBJECTS else IMAGES[name]


@cache
def opened(name: str, limit: int | None, emoji: Path | None) -> tuple[Data, Density | None]:
    """The data, and the density that they come from where one is known. emoji: a folder or zip of images; limit: training images."""
    if name in IMAGES:
        source = {
            "mnist": lambda: "mnist",
            "emoji": lambda: emoji,
            "shapes": shapes,
            "tinted": tinted,
            "gratings": gratings,
            "beads": beads,
            "corners": corners,
        }[name]()
        if source is None:
            raise SystemExit("Images of another kind are asked for: give --emoji FOLDER.")
        return open_data(source, DataOptions(size=str(SIDE), limit=limit)), None
    subject = SUBJECTS[name]
    density = subject.density()
    if not subject.points:
        return of_density(name, name, density, DataOptions()), density
    return open_data(density.sample(subject.points, generator(0, f"benchmark/{name}")), DataOptions(limit=limit)), density
