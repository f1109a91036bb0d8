"""The teaching figure in the plane, as arrays: D, samples of G, and a grid of z mapped by G, along a real training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from zerosum.chance import generator
from zerosum.data.density import Density
from zerosum.data.items import Progress, silent
from zerosum.errors import Refusal
from zerosum.game.prior import PRIORS
from zerosum.game.value import VALUES, Value
from zerosum.play.config import Config
from zerosum.study.density_game import DensityGame
from zerosum.study.lesson import shown
from zerosum.study.lesson_config import PLANE_LESSON
from zerosum.theory.optimum import plane_jsd, refuse_unbounded

Array = NDArray[Any]

DEFAULT_STEPS = 2000
CHECKS = 32
CELLS_PER_AXIS = 120
SAMPLES = 4000
LINES = 17


@dataclass(frozen=True, eq=False)
class PlaneMoment:
    """The pair (G, D) at one time, in the data's unit.

    t: steps taken. x, y: (C,) axes of a grid; D, p_data: (C, C) on it, rows by y. samples: (N, 2) of G. grid: (2 LINES, P, 2),
    images under G of lines of the prior's plane. jsd, floor: nats, of SAMPLES samples of G and of as many of p_data, with the same
    kernel. v: V(D, G) on samples, nats.
    """

    t: int
    x: Array
    y: Array
    D: Array
    p_data: Array
    samples: Array
    grid: Array
    jsd: float
    floor: float
    v: float


def _lines(kind: str) -> Tensor:
    """Straight lines of the prior's plane, (2 LINES, 60, 2): over its body, +-1 or +-2."""
    reach = 1.0 if kind == "uniform" else 2.0
    level = torch.linspace(-reach, reach, LINES)
    along = torch.linspace(-reach, reach, 60)
    across = torch.stack([level[:, None].expand(-1, 60), along.expand(LINES, -1)], 2)
    return torch.cat([across, across.flip(2)])


@torch.no_grad()
def plane_moment(density_game: DensityGame) -> PlaneMoment:
    """The present pair (G, D) of a game."""
    value: Value = VALUES[density_game.config.game.value]
    low, high = density_game.p_data.support
    margin = 0.15 * (high - low)
    x, y = (torch.linspace(float(low[i] - margin[i]), float(high[i] + margin[i]), CELLS_PER_AXIS) for i in range(2))
    cells = torch.stack([x.repeat(CELLS_PER_AXIS), y.repeat_interleave(CELLS_PER_AXIS)], 1)
    z = PRIORS[density_game.config.prior.kind]((SAMPLES, 2), density_game.config.seed, "study/plane samples", 0)
    samples = density_game.G(z)
    reals = density_game.p_data.sample(SAMPLES, generator(density_game.config.seed, "study/plane reals"))
    a, b = density_game.D(reals), density_game.D(samples)
    centre = (a.mean() + b.mean()) / 2
    measured = plane_jsd(density_game.p_data, samples)
    return PlaneMoment(
        density_game.t,
        x.numpy(),
        y.numpy(),
        shown(value, density_game.D(cells), centre).reshape(CELLS_PER_AXIS, CELLS_PER_AXIS).numpy(),
        density_game.p_data.log_prob(cells).exp().reshape(CELLS_PER_AXIS, CELLS_PER_AXIS).numpy(),
        samples.numpy(),
        density_game.G(_lines(density_game.config.prior.kind).flatten(0, 1)).reshape(2 * LINES, -1, 2).numpy(),
        measured.jsd,
        measured.floor,
        -float(VALUES["minimax"].d(a, b).mean()) if value.probability else float("nan"),
    )


def plane_lesson(
    p_data: Density,
    config: Config = PLANE_LESSON,
    steps: int = DEFAULT_STEPS,
    checks: int = CHECKS,
    progress: Progress = silent,
) -> Sequence[PlaneMoment]:
    """Train, and return each check, closer together at the start. Raises Refusal where p_data or the prior is not 2-D."""
    if p_data.dim != 2:
        raise Refusal(f"The figure in the plane needs a 2-D density, and this one is {p_data.dim}-D: give ring8 or spiral.")
    if config.prior.dim != 2:
        raise Refusal(f"The figure in the plane shows how G maps a grid of z, so it needs --prior.dim 2, not {config.prior.dim}.")
    if config.game.penalty == "none":
        refuse_unbounded(VALUES[config.game.value])
    density_game = DensityGame(p_data, config, steps)
    course = []
    for i in range(checks + 1):
        density_game.play(int(np.rint(steps * (i / checks) ** 2)) - density_game.t)
        course.append(plane_moment(density_game))
        progress("Training, steps", density_game.t, steps)
    return course
