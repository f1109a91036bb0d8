"""The session behind the lab's page: one thread plays, another computes what is drawn. Neither ever waits for a browser.

The player hands over copies of the weights when the painter is ready for them. The painter leaves the newest frame, which clients fetch
when they can. So a slow client, a closed tab or an error in a picture costs the training nothing.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import Any

import torch

from zerosum.errors import Refusal
from zerosum.web.commands import COMMANDS
from zerosum.web.game import Game
from zerosum.web.machine import State
from zerosum.web.painter import Painter
from zerosum.web.setup import Setup
from zerosum.web.slow_motion import PHASES

PHASE_SECONDS = 1.4


class Session:
    """The games of one lab, "a" and, for a comparison, "b"; and the two threads.

    at: the step that is looked at; None for the present. revision: counts changes of what `describe` says.
    """

    def __init__(self, setup: Setup, playing: bool = True) -> None:
        self.games: dict[str, Game] = {"a": Game(setup)}
        self.playing = playing
        self.slow = False
        self.at: int | None = None
        self.phase = -1
        self.scenario: str | None = None
        self.message = ""
        self.files: dict[str, bytes] = {}  # what was computed on request and may be fetched
        self.revision = 0
        self.layers: frozenset[str] = frozenset()
        self.rate = 0.0
        self._closed = False
        self._orders: queue.Queue[tuple[Callable[[], Any], Future[Any]]] = queue.Queue()
        self._listeners: set[Callable[[], None]] = set()
        self.painter = Painter(self)
        self._player = threading.Thread(target=self._play, name="player", daemon=True)

    def start(self) -> None:
        self._player.start()
        self.painter.start()

    def close(self) -> None:
        """Ends both threads."""
        self._closed = True
        self._orders.put((lambda: None, Future()))
        self.painter.close()
        self._player.join(5)

    # -- for clients, from any thread ------------------------------------------------------------------------------------

    def order(self, command: Mapping[str, Any]) -> Future[Any]:
        """Has the player carry out a command between two steps. The future's error is a Refusal for what it cannot do."""
        name = command.get("do")
        done: Future[Any] = Future()
        if not isinstance(name, str) or name not in COMMANDS:
            done.set_exception(Refusal(f"The lab has no command {str(name)[:40]!r}."))
            return done
        self._orders.put((lambda: COMMANDS[name](self, command), done))
        return done

    def listen(self, wake: Callable[[], None]) -> None:
        """Has `wake` called, from a thread of the session, whenever there is a new frame or description."""
        self._listeners.add(wake)
        self._orders.put((lambda: None, Future()))  # The player hands over what there is to see.

    def forget(self, wake: Callable[[], None]) -> None:
        self._listeners.discard(wake)

    @property
    def watched(self) -> bool:
        return bool(self._listeners)

    def tell(self) -> None:
        for wake in list(self._listeners):
            wake()

    def describe(self) -> dict[str, Any]:
        """All that the page shows beside the pictures."""
        return {
            "playing": self.playing,
            "slow": self.slow,
            "phase": self.phase,
            "at": self.at,
            "scenario": self.scenario,
            "message": self.message,
            "rate": round(self.rate, 1),
            "games": {name: game.describe() for name, game in self.games.items()},
            "phases": [{"part": phase.part, "text": phase.text} for phase in PHASES],
        }

    def changed(self) -> None:
        """Notes that `describe` says something else now."""
        self.revision += 1
        self.painter.wanted()
        self.tell()

    # -- the player ------------------------------------------------------------------------------------------------------

    def _play(self) -> None:
        began, taken = time.perf_counter(), 0
        while not self._closed:
            if not self.playing:
                self._obey(wait=True)
                began, taken = time.perf_counter(), 0
                continue
            self._obey(wait=False)
            if self.playing and self.slow:
                self._slow_step()
            elif self.playing and not self.advance():
                self.stop_playing()
            taken += 1
            if (passed := time.perf_counter() - began) > 1.0:
                self.rate, began, taken = taken / passed, time.perf_counter(), 0
                self.changed()
            self.hand_over()

    def stop_playing(self) -> None:
        self.playing = False
        self.changed()

    def _obey(self, wait: bool) -> None:
        """Carries out the commands that have come; waits for one where there is nothing else to do."""
        try:
            while True:
                command, done = self._orders.get(block=wait)
                wait = False
                try:
                    done.set_result(command())
                except Exception as error:  # A bug in a command is reported to its sender, and the game goes on.
                    done.set_exception(error)
                self.changed()
                self.hand_over(newest=True)
        except queue.Empty:
            return

    def advance(self, moving: str = "dg") -> bool:
        """One step of every game, of those that are behind first. False where one cannot go on."""
        least = min(game.t for game in self.games.values())
        went_on = [game.step(moving) for game in self.games.values() if game.t == least]
        return all(went_on)

    def _slow_step(self) -> None:
        """One step with a pause at each part of Algorithm 1."""
        before = {name: game.machine.weights() for name, game in self.games.items()}
        t = {name: game.t for name, game in self.games.items()}
        if not self.advance():
            self.stop_playing()
            return
        after = {name: game.machine.weights() for name, game in self.games.items()}
        for i, phase in enumerate(PHASES):
            self.phase = i
            mixed = {name: ({k: (after if k[0] in phase.updated else before)[name][k] for k in after[name]}, t[name]) for name in after}
            self.painter.take({name: snapshot for name, snapshot in mixed.items() if _fits(before[name], after[name])})
            self.changed()
            self._pause(PHASE_SECONDS)
            if not (self.playing and self.slow) or self._closed:
                break
        self.phase = -1
        self.changed()

    def _pause(self, seconds: float) -> None:
        """Waits, and carries out commands meanwhile."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0 and self.playing and self.slow and not self._closed:
            try:
                command, done = self._orders.get(timeout=left)
            except queue.Empty:
                return
            try:
                done.set_result(command())
            except Exception as error:
                done.set_exception(error)
            self.changed()

    def hand_over(self, newest: bool = False) -> None:
        """Gives the painter copies of the weights, if it is ready for them (or these are the newest for now) and somebody looks."""
        if self.phase < 0 and self.at is None and self.watched and (newest or self.painter.ready):
            self.painter.take({name: (game.machine.weights(), game.t) for name, game in self.games.items()})


def _fits(before: State, after: State) -> bool:
    return before.keys() == after.keys() and all(torch.is_same_size(before[k], after[k]) for k in before)
