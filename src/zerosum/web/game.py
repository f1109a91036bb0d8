"""One game on the page: a machine at the head of a timeline, the timelines that branched off, and what is said about each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from zerosum.errors import Refusal
from zerosum.options import options_of, value_of
from zerosum.play.config import Config
from zerosum.play.finite import NotFinite
from zerosum.play.statistics import STATISTICS
from zerosum.web.commentary import Commentary
from zerosum.web.machine import BOTH, Machine
from zerosum.web.recipe import code, command
from zerosum.web.setup import Setup, checked, lab_config
from zerosum.web.timeline import Timeline
from zerosum.web.views import Scene

MOST_LINES = 6
MOST_POINTS = 1200  # of a curve that is sent whole


@dataclass
class Line:
    """A timeline with its commentary."""

    time: Timeline
    words: Commentary


class Game:
    """Raises Refusal for a setup that cannot be played."""

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        self.machine = Machine(setup)
        self.lines = [Line(Timeline.begun(self.machine), Commentary())]
        self.current = 0
        self.scene = Scene(setup)
        self.broken = ""

    @property
    def line(self) -> Line:
        return self.lines[self.current]

    @property
    def time(self) -> Timeline:
        return self.line.time

    @property
    def t(self) -> int:
        return self.machine.t

    def step(self, moving: str = BOTH) -> bool:
        """Takes a step; False where a number was not finite, and `broken` says which."""
        if self.broken:
            return False
        try:
            statistics = self.machine.step(moving)
        except NotFinite as stop:
            self.broken = f"Training broke down: {stop}. Lower the learning rates, or add a penalty; or go back in time."
            return False
        self.time.played(self.machine, statistics.numpy().astype(np.float32), moving)
        return True

    def change(self, config: Config) -> None:
        """Goes on with other options from here on. Raises Refusal, and then goes on with the old ones."""
        checked(self.setup.with_config(config))
        if config.seed != self.setup.config.seed:
            raise Refusal("Another seed is another game: start it from step 0.")
        self.machine.change(config)
        self.time.changed(self.machine)
        self.broken = ""

    def go_back(self, t: int) -> None:
        """Continues from step t, as a new timeline where there is a later past."""
        if t >= self.time.head and not self.broken:
            return
        if len(self.lines) >= MOST_LINES:
            del self.lines[next(i for i in range(1, len(self.lines)) if i != self.current)]
            self.current = min(self.current, len(self.lines) - 1)
        name = f"branch {sum(1 for line in self.lines)} from step {t:,}"
        self.lines.append(Line(self.time.branch(t, name), self.line.words.branch(t)))
        self.show(len(self.lines) - 1)

    def show(self, number: int) -> None:
        """Continues with another timeline, from its head."""
        self.current, self.broken = number, ""
        self.time.restore(self.machine, self.time.head)
        self.machine.of = None

    def describe(self) -> dict[str, Any]:
        """What the page shows beside the pictures: options, timelines, and the game as text."""
        config = self.machine.config
        return {
            "setup": self.setup.with_config(config).to_json() if len(self.time.parts) == 1 else self.setup.to_json(),
            "options": {name: value_of(config, name) for name in options_of(Config)},
            "defaults": {name: value_of(lab_config(self.setup.data), name) for name in options_of(Config)},
            "lines": [line.time.name for line in self.lines],
            "line": self.current,
            "head": self.time.head,
            "changes": [part.start for part in self.time.parts[1:]],
            "command": command(self.setup, self.time),
            "python": code(self.setup, self.time),
            "broken": self.broken,
            "scene_key": f"{id(self.scene)}",
            "weights": {
                name: sum(p.numel() for p in net.parameters())
                for name, net in (("G", self.machine.players.G), ("D", self.machine.players.D))
            },
        }

    def curves(self) -> dict[str, Any]:
        """Every curve so far, thinned to MOST_POINTS: of the steps' statistics, and of what frames have measured."""
        statistics = self.time.statistics()
        at = np.unique(np.linspace(0, len(statistics) - 1, min(MOST_POINTS, len(statistics))).astype(int)).tolist()
        steps = {name: [round(float(statistics[i, j]), 5) for i in at] for j, name in enumerate(STATISTICS)}
        measured = sorted(self.line.words.curve.items())
        every = max(1, len(measured) // MOST_POINTS)
        return {
            "t": [int(i) + 1 for i in at],
            **steps,
            "measured": [[t, *row] for t, row in measured[::every]],
            "floor": self.scene.floor,
        }
