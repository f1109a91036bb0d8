"""`zerosum lab helvetica`: G maps too many z to the same x (Goodfellow et al. 2014, section 6), from either of two causes.

A D that sees only part of each sample cannot correct the rest; a D that is trained too rarely falls behind G.
"""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from zerosum.chance import generator
from zerosum.data.density import Mixture, ring8
from zerosum.data.items import Progress
from zerosum.game.value import VALUES
from zerosum.play.config import Config, GameOptions, NetOptions, PlayerOptions, PriorOptions
from zerosum.study.density_game import DensityGame
from zerosum.study.scenario_result import ScenarioResult, blurred_jsd, curve, modes_reached, samples

DEFAULT_STEPS = 1500
SCHEDULES = ((1, 1), (1, 5), (1, 25), (2, 1), (2, 5), (2, 25), (5, 1), (5, 5), (5, 25))  # (k, g_steps)
GAME = Config(
    game=GameOptions(value="non_saturating", penalty="r1", gamma=0.1),
    prior=PriorOptions(kind="normal", dim=2),
    net=NetOptions(kind="mlp", width=64, depth=3),
    d=PlayerOptions(lr=2e-3, lr_end=2e-4),
    g=PlayerOptions(lr=1e-3, lr_end=1e-4),
    batch=256,
    average=0.0,
)


class Masked(nn.Module):
    """D behind a mask: x (N, d) -> D(mask * x). mask: (d,) of ones and zeros."""

    mask: Tensor

    def __init__(self, D: nn.Module, mask: Tensor) -> None:
        super().__init__()
        self.D = D
        self.register_buffer("mask", mask)

    def forward(self, x: Tensor) -> Tensor:
        a: Tensor = self.D(x * self.mask)
        return a


def three_gaussians() -> Mixture:
    """Three round Gaussians in the plane; either coordinate alone says little about them."""
    means = torch.tensor([[-1.5, -1.0], [0.0, 1.5], [1.5, -1.0]], dtype=torch.float64)
    return Mixture(torch.full((3,), 1 / 3, dtype=torch.float64), means, torch.full((3,), 0.35, dtype=torch.float64))


def blind(seed: int, steps: int) -> DensityGame:
    """A game on `three_gaussians` whose D sees the first coordinate alone."""
    config = replace(GAME, seed=seed)
    plain = DensityGame(three_gaussians(), config, steps)
    given = copy.deepcopy(plain.players.G), Masked(copy.deepcopy(plain.players.D), torch.tensor([1.0, 0.0]))
    return DensityGame(three_gaussians(), config, steps, given=given)


@torch.no_grad()
def v_on_samples(density_game: DensityGame, n: int = 10_000) -> float:
    """V(D, G) in nats, a mean over n new samples of each side."""
    reals = density_game.p_data.sample(n, generator(density_game.config.seed, "study/helvetica reals"))
    return -float(VALUES["minimax"].d(density_game.D(reals), density_game.D(samples(density_game, n))).mean())


def helvetica(seeds: int, steps: int | None, progress: Progress) -> ScenarioResult:
    """Play both causes over seeds: V and JSD of a D that sees one coordinate, then both; modes of ring8 at nine schedules."""
    total = steps or DEFAULT_STEPS
    rows: list[dict[str, Any]] = []
    jsds: list[tuple[float, float]] = []
    values: list[tuple[float, float]] = []
    for seed in range(seeds):
        density_game = blind(seed, total)
        for stage in ("sees one coordinate", "sees both"):
            if stage == "sees both":
                density_game = density_game.fork(total, d_lr=GAME.d.lr, g_lr=GAME.g.lr)
                density_game.players.D.mask.fill_(1.0)  # type: ignore[operator]
            for t in density_game.checks(total, max(1, total // 12)):
                progress(f"D {stage}, steps", t - density_game.first, total)
                if seed == 0:
                    jsds.append((t, blurred_jsd(density_game).jsd))
                    values.append((t, v_on_samples(density_game)))
            found = blurred_jsd(density_game)
            rows.append({"seed": seed, "D": stage, "V": v_on_samples(density_game), "JSD": found.jsd, "as good as real": found.floor})
    kept: list[tuple[float, float]] = []
    for k, g_steps in SCHEDULES:
        for seed in range(seeds):
            modes, share, divergence = neglected(seed, k, g_steps, total, progress)
            rows.append(
                {
                    "seed": seed,
                    "D": f"{k} step{'s' if k > 1 else ''} of D for each {g_steps} of G",
                    "modes of 8": modes,
                    "high quality": share,
                    "JSD": divergence,
                }
            )
            if seed == 0:
                kept.append((g_steps / k, float(modes)))
    return ScenarioResult(
        rows,
        {
            "JSD, nats: D sees one coordinate, then both / steps": {"JSD": curve(jsds)},
            "V(D, G), nats / steps": {"V": curve(values)},
            "modes of ring8 reached / steps of G per step of D": {"modes": curve(sorted(kept))},
        },
        "G only follows D's gradient. While D sees one coordinate, V stays at -log 4 as if p_g were p_data, and p_g may be anything in "
        "the other coordinate. Once D sees both, V moves away from -log 4, and then p_g improves. Where D is trained too rarely, the x "
        "that D scores highest is the same for every z, and G maps all z to it before D can respond.",
    )


def neglected(seed: int, k: int, g_steps: int, steps: int, progress: Progress) -> tuple[int, float, float]:
    """ring8 with this schedule, equally many steps of G for each: modes reached, share of high quality, JSD."""
    config = replace(GAME, seed=seed, game=replace(GAME.game, k=k, g_steps=g_steps))
    played = max(1, steps // max(1, g_steps // 5))
    density_game = DensityGame(ring8(), config, played)
    for t in density_game.checks(played, 50):
        progress(f"ring8, k = {k}, {g_steps} steps of G, steps", t, played)
    modes, share, _ = modes_reached(density_game)
    return modes, share, blurred_jsd(density_game).jsd
