"""The statements that need training to measure: D converges to D* on a fixed G, and Algorithm 1 converges.

Both use the training steps of `zerosum train`, on a p_data and p_g for which every quantity is a quadrature.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

from zerosum.data.density import bimodal
from zerosum.data.items import Progress, silent
from zerosum.play.config import Config, GameOptions, NetOptions, PlayerOptions, PriorOptions
from zerosum.study.density_game import DensityGame
from zerosum.study.lesson_start import start_generator
from zerosum.theory.optimum import LOG4, jsd, v, v_star
from zerosum.theory.statement import Statement, statement

_PROPOSITION = "Goodfellow et al. 2014, Proposition 1"
_ALGORITHM = "Goodfellow et al. 2014, Algorithm 1"
_PROPOSITION_2 = "Goodfellow et al. 2014, Proposition 2"

SEEDS = 3
LOGISTIC_GAMES: tuple[Literal["minimax", "non_saturating"], ...] = ("minimax", "non_saturating")

FIXED = Config(
    game=GameOptions(value="minimax", penalty="none"),
    prior=PriorOptions(kind="normal", dim=1),
    net=NetOptions(kind="mlp", width=32, depth=2, activation="tanh", octaves=2),
    d=PlayerOptions(lr=3e-3, lr_end=1e-4),
    # A learning rate of 0 freezes G.
    g=PlayerOptions(lr=0.0),
    batch=256,
    average=0.0,
)


def trained_discriminator(progress: Progress = silent, steps: int = 1500, seed: int = 0) -> list[Statement]:
    """Statement 3: on a fixed G, V(D, G) <= V(D*, G) at every check, and both the gap and the distance to D* shrink.

    G is fitted to a p_g that overlaps p_data: with random weights it may be nearly a point, whose D* no small D can reach.
    Checks are after 0, 25, 50, 100, 200, ... steps, each twice as far as the one before.
    """
    density_game = DensityGame(bimodal(), replace(FIXED, seed=seed), steps)
    start_generator(density_game)
    pair = density_game.pair()
    best = v_star(pair)
    gaps, distances = [], []
    for until in (0, *(25 * 2**i for i in range(20) if 25 * 2**i < steps), steps):
        density_game.play(until - density_game.t)
        a = density_game.logits(pair)
        gaps.append(best - v(pair, a))
        # Averaged over (p_data + p_g)/2: where both are zero, D* is undefined.
        distances.append(float(((pair.P + pair.Q) / 2 * (a.sigmoid() - pair.d_star).nan_to_num().abs()).sum()))
        progress("D on a fixed G, steps", until, steps)
    rise = max(0.0, *(after - before for before, after in pairwise(gaps)))
    return [
        statement("D on a fixed G: largest V(D, G) - V(D*, G) at any check", _PROPOSITION, 0.0, max(0.0, *(-gap for gap in gaps)), 1e-6),
        statement("D on a fixed G: V at the end reaches V(D*, G)", _PROPOSITION, best, best - gaps[-1], 0.005),
        statement("D on a fixed G: the gap V(D*, G) - V(D, G), end over start", _PROPOSITION, 0.0, gaps[-1] / gaps[0], 0.01),
        statement("D on a fixed G: largest rise of the gap between checks, over its start", _PROPOSITION, 0.0, rise / gaps[0], 0.02),
        statement("D on a fixed G: mean |D - D*|, end over start", _PROPOSITION, 0.0, distances[-1] / distances[0], 0.05),
    ]


# R1 damps the oscillation of two logistic players (theory/dirac.py); at p_g = p_data it is zero, since D is flat there.
# It decays: a D kept flat to the end would not see the last hundredths of a nat. D keeps learning while G slows down: a D that slows down
# with G is left behind, and G then fits the flat places of an old D, which the JSD shows and V does not.
PLAYED = Config(
    game=GameOptions(penalty="r1", gamma=0.1, gamma_end=0.005, k=4),
    prior=PriorOptions(kind="normal", dim=1),
    net=NetOptions(kind="mlp", width=32, depth=3, activation="leaky_relu"),
    d=PlayerOptions(lr=5e-3, lr_end=1e-3),
    g=PlayerOptions(lr=1e-3, lr_end=1e-5),
    batch=512,
    average=60_000.0,
)
DEFAULT_STEPS = 2000


@dataclass(frozen=True)
class Outcome:
    """The end of a training on `bimodal`, by quadrature.

    jsd: of p_data and the averaged G. v: V of the final pair (G without EMA). half: p_data's mass where |D - 1/2| <= 0.05.
    at: (x, D(x), D*(x)) at the modes.
    """

    jsd: float
    v: float
    half: float
    at: tuple[tuple[float, float, float], ...]

    def rows(self, name: str) -> list[Statement]:
        """The three checks of statement 4."""
        return [
            statement(f"{name}: JSD(p_data, p_g of the averaged G)", _PROPOSITION_2, 0.0, self.jsd, 0.01),
            statement(f"{name}: V(D, G) of the final pair", "Goodfellow et al. 2014, Theorem 1", -LOG4, self.v, 0.02),
            statement(f"{name}: p_data's mass where |D - 1/2| <= 0.05", _ALGORITHM, 1.0, self.half, 0.1),
        ]


def play_to_the_end(config: Config, steps: int = DEFAULT_STEPS, progress: Progress = silent, label: str = "") -> Outcome:
    """Train by Algorithm 1 on `bimodal` for so many steps, and measure the result."""
    density_game = DensityGame(bimodal(), config, steps)
    for t in density_game.checks(steps, 100):
        progress(label, t, steps)
    pair = density_game.pair()
    a = density_game.logits(pair)
    D = a.sigmoid()
    nodes = [int((pair.x[:, 0] - mode).abs().argmin()) for mode in (-2.0, 2.0)]
    at = tuple((float(pair.x[i, 0]), float(D[i]), float(pair.d_star[i])) for i in nodes)
    averaged = jsd(density_game.pair(density_game.p_g(density_game.average)))
    return Outcome(averaged, v(pair, a), float(pair.P[(D - 0.5).abs() <= 0.05].sum()), at)


def algorithm_1(progress: Progress = silent, steps: int = DEFAULT_STEPS, seeds: int = SEEDS) -> list[Statement]:
    """Statement 4: Algorithm 1 brings p_g to p_data and D to 1/2 in both logistic games, for every seed; with a frozen G it does not."""
    rows = []
    for game in LOGISTIC_GAMES:
        for seed in range(seeds):
            name = f"Algorithm 1, {game}, seed {seed}"
            config = replace(PLAYED, game=replace(PLAYED.game, value=game), seed=seed)
            end = play_to_the_end(config, steps, progress, f"{name}, steps")
            rows += end.rows(name)
            rows += [statement(f"{name}: D(x) at x = {x:.2f}, compared with D*(x)", _PROPOSITION, star, D, 0.1) for x, D, star in end.at]
    frozen = replace(PLAYED, game=replace(PLAYED.game, value="minimax"), g=PlayerOptions(lr=0.0))
    control = play_to_the_end(frozen, steps // 4, progress, "Algorithm 1, frozen G, steps").rows("control")
    failed = sum(not r.holds for r in control)
    return [
        *rows,
        statement("control: with a frozen G, checks of Algorithm 1 that fail", _ALGORITHM, len(control), failed, 0),
    ]
