"""Goodfellow et al. 2014, Figure 1, from a real training in one dimension: what the teaching figure shows, as arrays.

(a) near convergence, D partly accurate; (b) the same G, and D trained to its optimum; (c) that pair after one step of G; (d) the end.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from zerosum.data.density import Density
from zerosum.data.items import Progress, silent
from zerosum.errors import Refusal
from zerosum.game.value import VALUES, Value
from zerosum.play.config import Config
from zerosum.study.density_game import DensityGame
from zerosum.study.first_layer import spread_kinks
from zerosum.study.lesson_config import LESSON
from zerosum.theory.optimum import jsd, refuse_unbounded, v
from zerosum.theory.pushforward import Pushforward

Array = NDArray[Any]

DEFAULT_STEPS = 2500
CHECKS = 48
GRID_POINTS = 601
ARROWS = 17
NEAR = 0.04  # nats of JSD below which panel (a) shows the pair: p_g is near p_data and still visibly different
SEEN = 0.1  # one step of G at its own rate would be invisible: panel (c) enlarges it to move p_g by this share of p_data's spread


@dataclass(frozen=True, eq=False)
class Moment:
    """The pair (G, D) at one time, in the data's unit.

    t: steps taken. x: (K,) a grid; p_data, p_g, D, d_star: (K,) on it. d_star is None where the game has another optimum.
    z, Gz: (A,) even steps of the prior and where G takes them. pull: (A,) -d loss_G / d x at each G(z): the direction of D's gradient.
    jsd: nats. v: V(D, G), nats, NaN where sigmoid(a) is no probability. off: E_p_data |D - 1/2|.
    """

    t: int
    x: Array
    p_data: Array
    p_g: Array
    D: Array
    d_star: Array | None
    z: Array
    Gz: Array
    pull: Array
    jsd: float
    v: float
    off: float


@dataclass(frozen=True)
class Lesson:
    """The four panels, every check of the run in order, and by how much panel (c) enlarges G's step."""

    a: Moment
    b: Moment
    c: Moment
    d: Moment
    course: tuple[Moment, ...]
    stride: float

    def panels(self) -> dict[str, Moment]:
        """The four panels by their titles."""
        step = "after one step of G" if self.stride == 1 else f"after one step of G, {self.stride:g} times enlarged"
        return {"(a) near convergence": self.a, "(b) D trained to its optimum": self.b, f"(c) {step}": self.c, "(d) the end": self.d}


def shown(value: Value, a: Tensor, centre: Tensor) -> Tensor:
    """D as a number between 0 and 1: sigmoid(a) where that is D's probability, least squares' D clamped.

    Other games determine their logits only up to a constant or a scale: there, sigmoid(a - centre), which is 1/2 where D prefers neither.
    """
    if value.probability:
        return a.sigmoid()
    return a.clamp(0, 1) if value is VALUES["least_squares"] else (a - centre).sigmoid()


def moment(density_game: DensityGame) -> Moment:
    """The present pair (G, D) of a game."""
    p_g = density_game.p_g()
    pair = density_game.pair(p_g)
    value = VALUES[density_game.config.game.value]
    a = density_game.logits(pair)
    centre = ((pair.P + pair.Q) / 2) @ a
    low, high = (float(end) for end in density_game.p_data.support)
    if density_game.p_data.modes is not None:
        # A Gaussian's support reaches seven sigmas: four show all that can be seen.
        low, high = low + 3 / 14 * _edge(density_game.p_data, 0), high - 3 / 14 * _edge(density_game.p_data, 1)
    else:
        low, high = low - 0.25 * (high - low), high + 0.25 * (high - low)
    x = torch.linspace(low, high, GRID_POINTS, dtype=torch.float64)
    p_data, q = density_game.p_data.log_prob(x).exp(), p_g.density(x)
    D = density_game.D(x.float()[:, None]).detach().double()
    known = value.probability or value in (VALUES["least_squares"], VALUES["relativistic"])
    z, Gz = _arrows(p_g)
    return Moment(
        t=density_game.t,
        x=x.numpy(),
        p_data=p_data.numpy(),
        p_g=q.numpy(),
        D=shown(value, D, centre).numpy(),
        d_star=(p_data / (p_data + q)).numpy() if known else None,
        z=z.numpy(),
        Gz=Gz.numpy(),
        pull=_pull(density_game, value, Gz).numpy(),
        jsd=jsd(pair),
        v=v(pair, a) if value.probability else float("nan"),
        off=float(pair.P @ (shown(value, a, centre) - 0.5).abs()),
    )


