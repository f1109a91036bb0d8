"""`zerosum lab helvetica`: G maps too much of z to too few x (Goodfellow et al. 2014, section 6), from either of two causes.

A blind D cannot see in what p_g is wrong; a neglected D falls behind a G that is trained too much.
"""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from zerosum.chance import generator
from zerosum.data.density import Mixture, ring8
from zerosum.game.value import VALUES
from zerosum.play.config import Config, GameOptions, NetOptions, PlayerOptions, PriorOptions
from zerosum.study.density_game import DensityGame
from zerosum.study.progress import Progress
from zerosum.study.scenario_result import ScenarioResult, blurred_jsd, curve, modes_reached, samples

ROUNDS = 1500
PACES = ((1, 1), (1, 5), (1, 25), (2, 1), (2, 5), (2, 25), (5, 1), (5, 5), (5, 25))  # (k, g_steps)
GAME = Config(
    game=GameOptions(value="non_saturating", penalty="r1", gamma=0.1),
    prior=PriorOptions(kind="normal", dim=2),
    net=NetOptions(kind="mlp", width=64, depth=3),
    d=PlayerOptions(lr=2e-3, lr_end=2e-4),
    g=PlayerOptions(lr=1e-3, lr_end=1e-4),
    batch=256,
    average=0.0,
)


class Sighted(nn.Module):
    """D behind a mask: x (N, d) -> D(mask * x). mask: (d,) of ones and zeros."""

    mask: Tensor

    def __init__(self, D: nn.Module, mask: Tensor) -> None:
        super().__init__()
        self.D = D
        self.register_buffer("mask", mask)

    def forward(self, x: Tensor) -> Tensor:
        a: Tensor = self.D(x * self.mask)
        return a


def three_towns() -> Mixture:
    """Three round Gaussians in the plane, of which one coordinate alone tells little."""
    means = torch.tensor([[-1.5, -1.0], [0.0, 1.5], [1.5, -1.0]], dtype=torch.float64)
    return Mixture(torch.full((3,), 1 / 3, dtype=torch.float64), means, torch.full((3,), 0.35, dtype=torch.float64))


def blind(seed: int, rounds: int) -> DensityGame:
    """A game on `three_towns` whose D sees the first coordinate alone."""
    config = replace(GAME, seed=seed)
    plain = DensityGame(three_towns(), config, rounds)
    given = copy.deepcopy(plain.players.G), Sighted(copy.deepcopy(plain.players.D), torch.tensor([1.0, 0.0]))
    return DensityGame(three_towns(), config, rounds, given=given)


@torch.no_grad()
def v_on_samples(density_game: DensityGame, n: int = 10_000) -> float:
    """V(D, G) of the live pair, a mean over n fresh samples of each side, nats."""
    reals = density_game.p_data.sample(n, generator(density_game.config.seed, "study/helvetica reals"))
    return -float(VALUES["minimax"].d(density_game.D(reals), density_game.D(samples(density_game, n))).mean())


def helvetica(seeds: int, rounds: int | None, progress: Progress) -> ScenarioResult:
    """Both causes, over seeds: V and JSD of a blind D and of the same D given its sight back; modes of ring8 modes_reached at nine paces."""
    total = rounds or ROUNDS
    rows: list[dict[str, Any]] = []
    jsds: list[tuple[float, float]] = []
    values: list[tuple[float, float]] = []
    for seed in range(seeds):
        density_game = blind(seed, total)
        for stage in ("sees one coordinate", "sees both again"):
            if stage == "sees both again":
                density_game = density_game.fork(total, d_lr=GAME.d.lr, g_lr=GAME.g.lr)
                density_game.players.D.mask.fill_(1.0)  # type: ignore[operator]
            for t in density_game.checks(total, max(1, total // 12)):
                progress(f"D {stage}, rounds", t - density_game.first, total)
                if seed == 0:
                    jsds.append((t, blurred_jsd(density_game).jsd))
                    values.append((t, v_on_samples(density_game)))
            found = blurred_jsd(density_game)
            rows.append({"seed": seed, "D": stage, "V": v_on_samples(density_game), "JSD": found.jsd, "as good as real": found.floor})
    kept: list[tuple[float, float]] = []
    for k, g_steps in PACES:
        for seed in range(seeds):
            modes, share, divergence = neglected(seed, k, g_steps, total, progress)
            rows.append({"seed": seed, "D": f"k {k}, {g_steps} steps of G", "modes of 8": modes, "high quality": share, "JSD": divergence})
            if seed == 0:
                kept.append((g_steps / k, float(modes)))
    return ScenarioResult(
        rows,
        {
            "JSD, nats: D blind, then sighted / rounds": {"JSD": curve(jsds)},
            "V(D, G), nats / rounds": {"V": curve(values)},
            "modes of ring8 modes_reached / steps of G for each of D": {"modes": curve(sorted(kept))},
        },
        "Why: G only ever climbs D's opinion. Where D cannot see (its second coordinate), V sits at -log 4 as if the game were won, "
        "while p_g may be anything there; give D its sight and V leaves -log 4 before p_g follows. Where D is not kept up to date, "
        "the x that D likes best today is the same for every z, and G takes all of z there before D answers.",
    )


def neglected(seed: int, k: int, g_steps: int, rounds: int, progress: Progress) -> tuple[int, float, float]:
    """ring8 at this pace, for as many steps of G at every pace: modes modes_reached, share of high quality, JSD."""
    config = replace(GAME, seed=seed, game=replace(GAME.game, k=k, g_steps=g_steps))
    played = max(1, rounds // max(1, g_steps // 5))
    density_game = DensityGame(ring8(), config, played)
    for t in density_game.checks(played, 50):
        progress(f"ring8, k {k}, {g_steps} steps of G, rounds", t, played)
    modes, share, _ = modes_reached(density_game)
    return modes, share, blurred_jsd(density_game).jsd
