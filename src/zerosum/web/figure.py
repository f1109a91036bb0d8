"""The teaching figure, captured from the running game: Goodfellow et al. 2014, Figure 1, from the state that is looked at."""

from __future__ import annotations

import copy
from dataclasses import replace

import numpy as np

from zerosum.data.density import Density
from zerosum.data.parts import Rows
from zerosum.errors import Refusal
from zerosum.game.value import VALUES
from zerosum.report.style import png
from zerosum.report.teaching import draw_lesson
from zerosum.report.teaching_plane import draw_plane_lesson
from zerosum.study.density_game import DensityGame
from zerosum.study.lesson import moment
from zerosum.study.lesson_plane import plane_moment
from zerosum.web.machine import Machine
from zerosum.web.timeline import Timeline

OPTIMUM, ONWARD, CHECKS, STRIDES, SEEN = 400, 600, 12, 256, 0.1


def teaching_figure(machine: Machine, time: Timeline) -> tuple[bytes, str]:
    """The figure as a PNG, and what it shows in words. machine: at the step that is looked at. Raises Refusal for data without a density.

    On a line, four panels from this state: (a) now, (b) D trained to its optimum while G is frozen, (c) after one step of G, enlarged until
    it is visible, (d) ONWARD steps later. In the plane, four moments of the game so far.
    """
    density = machine.data.density
    if density is None:
        raise Refusal("The teaching figure needs a known density: choose gaussian, bimodal or ring8 as the data.")
    title = (
        f"{machine.setup.data[:40]}, {machine.config.game.value.replace('_', '-')} game, k = {machine.config.game.k}, step {machine.t:,}"
    )
    if density.dim == 2:
        return _plane(machine, density, time, title), f"Four moments of the game up to step {machine.t:,}, with D, samples and G's grid."
    if machine.config.prior.dim != 1:
        raise Refusal("The exact p_g of the teaching figure needs a prior of one dimension: set the coordinates of z to 1.")
    return _line(machine, density, title), f"Four panels from step {machine.t:,}: now, D at its optimum, one step of G later, and the end."


def _game(machine: Machine, density: Density) -> DensityGame:
    """A copy of the pair as a game on a known density."""
    reals = machine.data.train if isinstance(machine.data.train, Rows) else None
    given = copy.deepcopy((machine.players.G, machine.players.D))
    config = replace(machine.config, prior=machine.config.prior)
    game = DensityGame(density, config, machine.setup.steps, reals=reals, given=given)
    game.t = game.first = machine.t
    return game


def _line(machine: Machine, density: Density, title: str) -> bytes:
    config, here = machine.config, _game(machine, density)
    value = VALUES[config.game.value]
    a = moment(here)
    without = {"penalty": "none"} if value.probability else {}
    trained = here.fork(OPTIMUM, d_lr=config.d.lr, g_lr=0.0, **without)
    trained.play(OPTIMUM)
    b, stride = replace(moment(trained), t=here.t), 1.0
    while True:
        stepped = trained.fork(1, d_lr=0.0, g_lr=stride * config.g.lr)
        stepped.play(1)
        c = replace(moment(stepped), t=here.t)
        if float(np.abs(c.Gz - b.Gz).mean()) >= SEEN * float(density.std[0]) or stride >= STRIDES:
            break
        stride *= 2
    onward = here.fork(ONWARD, d_lr=config.d.lr, g_lr=config.g.lr)
    course = [a]
    for _ in range(CHECKS):
        onward.play(ONWARD // CHECKS)
        course.append(moment(onward))
    step = "(c) after one step of G" + ("" if stride == 1 else f", {stride:g} times enlarged")
    panels = {"(a) now": a, "(b) D trained to its optimum": b, step: c, f"(d) {ONWARD} steps later": course[-1]}
    captions = [f"JSD {here.jsd:.3f} nats" for here in panels.values()]
    return png(draw_lesson(panels, captions, course, title), dpi=110)


def _plane(machine: Machine, density: Density, time: Timeline, title: str) -> bytes:
    if machine.config.prior.dim != 2:
        raise Refusal("The figure in the plane shows how G maps a grid of z: set the coordinates of z to 2.")
    end, course = machine.t, []
    for i in range(CHECKS + 1):
        time.restore(machine, round(end * i / CHECKS))
        course.append(plane_moment(_game(machine, density)))
    return png(draw_plane_lesson(course, title), dpi=110)
