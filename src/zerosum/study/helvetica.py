"""`zerosum lab helvetica`: G maps too many z to the same x (Goodfellow et al. 2014, section 6), from either of two causes.

A D that sees only part of each sample cannot correct the rest; a D that is trained too rarely falls behind G. How rarely is a fair question
in two ways, and both are played: with as many updates of G for every schedule, and with as many updates of D.
"""

from __future__ import annotations

import copy
import math
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from zerosum.chance import generator
from zerosum.data.density import Mixture
from zerosum.data.items import Progress
from zerosum.game.value import VALUES
from zerosum.play.config import Config, GameOptions, NetOptions, PlayerOptions, PriorOptions
from zerosum.study.density_game import DensityGame
from zerosum.study.scenario_result import ScenarioResult, Schedule, blurred_jsd, curve, modes_reached, samples
from zerosum.theory.optimum import LOG4

DEFAULT_STEPS = 1500
KS = (1, 2, 5)
G_STEPS = (1, 5, 25)
D_SHARE = 0.4  # of the steps: D's updates where all schedules have as many. G takes up to 25 times as many, which is slow.
PICTURED = 600  # samples of each picture
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


def ring() -> Mixture:
    """Eight round Gaussians on the unit circle, sigma 0.05: as `ring8`, and wide enough for a training of a few seconds."""
    angle = 2 * math.pi * torch.arange(8, dtype=torch.float64) / 8
    means = torch.stack([angle.cos(), angle.sin()], 1)
    return Mixture(torch.full((8,), 1 / 8, dtype=torch.float64), means, torch.full((8,), 0.05, dtype=torch.float64))


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
    """Play both causes over seeds: V and JSD of a D that sees one coordinate, then both; modes of a ring at nine schedules, twice."""
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
    grids = {}
    for equal in ("G", "D"):
        title = f"as many updates of {equal} for every schedule"
        grids[title] = [schedule(k, g_steps, equal, seeds, total, progress) for k in KS for g_steps in G_STEPS]
        rows += [_row(found, title) for found in grids[title]]
    return ScenarioResult(
        rows,
        {
            "JSD, nats: D sees one coordinate, then both / steps": {"JSD": curve(jsds)},
            "V(D, G), nats / steps": {"V": curve(values), "-log 4": curve([(0.0, -LOG4), (2.0 * total, -LOG4)])},
        },
        "G only follows D's gradient. While D sees one coordinate, V stays at -log 4 as if p_g were p_data, and p_g may be anything in "
        "the other coordinate. Once D sees both, V moves away from -log 4, and then p_g improves. Where D is trained too rarely, the x "
        "that D scores highest is the same for every z, and G maps all z to it before D can respond. With as many updates of G for every "
        "schedule, the one that updates D least loses most modes. With as many updates of D, fewer are lost, and in a longer training they "
        "come back, as far as D keeps up.",
        grids,
    )


def _row(found: Schedule, title: str) -> dict[str, Any]:
    (modes, modes_half), (divergence, jsd_half) = found.modes_mean, found.jsd_mean
    row: dict[str, Any] = {
        "schedule": title,
        "k": found.k,
        "g_steps": found.g_steps,
        "updates of D": found.d_taken,
        "updates of G": found.g_taken,
        "modes of 8": modes,
        "JSD": divergence,
    }
    # With one seed there is no interval.
    if len(found.modes) > 1:
        row |= {"modes, 95 %": f"+- {modes_half:.2g}", "JSD, 95 %": f"+- {jsd_half:.2g}"}
    return row


def schedule(k: int, g_steps: int, equal: str, seeds: int, steps: int, progress: Progress) -> Schedule:
    """Play the ring with this schedule: `steps` updates of G in all (equal "G"), or D_SHARE times as many of D (equal "D")."""
    played = max(1, round(steps / g_steps if equal == "G" else D_SHARE * steps / k))
    modes, divergences, pictured = [], [], None
    for seed in range(seeds):
        config = replace(GAME, seed=seed, game=replace(GAME.game, k=k, g_steps=g_steps))
        density_game = DensityGame(ring(), config, played)
        for t in density_game.checks(played, 50):
            progress(f"ring, equal {equal}, k {k}, {g_steps} of G, seed {seed}, steps", t, played)
        modes.append(modes_reached(density_game)[0])
        divergences.append(blurred_jsd(density_game).jsd)
        pictured = samples(density_game, PICTURED).numpy() if pictured is None else pictured
    assert pictured is not None
    return Schedule(k, g_steps, k * played, g_steps * played, tuple(modes), tuple(divergences), pictured)
