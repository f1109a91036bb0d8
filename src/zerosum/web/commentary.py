"""What the lab says about a game as it goes: modes that are missing and since when, and the verdict of the trainer's own checks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from numpy.typing import NDArray

from zerosum.monitor.check_schedule import next_check
from zerosum.monitor.diagnostics import Diagnostics
from zerosum.play.config import to_json
from zerosum.records import Row
from zerosum.runs.record import plain
from zerosum.verdict import verdict
from zerosum.web.machine import Machine

_MOST_SEEN = 4000


class Commentary:
    """The sentences about one timeline. `see` is called with what each frame shows, in any order of steps.

    curve: what frames have measured, step -> JSD, V and V at D*.
    """

    def __init__(self) -> None:
        self.curve: dict[int, tuple[float | None, ...]] = {}
        self._missing: dict[int, tuple[int, int]] = {}
        self._checks: list[Row] = []
        self._diagnostics: tuple[Machine, object, Diagnostics] | None = None
        self._said: dict[str, Any] = {}

    def branch(self, t: int) -> Commentary:
        """The commentary of a timeline that branches off at step t."""
        other = Commentary()
        other.curve = {k: row for k, row in self.curve.items() if k <= t}
        other._missing = {k: row for k, row in self._missing.items() if k <= t}
        other._checks = [row for row in self._checks if row["round"] <= t]
        return other

    def see(self, numbers: Mapping[str, Any]) -> None:
        """Notes what a frame has measured."""
        t = int(numbers["t"])
        if "jsd" in numbers and (len(self.curve) < _MOST_SEEN or t in self.curve):
            self.curve[t] = tuple(plain([numbers["jsd"], numbers["V"], numbers["V_star"]]))
        if "modes" in numbers and len(self._missing) < _MOST_SEEN:
            self._missing[t] = (numbers["modes_of"] - numbers["modes"], numbers["modes_of"])

    def check(self, machine: Machine, statistics: NDArray[Any] | None) -> None:
        """Checks the pair as `zerosum train` does, where a check is due at this step."""
        last = self._checks[-1]["round"] if self._checks else None
        a_step = machine.algorithm.samples_a_step
        apart = -(-machine.data.space.modality.check.apart // a_step)
        if machine.t < next_check(last, None, apart) or (last is not None and machine.t <= last):
            return
        if self._diagnostics is None or self._diagnostics[0] is not machine or self._diagnostics[1] is not machine.algorithm:
            self._diagnostics = (machine, machine.algorithm, Diagnostics(machine.data, machine.algorithm))
        found = self._diagnostics[2].look(None if statistics is None else torch.from_numpy(statistics))
        samples = machine.t * a_step
        self._checks.append({"type": "check", "round": machine.t, "samples": samples, "seconds": 0.0, "left": 0.0, **plain(found)})
        self._said = _verdict(self._checks, to_json(machine.config), a_step)

    def said(self, t: int) -> dict[str, Any]:
        """The sentences at step t: `modes`, and the verdict with `state`, `text`, `advice`, `trouble`."""
        return {"modes": self._modes(t), **({} if not self._said else self._said)}

    def _modes(self, t: int) -> str | None:
        seen = sorted((k for k in self._missing if k <= t), reverse=True)
        if not seen:
            return None
        missing, of = self._missing[seen[0]]
        since = seen[0]
        for k in seen:
            if self._missing[k][0] != missing:
                break
            since = k
        when = f" since step {since:,}" if since else " so far"
        if missing == 0:
            return f"All {of} modes are reached{when}."
        return f"{missing} of {of} modes {'is' if missing == 1 else 'are'} missing{when}."


def _verdict(rows: list[Row], config: dict[str, Any], a_step: int) -> dict[str, Any]:
    found = verdict(rows, config)
    since = "" if not found.since else f" since step {found.since // a_step:,}"
    evidence = "; ".join(found.evidence[:2])
    return {
        "state": found.state,
        "trouble": found.trouble,
        "text": f"{found.state[0].upper()}{found.state[1:]}{since}: {evidence}.",
        "advice": found.advice,
        "history": [{"t": row["round"], "state": row["state"], "distance": row["distance"]} for row in found.history],
    }
