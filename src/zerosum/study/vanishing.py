"""`zerosum lab vanishing`: how G's gradient shrinks in either logistic game as D is trained to its optimum before G may move."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch

from zerosum.data.density import bimodal
from zerosum.data.items import Progress
from zerosum.game.losses import generator_loss
from zerosum.game.prior import PRIORS
from zerosum.game.value import VALUES
from zerosum.play.config import Config, GameOptions, NetOptions, PlayerOptions, PriorOptions
from zerosum.study.density_game import DensityGame
from zerosum.study.scenario_result import ScenarioResult, curve
from zerosum.theory.optimum import jsd, v, v_star

FAR = -6.0  # G starts this many of p_data's standard deviations off
D_STEPS = (0, 10, 30, 100, 300, 1000)  # D's steps before G moves
DEFAULT_STEPS = 1000
LOGISTIC_GAMES = ("minimax", "non_saturating")
START = Config(
    game=GameOptions(value="minimax", penalty="none"),
    prior=PriorOptions(kind="normal", dim=1),
    net=NetOptions(kind="mlp", width=32, depth=2),
    d=PlayerOptions(lr=2e-3),
    g=PlayerOptions(lr=1e-3),
    batch=256,
    average=0.0,
)


def far_off(seed: int) -> DensityGame:
    """A game in which G starts far from p_data and is frozen."""
    density_game = DensityGame(bimodal(), replace(START, seed=seed, g=PlayerOptions(lr=0.0)), max(D_STEPS))
    with torch.no_grad():
        # The last bias of G, in units of p_data's standard deviation.
        next(p for p in reversed(list(density_game.players.G.parameters())) if p.numel() == 1).fill_(FAR)
    return density_game


def pull(density_game: DensityGame, game: str) -> float:
    """Norm of the gradient of G's loss with respect to its weights, on 4,096 z."""
    z = PRIORS[density_game.config.prior.kind]((4096, 1), density_game.config.seed, "study/vanishing", 0)
    fake = density_game.players.G(z)
    loss = generator_loss(density_game.players.D, fake, VALUES[game]).loss
    return float(torch.cat([g.flatten() for g in torch.autograd.grad(loss, list(density_game.players.G.parameters()))]).norm())


def vanishing(seeds: int, steps: int | None, progress: Progress) -> ScenarioResult:
    """For each seed: both gradients as D improves on a frozen far-off G; then each game continues from that D, and its JSD is recorded."""
    rows: list[dict[str, Any]] = []
    after: dict[str, list[tuple[float, float]]] = {game: [] for game in LOGISTIC_GAMES}
    course: dict[str, list[tuple[float, float]]] = {game: [] for game in LOGISTIC_GAMES}
    total = steps or DEFAULT_STEPS
    for seed in range(seeds):
        density_game = far_off(seed)
        for step in D_STEPS:
            density_game.play(step - density_game.t)
            pair = density_game.pair()
            norms = {game: pull(density_game, game) for game in LOGISTIC_GAMES}
            value, best = v(pair, density_game.logits(pair)), v_star(pair)
            rows.append({"seed": seed, "D's steps": step, "V": value, "V of D*": best, **{f"|gradient|, {g}": n for g, n in norms.items()}})
            if seed == 0:
                for game in LOGISTIC_GAMES:
                    after[game].append((step, norms[game]))
            progress("Training D alone, steps", step, max(D_STEPS))
        for game in LOGISTIC_GAMES:
            played = density_game.fork(total, d_lr=START.d.lr, g_lr=START.g.lr, value=game)
            for t in played.checks(total, max(1, total // 20)):
                if seed == 0:
                    course[game].append((t - played.first, jsd(played.pair())))
                progress(f"{game} from there, steps", t - played.first, total)
            rows.append({"seed": seed, "then": f"{total} steps, {game}", "JSD": jsd(played.pair())})
    return ScenarioResult(
        rows,
        {
            "|gradient| of G's loss / steps of D before G moves": {game: curve(after[game]) for game in LOGISTIC_GAMES},
            "JSD afterwards, nats / steps": {game: curve(course[game]) for game in LOGISTIC_GAMES},
        },
        "The saturating loss log(1 - D(G(z))) has slope D(G(z)) in the logit, which goes to 0 as D becomes certain about generated "
        "samples: G gets no gradient when it has most to learn. The non-saturating loss -log D(G(z)) has slope 1 - D(G(z)), which goes "
        "to 1: the same fixed point, but a strong gradient at the start (Goodfellow et al. 2014, section 3).",
    )
