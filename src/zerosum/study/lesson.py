"""Goodfellow et al. 2014, Figure 1, from a real training in one dimension: what the teaching figure shows, as arrays.

(a) p_g is shifted and too narrow, and D is partly right; (b) the same G, and D trained to its optimum; (c) that pair after one step of G;
(d) the end. p_data is restricted to where G can reach (truncated.py), so that p_g = p_data is possible at the end.
"""

from __future__ import annotations

import copy
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
from zerosum.study.lesson_start import start_generator, train_partly
from zerosum.study.truncated import reachable
from zerosum.theory.optimum import jsd, refuse_unbounded, v
from zerosum.theory.pair import Pair
from zerosum.theory.pushforward import Pushforward

Array = NDArray[Any]

DEFAULT_STEPS = 3000
CHECKS = 48
GRID_POINTS = 801
ARROWS = 15
SEEN = 0.12  # one step of G at its own rate would be invisible: panel (c) enlarges it to move p_g by this share of p_data's spread
LARGEST_STRIDE = 1024.0
OPTIMUM_STEPS = 600  # of D alone, before panel (b)

# The end is p_g = p_data when both hold.
CONVERGED_JSD = 0.002  # nats
CONVERGED_D = 0.03  # |D - 1/2| on all but 1 % of p_data's mass
CONVERGED_SHARE = 0.99

SHOWN_SHARE = 0.995  # of the samples, real and generated: D is drawn where they are, and nobody trained it elsewhere


@dataclass(frozen=True, eq=False)
class Moment:
    """The pair (G, D) at one time, in the data's unit.

    t: steps taken. x: (K,) a grid; p_data, p_g, D, d_star: (K,) on it; D and d_star are NaN where hardly any samples are. d_star is None
    where the game has another optimum.
    z, Gz: (A,) even steps of the prior and where G takes them. pull: (A,) -d loss_G / d x at each G(z): the direction of D's gradient.
    jsd: nats. v: V(D, G), nats, NaN where sigmoid(a) is no probability. off: E_p_data |D - 1/2|.
    half: p_data's mass where |D - 1/2| <= CONVERGED_D.
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
    half: float

    @property
    def converged(self) -> bool:
        """Whether p_g = p_data and D = 1/2 can be said of this pair."""
        return self.jsd <= CONVERGED_JSD and self.half >= CONVERGED_SHARE


@dataclass(frozen=True)
class Lesson:
    """The four panels, every check of the run in order, p_data as trained on, and by how much panel (c) enlarges G's step."""

    a: Moment
    b: Moment
    c: Moment
    d: Moment
    course: tuple[Moment, ...]
    p_data: Density
    stride: float

    def panels(self) -> dict[str, Moment]:
        """The four panels by their titles. The last one says what is true of it."""
        end = "(d) p_g = p_data, D = 1/2" if self.d.converged else "(d) the end: not converged"
        return {"(a) D is partly right": self.a, "(b) D is trained to D*": self.b, "(c) G takes a step": self.c, end: self.d}

    def captions(self) -> tuple[str, str, str, str]:
        """A sentence below each panel."""
        step = "a step" if self.stride == 1 else f"a step (times {self.stride:g})"
        fell = "falls" if self.c.jsd < self.b.jsd else "does not fall"
        end = "D can only guess" if self.d.converged else f"D near 1/2 on {self.d.half:.0%}"
        return (
            f"JSD {self.a.jsd:.3f} nats: p_g is shifted and too narrow",
            f"G is frozen; V rises from {self.a.v:.3f} to {self.b.v:.3f}" if self.a.v == self.a.v else "G is frozen; D learns alone",
            f"{step} along D's gradient: JSD {fell} to {self.c.jsd:.3f}",
            f"JSD {self.d.jsd:.4f} after {self.d.t:,} steps: {end}",
        )


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
    x = _grid(density_game.p_data)
    p_data, q = density_game.p_data.log_prob(x).exp(), p_g.density(x)
    D = shown(value, density_game.D(x.float()[:, None]).detach().double(), centre)
    known = value.probability or value in (VALUES["least_squares"], VALUES["relativistic"])
    z, Gz = _arrows(p_g)
    low, high = _seen(pair)
    empty = (x < low) | (x > high)
    at_nodes = shown(value, a, centre)
    return Moment(
        t=density_game.t,
        x=x.numpy(),
        p_data=p_data.numpy(),
        p_g=q.numpy(),
        D=D.masked_fill(empty, float("nan")).numpy(),
        d_star=(p_data / (p_data + q)).masked_fill(empty, float("nan")).numpy() if known else None,
        z=z.numpy(),
        Gz=Gz.numpy(),
        pull=_pull(density_game, value, Gz).numpy(),
        jsd=jsd(pair),
        v=v(pair, a) if value.probability else float("nan"),
        off=float(pair.P @ (at_nodes - 0.5).abs()),
        half=float(pair.P[(at_nodes - 0.5).abs() <= CONVERGED_D].sum()),
    )