def _edge(p_data: Density, side: int) -> float:
    """Width of the outermost component on one side: 14 sigmas."""
    assert p_data.modes is not None
    assert p_data.mode_std is not None
    place = p_data.modes[:, 0]
    return 14 * float(p_data.mode_std[int(place.argmax() if side else place.argmin())])


def _arrows(p_g: Pushforward) -> tuple[Tensor, Tensor]:
    """Even steps of z over the prior's body, (A,), and G(z)."""
    reach = 1.0 if p_g.prior == "uniform" else 2.5
    z = torch.linspace(-reach, reach, ARROWS, dtype=torch.float64)
    return z, torch.from_numpy(np.interp(z.numpy(), p_g.z.numpy(), p_g.x.numpy()))


def _pull(density_game: DensityGame, value: Value, Gz: Tensor) -> Tensor:
    at = Gz.float()[:, None].requires_grad_()
    b = density_game.D(at)
    # Paired games compare with a real sample: its logit is a constant here, which changes no direction.
    (slope,) = torch.autograd.grad(value.g(b.detach().mean().expand_as(b), b).sum(), at)
    return -slope[:, 0].double()


def lesson(
    p_data: Density,
    config: Config = LESSON,
    steps: int = DEFAULT_STEPS,
    checks: int = CHECKS,
    progress: Progress = silent,
) -> Lesson:
    """Train, and return what the figure needs. Checks are closer together at the start, where most happens.

    Raises Refusal where p_data or the prior has another dimension than one, or the game has no finite optimum.
    """
    if p_data.dim != 1:
        raise Refusal(
            f"The teaching figure in one dimension needs a 1-D density, and this one is {p_data.dim}-D: give gaussian or bimodal."
        )
    if config.prior.dim != 1:
        raise Refusal(f"The exact p_g needs a prior of one dimension, not {config.prior.dim}: set --prior.dim to 1.")
    if config.game.penalty == "none":
        refuse_unbounded(VALUES[config.game.value])
    density_game = DensityGame(p_data, config, steps)
    if config.net.kind == "mlp":
        spread_kinks(density_game.players, config.seed, reach_z=1.0 if config.prior.kind == "uniform" else 2.0)
    course: list[Moment] = []
    near: tuple[Moment, DensityGame] | None = None
    for i in range(checks + 1):
        density_game.play(round(steps * (i / checks) ** 2) - density_game.t)
        course.append(moment(density_game))
        progress("Training, steps", density_game.t, steps)
        if near is None and (course[-1].jsd < NEAR or i == checks):
            near = (course[-1], density_game.fork(steps, d_lr=config.d.lr, g_lr=0.0, **_without_penalty(config)))
    assert near is not None
    b, c, stride = _optimum_and_step(near[1], config, steps, progress)
    return Lesson(near[0], b, c, course[-1], tuple(course), stride)


def _without_penalty(config: Config) -> dict[str, str]:
    """The change of options under which D has the optimum of the theory: no penalty, where the game then has an optimum."""
    return {"penalty": "none"} if VALUES[config.game.value].probability else {}


def _optimum_and_step(trained: DensityGame, config: Config, steps: int, progress: Progress) -> tuple[Moment, Moment, float]:
    """Panels (b) and (c): D is trained further while G is frozen; then G takes one step, doubled until it is visible."""
    for t in trained.checks(steps // 2, 100):
        progress("Training D to its optimum, steps", t - trained.first, steps // 2)
    at_optimum = replace(moment(trained), t=trained.first)
    stride = 1.0
    while True:
        stepped = trained.fork(1, d_lr=0.0, g_lr=stride * config.g.lr)
        stepped.play(1)
        after = replace(moment(stepped), t=trained.first)
        moved = float(np.abs(after.Gz - at_optimum.Gz).mean())
        if moved >= SEEN * float(trained.p_data.std[0]) or stride >= 256:
            return at_optimum, after, stride
        stride *= 2
