"""The stress tests: standard benchmarks by their published protocols, compared with a perfect sampler and published results.

Nothing is selected on the scored samples: each seed is trained with the preset, and 2,500 samples of the result are scored once.
"""

from __future__ import annotations

import statistics
from dataclasses import dataclass, replace
from typing import Any

from torch import Tensor

from zerosum.chance import generator
from zerosum.data.density import DENSITIES, Density
from zerosum.data.items import Progress, silent
from zerosum.game.prior import PRIORS
from zerosum.measure.inputs import Modes
from zerosum.measure.modes import read_modes
from zerosum.measure.score import Refused
from zerosum.play.presets import named
from zerosum.study.density_game import DensityGame
from zerosum.theory.dirac import DIRAC_TABLE, Order

ORDERS: tuple[Order, Order] = ("simultaneous", "alternating")
SCORED = 2500
SEEDS = 10
TRAINING_SAMPLES = 3_200_000  # real samples per seed: 12,500 steps, under three minutes on one core
PRESET = "points"

_PACGAN = "Lin et al. 2018, arXiv 1712.04086"
_VEEGAN = "Srivastava et al. 2017, arXiv 1705.07761"
# name -> rows of (method, modes, high quality, reverse KL, source); what a paper does not give is None.
PUBLISHED: dict[str, tuple[tuple[str, float, float, float | None, str], ...]] = {
    "ring8": (
        ("GAN", 6.3, 0.982, 0.45, _PACGAN),
        ("PacGAN2", 7.9, 0.956, 0.07, _PACGAN),
        ("PacGAN4", 7.8, 0.959, 0.07, _PACGAN),
        ("VEEGAN", 8.0, 0.529, None, _VEEGAN),
    ),
    "grid25": (
        ("GAN", 17.3, 0.948, 0.70, _PACGAN),
        ("PacGAN2", 23.8, 0.913, 0.13, _PACGAN),
        ("PacGAN4", 24.8, 0.936, 0.04, _PACGAN),
        ("VEEGAN", 24.6, 0.40, None, _VEEGAN),
    ),
}


@dataclass(frozen=True)
class MixtureScore:
    """One sampler on one mixture. modes: captured. high_quality: share within 3 sigma. reverse_kl: nats. sigma_ratio: see measure/modes.py.

    A number that is undefined, such as the spread within modes where none was reached, is None.
    """

    modes: float
    high_quality: float
    reverse_kl: float | None
    sigma_ratio: float | None


def scored(x: Tensor, p_data: Density) -> MixtureScore:
    """The score of points x (N, 2) on a density with known modes."""
    assert p_data.modes is not None
    assert p_data.mode_std is not None
    assert p_data.mode_weights is not None
    readings = read_modes(x, Modes(p_data.modes, p_data.mode_std, p_data.mode_weights))
    found = {r.name: None if isinstance(r, Refused) else r.value for r in readings}
    return MixtureScore(found["modes"] or 0.0, found["high_quality"] or 0.0, found.get("mode_kl"), found.get("sigma_ratio"))


def reference_score(name: str, seeds: int = SEEDS) -> MixtureScore:
    """The score of as many samples of p_data itself: the mean over seeds."""
    p_data = DENSITIES[name]()
    return mean([scored(p_data.sample(SCORED, generator(seed, "study/stress floor")), p_data) for seed in range(seeds)])


def ours(name: str, seed: int, samples: int = TRAINING_SAMPLES, progress: Progress = silent) -> MixtureScore:
    """One seed of the preset for points on a mixture, scored on the averaged G's samples."""
    p_data = DENSITIES[name]()
    config = replace(named(PRESET).config, seed=seed, threads=1)
    steps = max(1, samples // (config.batch * config.game.k))
    density_game = DensityGame(p_data, config, steps)
    for t in density_game.checks(steps, 100):
        progress(f"{name}, seed {seed}, steps", t, steps)
    z = PRIORS[config.prior.kind]((SCORED, config.prior.dim), seed, "study/stress", 0)
    return scored((density_game.average if config.average > 0 else density_game.G)(z).detach(), p_data)


def mean(scores: list[MixtureScore]) -> MixtureScore:
    """The mean of each number, over the seeds that have it."""

    def of(name: str) -> float | None:
        known = [x for s in scores if (x := getattr(s, name)) is not None]
        return statistics.fmean(known) if known else None

    return MixtureScore(of("modes") or 0.0, of("high_quality") or 0.0, of("reverse_kl"), of("sigma_ratio"))


def dirac_rows() -> list[dict[str, Any]]:
    """The Dirac-GAN's distances after 500 steps: ours, and those integrated from the published vector fields."""
    return [
        {
            "game": name,
            "order": order,
            "ours": float(game.trajectory(order)[-1].norm()),
            "published": published,
            "source": "Mescheder et al. 2018, arXiv 1801.04406",
        }
        for name, (game, simultaneous, alternating) in DIRAC_TABLE.items()
        for order, published in zip(ORDERS, (simultaneous, alternating), strict=True)
    ]
