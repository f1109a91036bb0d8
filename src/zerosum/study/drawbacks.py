"""`zerosum lab drawbacks`: four ways in which the game disappoints, and a cure of each.

Oscillation, collapse, a G that starves, and a D that learns by heart.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch

from zerosum.chance import generator
from zerosum.data.density import bimodal, ring8
from zerosum.data.parts import Rows
from zerosum.game.penalty import PENALTIES
from zerosum.game.value import VALUES
from zerosum.play.config import Config, PlayerOptions
from zerosum.study.density_game import DensityGame
from zerosum.study.lesson_config import PLANE_LESSON
from zerosum.study.progress import Progress
from zerosum.study.story import Array, Story, curve, held
from zerosum.study.vanishing import START, far_off
from zerosum.theory.dirac import Dirac
from zerosum.theory.optimum import jsd

ROUNDS = 1200
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
        rows.append({"trouble": "oscillation (Dirac)", "game": name, "measure": "distance at the end", "value": float(distance[-1])})
    return rows, lines


def collapse(seed: int, rounds: int, progress: Progress) -> tuple[list[dict[str, Any]], Lines]:
    """Modes of ring8 held by the same players: in the non-saturating game without a penalty, and in the relativistic one with R1 and R2."""
    cases = {
        "non-saturating, no penalty": replace(PLANE_LESSON.game, value="non_saturating", penalty="none"),
        "relativistic, R1 and R2": PLANE_LESSON.game,
    }
    lines, rows = {}, []
    for name, game in cases.items():
        match = DensityGame(ring8(), replace(PLANE_LESSON, game=game, seed=seed), rounds)
        course = []
        for t in match.checks(rounds, max(1, rounds // 12)):
            progress(f"Collapse, {name}, rounds", t, rounds)
            course.append((float(t), float(held(match)[0])))
        lines[name] = curve(course)
        modes, share, _ = held(match)
        rows += [
            {"trouble": "collapse (ring8)", "seed": seed, "game": name, "measure": "modes of 8", "value": modes},
            {"trouble": "collapse (ring8)", "seed": seed, "game": name, "measure": "high quality", "value": share},
        ]
    return rows, lines


def starvation(seed: int, rounds: int, progress: Progress) -> tuple[list[dict[str, Any]], Lines]:
    """JSD after D was trained for 1,000 steps against a G that stood far off: both logistic games from there."""
    start = far_off(seed)
    start.play(1000)
    lines, rows = {}, []
    for name in ("minimax", "non_saturating"):
        match = start.fork(rounds, d_lr=START.d.lr, g_lr=START.g.lr, value=name)
        course = []
        for t in match.checks(rounds, max(1, rounds // 20)):
            progress(f"Starvation, {name}, rounds", t - match.first, rounds)
            course.append((float(t - match.first), jsd(match.pair())))
        lines[name] = curve(course)
        # What starves is late, not lost: at the end both games stand where a game without a penalty stands.
        half = next((t for t, d in course if d <= course[0][1] / 2), None)
        rows.append({"trouble": "vanishing gradient", "seed": seed, "game": name, "measure": "rounds to half of the JSD", "value": half})
    return rows, lines


def learning_by_heart(seed: int, rounds: int, progress: Progress) -> tuple[list[dict[str, Any]], Lines]:
    """D on 50 stored points of `bimodal`: how much surer it is of those than of fresh ones, without and with R1."""
    few = bimodal().sample(FEW, generator(seed, "study/fifty points"))
    fresh = bimodal().sample(4000, generator(seed, "study/fresh points"))
    free: Config = replace(START, seed=seed, net=replace(START.net, width=128, depth=3), g=PlayerOptions(lr=2e-4))
    cases = {"no penalty": free, "R1, gamma 3": replace(free, game=replace(free.game, penalty="r1", gamma=3.0))}
    lines, rows = {}, []
    for name, config in cases.items():
        match = DensityGame(bimodal(), config, rounds, reals=Rows(few.numpy()))
        course = []
        for t in match.checks(rounds, max(1, rounds // 20)):
            progress(f"D on {FEW} points, {name}, rounds", t, rounds)
            with torch.no_grad():
                course.append((float(t), float(match.D(few).sigmoid().mean() - match.D(fresh).sigmoid().mean())))
        lines[name] = curve(course)
        late = sum(y for _, y in course[len(course) // 2 :]) / len(course[len(course) // 2 :])
        rows.append(
            {"trouble": f"D on {FEW} points", "seed": seed, "game": name, "measure": "mean D(seen) - D(fresh), late", "value": late}
        )
    return rows, lines


def drawbacks(seeds: int, rounds: int | None, progress: Progress) -> Story:
    """The four troubles, each with the change that cures it; curves of seed 0."""
    total = rounds or ROUNDS
    rows, dirac = oscillation()
    panels: dict[str, Lines] = {"Oscillation: distance in the Dirac-GAN / steps": dirac}
    for seed in range(seeds):
        for title, trouble in (
            ("Collapse: modes of ring8 held / rounds", collapse),
            ("Starvation: JSD, nats / rounds", starvation),
            (f"By heart: D(seen) - D(fresh), {FEW} points / rounds", learning_by_heart),
        ):
            found, lines = trouble(seed, total, progress)
            rows += found
            panels.setdefault(title, lines)
    return Story(
        rows,
        panels,
        "Why: two players who each follow their own slope circle the equilibrium, and a penalty on D's gradient damps the circle. A G "
        "that gathers where D was last wrong loses modes; a D that compares fakes with reals, and is held smooth, spreads it. A "
        "saturating cost has no slope where D is sure. And a free D given few points learns them by heart: its gradient then leads G "
        "to those points; a penalty keeps D from being so sure.",
    )
