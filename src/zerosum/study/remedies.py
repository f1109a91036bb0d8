"""`zerosum lab remedies`: what each later technique is good for, measured on the problem that it was made for.

Every pair of games has the same players, data and seed, and differs in the technique alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from zerosum.chance import generator
from zerosum.data.density import ring8
from zerosum.data.items import Progress
from zerosum.data.source import Data, open_data
from zerosum.game.prior import PRIORS
from zerosum.measure.modes import census
from zerosum.monitor.diagnostics import modes_of
from zerosum.study.data_game import DataGame
from zerosum.study.density_game import DensityGame
from zerosum.study.drawbacks import oscillation
from zerosum.study.helvetica import GAME, ring
from zerosum.study.lesson_config import PLANE_LESSON
from zerosum.study.officer import OFFICER, small_digits
from zerosum.study.scenario_result import ScenarioResult, mean_and_half, modes_reached
from zerosum.study.vanishing import START, far_off

DEFAULT_STEPS = 600
FAR_STEPS = 1000  # of D against a G that is far off and does not learn
CHECK = 5  # steps between two looks at the way that G has come
FEW = 100  # images
# Without BatchNorm in G and without dropout in D: what is left against overfitting is the augmentation.
FEW_IMAGES = replace(OFFICER, net=replace(OFFICER.net, norm="none"), average=0.0)

Play = Callable[[int, int], float]


@dataclass(frozen=True)
class Remedy:
    """A technique and the problem that it is for. measure: what is measured, and which value is best.

    play: (seed, steps) -> the measure without the technique, and with it.
    """

    technique: str
    problem: str
    measure: str
    play: Callable[[int, int], tuple[float, float]]


@torch.no_grad()
def samples_of(game: DataGame, y: Tensor) -> Tensor:
    """A sample of G for each class of y (N,), in the data's unit; a G without classes takes no notice of them."""
    z, G = game.noise(len(y), "study/remedies samples"), game.players.G
    x: Tensor = game.space.decode(G(z, y) if "g" in game.players.labelled else G(z))
    return x


def way_from_far(value: str, penalty: str = "none", gamma: float = 0.0) -> Play:
    """Updates until G, far from the data and against a D that was trained for FAR_STEPS, has come half of the way; at most `steps`."""

    def play(seed: int, steps: int) -> float:
        frozen = far_off(seed).fork(FAR_STEPS, d_lr=START.d.lr, g_lr=0.0, value=value, penalty=penalty, gamma=gamma)
        frozen.play(FAR_STEPS)
        moving = frozen.fork(steps, d_lr=START.d.lr, g_lr=START.g.lr)
        whole = _apart(moving)
        for _ in moving.checks(steps, CHECK):
            if _apart(moving) <= whole / 2:
                break
        return float(moving.t - moving.first)

    return play


@torch.no_grad()
def _apart(game: DensityGame) -> float:
    """The distance of the means of p_data and p_g."""
    z = PRIORS[game.config.prior.kind]((2000, game.config.prior.dim), game.config.seed, "study/remedies far", 0)
    return abs(float(game.G(z).mean() - game.p_data.mean[0]))


def dirac(seed: int, steps: int) -> tuple[float, float]:
    """The Dirac-GAN's distance from its equilibrium after 500 steps, which no seed changes."""
    without, with_r1 = (row["value"] for row in oscillation()[0])
    return without, with_r1


def modes_of_ring8(value: str = "non_saturating", penalty: str = "none") -> Play:
    """Modes of ring8 that G reaches, of 8."""

    def play(seed: int, steps: int) -> float:
        config = replace(PLANE_LESSON, seed=seed, game=replace(PLANE_LESSON.game, value=value, penalty=penalty))
        game = DensityGame(ring8(), config, steps)
        game.play(steps)
        return float(modes_reached(game)[0])

    return play


def labelled_ring(seed: int, n: int = 20_000) -> Data:
    """n points of the ring with the number of the mode of each as its label."""
    x = ring().sample(n, generator(seed, "study/labelled ring"))
    modes = ring().modes
    assert modes is not None
    return open_data((x.numpy(), torch.cdist(x.double(), modes).argmin(1).numpy()))


