"""The thread that computes frames: of the newest weights that the player left, or of a moment of the past."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

from zerosum.errors import Refusal
from zerosum.play.finite import NotFinite
from zerosum.play.statistics import STATISTICS
from zerosum.web.frames import encoded, joined
from zerosum.web.game import Game
from zerosum.web.machine import Machine, State
from zerosum.web.views import view

if TYPE_CHECKING:
    from zerosum.web.session import Session

APART, SHARE = 0.045, 1.3  # seconds between two frames at least; and, of a frame's own time, how long the painter then rests
Snapshot = tuple[State, int]


class Painter(threading.Thread):
    """frame: the newest message of frames, and `number` counts them. mirrors: a machine for each game, of this thread alone."""

    def __init__(self, session: Session) -> None:
        super().__init__(name="painter", daemon=True)
        self._session = session
        self._mirrors: dict[str, tuple[Game, Machine]] = {}
        self._fresh: dict[str, Snapshot] = {}
        self._change = threading.Condition()
        self._closed = False
        self._shown: Any = None
        self.busy = threading.Lock()  # held while mirrors are used; others may borrow one between two frames
        self.frame, self.number, self.failed = b"", 0, ""

    @property
    def ready(self) -> bool:
        """Whether new weights would be drawn soon."""
        return not self._fresh

    def take(self, snapshots: dict[str, Snapshot]) -> None:
        """New weights of every game, to be drawn next."""
        with self._change:
            self._fresh = snapshots
            self._change.notify()

    def wanted(self) -> None:
        """Something other than the weights has changed: draw again."""
        with self._change:
            self._change.notify()

    def close(self) -> None:
        with self._change:
            self._closed = True
            self._change.notify()
        self.join(5)

    def run(self) -> None:
        while self._wait():
            fresh, self._fresh = self._fresh, {}
            began = time.perf_counter()
            try:
                self._paint(fresh)
            except (Refusal, NotFinite, ArithmeticError, RuntimeError, ValueError, KeyError) as error:
                self.failed = str(error)  # A picture that fails is no reason to stop: the next one may succeed.
            spent = time.perf_counter() - began
            time.sleep(max(APART - spent, SHARE * spent if self._session.playing else 0.0, 0.005))

    def _wait(self) -> bool:
        """Waits until there is something to draw; False where the painter is closed."""
        with self._change:
            self._change.wait_for(lambda: self._closed or self._due())
            return not self._closed

    def _due(self) -> bool:
        session = self._session
        if not session.watched:
            return False
        return bool(self._fresh) or (session.at is not None and self._key() != self._shown)

    def _key(self) -> Any:
        return self._session.at, tuple((id(g), g.current, len(g.time.parts)) for g in self._session.games.values())

    def mirror(self, name: str) -> tuple[Game, Machine]:
        """The machine for pictures of this game; the caller holds `busy`."""
        game = self._session.games[name]
        if name not in self._mirrors or self._mirrors[name][0] is not game:
            self._mirrors[name] = (game, Machine(game.setup))
        return self._mirrors[name]

    def _paint(self, fresh: dict[str, Snapshot]) -> None:
        at, key, messages = self._session.at, self._key(), []
        for name in list(self._session.games):
            with self.busy:
                game, machine = self.mirror(name)
                if at is not None:
                    game.time.restore(machine, at)
                elif name in fresh:
                    weights, t = fresh[name]
                    machine.load(weights, t, game.machine.config)
                    machine.of = None
                else:
                    continue
                messages.append(self._drawn(name, game, machine, live=at is None))
        self._shown = key if at is not None else None
        if messages:
            self.frame, self.number = joined(messages), self.number + 1
            self._session.tell()

    def _drawn(self, name: str, game: Game, machine: Machine, live: bool) -> bytes:
        numbers, arrays = view(machine, game.scene)
        rows = game.time.statistics(machine.t)
        last = rows[-1] if len(rows) else None
        words = game.line.words
        words.see(numbers)
        if live and self._session.phase < 0:
            words.check(machine, last)
        steps = {} if last is None else dict(zip(STATISTICS, map(float, last), strict=True))
        said = words.said(machine.t)
        return encoded({"game": name, "head": game.time.head, "statistics": steps, "words": said, **numbers}, arrays)
