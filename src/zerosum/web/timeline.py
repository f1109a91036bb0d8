"""Time in the lab: every step of a game can be seen again, and played on from, exactly.

A step is a function of the state and of the step's number. So not every state is stored: some are, as many as fit into a bound of memory,
and the others are computed again from the nearest stored one before, by the same trainer.
"""

from __future__ import annotations

import threading
from bisect import bisect_right
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from zerosum.play.config import Config
from zerosum.play.statistics import STATISTICS
from zerosum.web.machine import BOTH, Machine, State
from zerosum.web.setup import Setup

MOST_BYTES = 192 << 20
"""Bytes of stored states of one timeline."""


class Part(NamedTuple):
    """The options from a step on."""

    start: int
    config: Config


@dataclass
class Timeline:
    """One course of a game, from step 0 to its head.

    parts: the options from which step on. only: steps in which one player alone was updated, step -> "d" or "g".
    Used by two threads: one plays at the head, the other looks back.
    """

    setup: Setup
    name: str = "main"
    parts: list[Part] = field(default_factory=list)
    only: dict[int, str] = field(default_factory=dict)
    most_bytes: int = MOST_BYTES
    _kept: dict[int, State] = field(default_factory=dict)
    _fixed: set[int] = field(default_factory=set)
    _gap: int = 1
    _statistics: NDArray[np.float32] = field(default_factory=lambda: np.zeros((256, len(STATISTICS)), dtype=np.float32))
    head: int = 0
    _lock: threading.RLock = field(default_factory=threading.RLock)

    @classmethod
    def begun(cls, machine: Machine, name: str = "main") -> Timeline:
        """The timeline of a machine at step 0."""
        line = cls(machine.setup, name, [Part(0, machine.config)])
        line._kept[0] = machine.state()
        line._fixed.add(0)
        return line

    def played(self, machine: Machine, statistics: NDArray[np.float32], moving: str = BOTH) -> None:
        """Adds the step that the machine has just taken."""
        with self._lock:
            t = machine.t
            if t > len(self._statistics):
                self._statistics = np.concatenate([self._statistics, np.zeros_like(self._statistics)])
            self._statistics[t - 1] = statistics
            if moving != BOTH:
                self.only[t - 1] = moving
            self.head = t
            if t % self._gap == 0:
                self._keep(t, machine.state())

    def changed(self, machine: Machine) -> None:
        """Notes that the machine goes on with other options from its present step on."""
        with self._lock:
            t = machine.t
            if self.parts[-1].start == t:
                self.parts.pop()
            self.parts.append(Part(t, machine.config))
            # After a change a player may have begun anew, so the state does not follow from the steps before.
            self._kept[t] = machine.state()
            self._fixed.add(t)

    def _keep(self, t: int, state: State) -> None:
        self._kept[t] = state
        size = sum(tensor.numel() * tensor.element_size() for tensor in state.values())
        while len(self._kept) * size > self.most_bytes and len(self._kept) > len(self._fixed) + 2:
            self._gap *= 2
            for old in [k for k in self._kept if k % self._gap and k not in self._fixed]:
                del self._kept[old]

    def config_at(self, t: int) -> Config:
        """The options with which the step after t is taken."""
        with self._lock:
            return self.parts[bisect_right([part.start for part in self.parts], t) - 1].config

    def restore(self, machine: Machine, t: int) -> None:
        """Brings a machine to the state after t steps, bit for bit as it was."""
        with self._lock:
            t = min(max(t, 0), self.head)
            start = max(k for k in self._kept if k <= t)
            # A machine that this timeline brought to a later step goes on from there.
            if machine.of != (id(self), len(self.parts), machine.t) or not start <= machine.t <= t:
                machine.load(self._kept[start], start, self.config_at(start))
        # Where the options change a state is stored, so they are the same from here to t.
        while machine.t < t:
            machine.step(self.only.get(machine.t, BOTH))
        if t in self._fixed:
            machine.load(self._kept[t], t, self.config_at(t))
        machine.of = (id(self), len(self.parts), t)

    def branch(self, t: int, name: str) -> Timeline:
        """A new timeline with the same past up to t."""
        with self._lock:
            t = min(t, self.head)
            line = Timeline(self.setup, name, [part for part in self.parts if part.start <= t], most_bytes=self.most_bytes)
            line.only = {step: who for step, who in self.only.items() if step < t}
            line._kept = {k: state for k, state in self._kept.items() if k <= t}
            line._fixed = {k for k in self._fixed if k <= t}
            line._gap, line.head, line._statistics = self._gap, t, self._statistics.copy()
            return line

    def statistics(self, last: int | None = None) -> NDArray[np.float32]:
        """The statistics of the steps so far, (steps, len(STATISTICS))."""
        with self._lock:
            return self._statistics[: self.head if last is None else min(last, self.head)].copy()

    @property
    def stored(self) -> int:
        """Bytes of stored states."""
        with self._lock:
            return sum(t.numel() * t.element_size() for state in self._kept.values() for t in state.values())