def classes(seed: int, steps: int) -> tuple[float, float]:
    """The share of samples that lie on a mode, and on the one that was asked for where G takes classes: without and with classes."""
    data, modes = labelled_ring(seed), modes_of(ring())
    assert modes is not None
    y = torch.arange(2000) % len(modes.centres)
    found = []
    for option in ("none", "auto"):
        game = DataGame(data, replace(GAME, seed=seed, net=replace(GAME.net, classes=option)), steps)
        game.play(steps)
        x = samples_of(game, y)
        if option == "none":
            found.append(float(census(x, modes).counts.sum()) / len(x))
        else:
            near = (x.double() - modes.centres[y]).norm(dim=1) <= 3 * modes.std[y]
            found.append(float(near.double().mean()))
    return found[0], found[1]


def few_images(seed: int, steps: int) -> tuple[float, float]:
    """How much more D gives FEW digits that it was trained on than new ones: without and with DiffAugment."""
    small = (255 * small_digits()).round().byte().numpy()
    chosen = torch.randperm(len(small), generator=generator(seed, "study/few images")).numpy()
    known, fresh = small[chosen[:FEW]], small[chosen[FEW : FEW + 2000]]
    gaps = []
    for augment in ("none", "diffaugment"):
        config = replace(FEW_IMAGES, seed=seed, game=replace(FEW_IMAGES.game, augment=augment))
        game = DataGame(open_data(known), config, steps)
        game.play(steps)
        with torch.no_grad():
            seen, new = (game.players.D(game.space.encode(game.space.from_array(x))).sigmoid().mean() for x in (known, fresh))
        gaps.append(float(seen - new))
    return gaps[0], gaps[1]


def _both(without: Play, with_it: Play) -> Callable[[int, int], tuple[float, float]]:
    return lambda seed, steps: (without(seed, steps), with_it(seed, steps))


_FAR = "updates until a far G has come half of the way (few is best)"
_MODES = "modes of ring8, of 8"
REMEDIES = (
    Remedy("non-saturating loss", "vanishing gradients", _FAR, _both(way_from_far("minimax"), way_from_far("non_saturating"))),
    Remedy("WGAN-GP", "no slope without overlap", _FAR, _both(way_from_far("minimax"), way_from_far("wasserstein", "gp", 10.0))),
    Remedy("R1", "oscillation", "Dirac-GAN: distance after 500 steps (0 is best)", dirac),
    Remedy("R1 and R2", "mode collapse", _MODES, _both(modes_of_ring8(), modes_of_ring8(penalty="r1r2"))),
    Remedy("relativistic game", "mode collapse", _MODES, _both(modes_of_ring8(), modes_of_ring8("relativistic"))),
    Remedy("labels, projection", "samples between classes", "share on the mode of its class (1 is best)", classes),
    Remedy("DiffAugment", "overfitting of D", f"D(training) - D(new), {FEW} images (0 is best)", few_images),
)


def remedies(seeds: int, steps: int | None, progress: Progress) -> ScenarioResult:
    """Play every pair of games with each seed; a row for each technique, with means over the seeds."""
    total = steps or DEFAULT_STEPS
    return ScenarioResult(
        list(_rows(seeds, total, progress)),
        {},
        "Each technique was made for one problem. It is measured on that problem, with the same players, data and seeds without it and "
        "with it. On another problem it may do nothing.",
    )


def _rows(seeds: int, steps: int, progress: Progress) -> Iterator[dict[str, Any]]:
    for i, remedy in enumerate(REMEDIES):
        progress(f"{remedy.technique}, techniques", i, len(REMEDIES))
        found = [remedy.play(seed, steps) for seed in range(seeds)]
        row: dict[str, Any] = {"technique": remedy.technique, "problem": remedy.problem, "measure": remedy.measure}
        for name, values in zip(("without", "with"), zip(*found, strict=True), strict=True):
            mean, half = mean_and_half(values)
            row |= {name: mean} | ({f"{name}, 95 %": f"+- {half:.2g}"} if seeds > 1 else {})
        yield row