def _grid(p_data: Density) -> Tensor:
    """Places for the curves: p_data's support, and a sixth of it on either side."""
    low, high = (float(end) for end in p_data.support)
    margin = (high - low) / 6
    return torch.linspace(low - margin, high + margin, GRID_POINTS, dtype=torch.float64)


def _seen(pair: Pair) -> tuple[float, float]:
    """The interval with the middle SHOWN_SHARE of all samples, half of them real and half generated."""
    order = pair.x[:, 0].argsort()
    below = ((pair.P + pair.Q)[order] / 2).cumsum(0)
    tail = (1 - SHOWN_SHARE) / 2
    i, j = (int((below < level).sum()) for level in (tail, 1 - tail))
    x = pair.x[order, 0]
    return float(x[i]), float(x[min(j, len(x) - 1)])


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
    p_data = reachable(p_data)
    start = _start(p_data, config, steps)
    density_game = DensityGame(p_data, config, steps, reals=start.algorithm.source, given=_copied(start))
    course: list[Moment] = []
    for i in range(checks + 1):
        density_game.play(round(steps * (i / checks) ** 2) - density_game.t)
        course.append(moment(density_game))
        progress("Training, steps", density_game.t, steps)
    b, c, stride = _optimum_and_step(start, config, progress)
    return Lesson(replace(moment(start), t=0), b, c, course[-1], tuple(course), p_data, stride)


def _copied(density_game: DensityGame) -> tuple[torch.nn.Module, torch.nn.Module]:
    return copy.deepcopy((density_game.players.G, density_game.players.D))


def _start(p_data: Density, config: Config, steps: int) -> DensityGame:
    """Panel (a): the pair that the training starts from."""
    frozen = replace(config, g=replace(config.g, lr=0.0, lr_end=None))
    density_game = DensityGame(p_data, frozen, steps)
    if config.net.kind == "mlp":
        uniform = config.prior.kind == "uniform"
        spread_kinks(density_game.players, config.seed, reach_z=1.0 if uniform else 2.0, ends=uniform)
    start_generator(density_game)
    train_partly(density_game)
    return density_game


def _optimum_and_step(start: DensityGame, config: Config, progress: Progress) -> tuple[Moment, Moment, float]:
    """Panels (b) and (c): D is trained further while G is frozen; then G takes one step, doubled until it is visible.

    Of the steps that lower the JSD, the first visible one is taken; where none does, the one with the lowest JSD.
    """
    # Under these options D has the optimum of the theory: no penalty, where the game then has one.
    penalty = "none" if VALUES[config.game.value].probability else config.game.penalty
    frozen = replace(config, g=replace(config.g, lr=0.0, lr_end=None), game=replace(config.game, penalty=penalty))
    trained = DensityGame(start.p_data, frozen, OPTIMUM_STEPS, reals=start.algorithm.source, given=_copied(start))
    for t in trained.checks(OPTIMUM_STEPS, 100):
        progress("Training D to its optimum, steps", t, OPTIMUM_STEPS)
    at_optimum = replace(moment(trained), t=0)
    best: tuple[Moment, float] | None = None
    stride = 1.0
    while stride <= LARGEST_STRIDE:
        stepped = trained.fork(1, d_lr=0.0, g_lr=stride * config.g.lr)
        stepped.play(1)
        after = replace(moment(stepped), t=0)
        if best is None or after.jsd < best[0].jsd:
            best = after, stride
        if float(np.abs(after.Gz - at_optimum.Gz).mean()) >= SEEN * float(trained.p_data.std[0]):
            if after.jsd < at_optimum.jsd:
                best = after, stride
            break
        stride *= 2
    assert best is not None
    return at_optimum, best[0], best[1]
