"""The result of a scenario: a table over seeds, curves, and a paragraph that explains them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from zerosum.game.prior import PRIORS
from zerosum.measure.inputs import Modes
from zerosum.measure.modes import Census, census
from zerosum.study.density_game import DensityGame
from zerosum.theory.optimum import PlaneJSD, plane_jsd

Array = NDArray[Any]


@dataclass(frozen=True)
class ScenarioResult:
    """rows: plain values, one row per case and seed. panels: title -> label -> (x, y), the first seed's curves. why: a paragraph."""

    rows: list[dict[str, Any]]
    panels: dict[str, dict[str, tuple[Array, Array]]]
    why: str


def curve(points: list[tuple[float, float]]) -> tuple[Array, Array]:
    """(x, y) pairs as two arrays."""
    table = np.array(points, dtype=np.float64)
    return table[:, 0], table[:, 1]


@torch.no_grad()
def samples(density_game: DensityGame, n: int) -> torch.Tensor:
    """n samples of G in the data's unit, (n, d)."""
    z = PRIORS[density_game.config.prior.kind]((n, density_game.config.prior.dim), density_game.config.seed, "study/samples", 0)
    x: torch.Tensor = density_game.G(z)
    return x


def blurred_jsd(density_game: DensityGame, n: int = 4000) -> PlaneJSD:
    """The JSD of a 2-D p_data and n samples of G (without EMA)."""
    return plane_jsd(density_game.p_data, samples(density_game, n))


def modes_reached(density_game: DensityGame, n: int = 2500) -> tuple[int, float, Census]:
    """Modes captured, share of high quality, and the census of n samples of G (without EMA)."""
    p_data = density_game.p_data
    assert p_data.modes is not None
    assert p_data.mode_std is not None
    assert p_data.mode_weights is not None
    found = census(samples(density_game, n), Modes(p_data.modes, p_data.mode_std, p_data.mode_weights))
    return int((found.counts > 0).sum()), float(found.counts.sum()) / found.n, found
