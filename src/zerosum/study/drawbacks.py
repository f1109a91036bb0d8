"""`zerosum lab drawbacks`: four known problems of GANs, each with a change that fixes it.

Oscillation, mode collapse, vanishing gradients, and overfitting of D.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch

from zerosum.chance import generator
from zerosum.data.density import bimodal, ring8
from zerosum.data.items import Progress
from zerosum.data.parts import Rows
from zerosum.game.penalty import PENALTIES
from zerosum.game.value import VALUES
from zerosum.play.config import Config, PlayerOptions
from zerosum.study.density_game import DensityGame
from zerosum.study.lesson_config import PLANE_LESSON
from zerosum.study.scenario_result import Array, ScenarioResult, curve, modes_reached
from zerosum.study.vanishing import START, far_off
from zerosum.theory.dirac import Dirac
from zerosum.theory.optimum import jsd

DEFAULT_STEPS = 1200
FEW = 50
Lines = dict[str, tuple[Array, Array]]


def oscillation() -> tuple[list[dict[str, Any]], Lines]:
    """The Dirac-GAN's distance from its equilibrium over 500 alternating steps, without a penalty and with R1."""
    lines, rows = {}, []
    for name, game in {
        "no penalty": Dirac(VALUES["minimax"]),
        "R1, gamma 0.3": Dirac(VALUES["minimax"], PENALTIES["r1"], 0.3),
    }.items():
        distance = game.trajectory("alternating").norm(dim=1)
        lines[name] = curve(list(enumerate(distance.tolist())))
        rows.append(
            {
                "trouble": "oscillation (Dirac)",
                "game": name,
                "measure": "distance from equilibrium at the end (0 is best)",
                "value": float(distance[-1]),
            }
        )
    return rows, lines


def collapse(seed: int, steps: int, progress: Progress) -> tuple[list[dict[str, Any]], Lines]:
    """Modes of ring8 that the same players reach: non-saturating without a penalty, and relativistic with R1 and R2."""
    cases = {
        "non-saturating, no penalty": replace(PLANE_LESSON.game, value="non_saturating", penalty="none"),
        "relativistic, R1 and R2": PLANE_LESSON.game,
    }
    lines, rows = {}, []
    for name, game in cases.items():
        density_game = DensityGame(ring8(), replace(PLANE_LESSON, game=game, seed=seed), steps)
        course = []
        for t in density_game.checks(steps, max(1, steps // 12)):
            progress(f"Mode collapse, {name}, steps", t, steps)
            course.append((float(t), float(modes_reached(density_game)[0])))
        lines[name] = curve(course)
        modes, share, _ = modes_reached(density_game)
        rows += [
            {"trouble": "mode collapse (ring8)", "seed": seed, "game": name, "measure": "modes reached (8 is best)", "value": modes},
            {
                "trouble": "mode collapse (ring8)",
                "seed": seed,
                "game": name,
                "measure": "share of high quality (1 is best)",
                "value": share,
            },
        ]
    return rows, lines


def vanishing_gradients(seed: int, steps: int, progress: Progress) -> tuple[list[dict[str, Any]], Lines]:
    """JSD after D was trained for 1,000 steps against a G far from the data: both logistic games from there."""
    start = far_off(seed)
    start.play(1000)
    lines, rows = {}, []
    for name in ("minimax", "non_saturating"):
        density_game = start.fork(steps, d_lr=START.d.lr, g_lr=START.g.lr, value=name)
        course = []
        for t in density_game.checks(steps, max(1, steps // 20)):
            progress(f"Vanishing gradients, {name}, steps", t - density_game.first, steps)
            course.append((float(t - density_game.first), jsd(density_game.pair())))
        lines[name] = curve(course)
        # Vanishing gradients delay G: at the end both games are as far as a game without a penalty gets.
        half = next((t for t, d in course if d <= course[0][1] / 2), None)
        rows.append(
            {
                "trouble": "vanishing gradients",
                "seed": seed,
                "game": name,
                "measure": "steps to half of the JSD (fewer is better)",
                "value": half,
            }
        )
    return rows, lines


def overfitting(seed: int, steps: int, progress: Progress) -> tuple[list[dict[str, Any]], Lines]:
    """D on 50 stored points of `bimodal`: how much higher it scores them than new points, without and with R1."""
    few = bimodal().sample(FEW, generator(seed, "study/fifty points"))
    fresh = bimodal().sample(4000, generator(seed, "study/fresh points"))
    free: Config = replace(START, seed=seed, net=replace(START.net, width=128, depth=3), g=PlayerOptions(lr=2e-4))
    cases = {"no penalty": free, "R1, gamma 3": replace(free, game=replace(free.game, penalty="r1", gamma=3.0))}
    lines, rows = {}, []
    for name, config in cases.items():
        density_game = DensityGame(bimodal(), config, steps, reals=Rows(few.numpy()))
        course = []
        for t in density_game.checks(steps, max(1, steps // 20)):
            progress(f"Overfitting on {FEW} points, {name}, steps", t, steps)
            with torch.no_grad():
                course.append((float(t), float(density_game.D(few).sigmoid().mean() - density_game.D(fresh).sigmoid().mean())))
        lines[name] = curve(course)
        late = sum(y for _, y in course[len(course) // 2 :]) / len(course[len(course) // 2 :])
        rows.append(
            {
                "trouble": f"overfitting of D ({FEW} points)",
                "seed": seed,
                "game": name,
                "measure": "mean D(training) - D(new), second half (0 is best)",
                "value": late,
            }
        )
    return rows, lines


def drawbacks(seeds: int, steps: int | None, progress: Progress) -> ScenarioResult:
    """Play all four problems, each with the change that fixes it; curves of seed 0."""
    total = steps or DEFAULT_STEPS
    rows, dirac = oscillation()
    panels: dict[str, Lines] = {"Oscillation: distance from equilibrium / steps": dirac}
    for seed in range(seeds):
        for title, problem in (
            ("Mode collapse: modes of ring8 reached / steps", collapse),
            ("Vanishing gradients: JSD, nats / steps", vanishing_gradients),
            (f"Overfitting: D(training) - D(new), {FEW} points / steps", overfitting),
        ):
            found, lines = problem(seed, total, progress)
            rows += found
            panels.setdefault(title, lines)
    return ScenarioResult(
        rows,
        panels,
        "Oscillation: two players who each follow their own gradient circle around the equilibrium; a penalty on D's gradient damps "
        "that. Mode collapse: G gathers all samples where D is wrong at the moment; a smooth D that compares each generated sample with "
        "a real one keeps them apart. Vanishing gradients: the saturating loss is flat where D is certain; the non-saturating one is "
        "not. Overfitting: an unrestricted D memorises a few training points and pulls G to them; a penalty limits its certainty.",
    )
