"""How far a run is, from 0 at its start to 1 at its end, as a function of the samples seen."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import isfinite
from typing import Any

Knot = tuple[int, float]  # samples seen, and how far the run is then


@dataclass(frozen=True)
class Course:
    """A piecewise linear function through `knots`, from (0, 0) to (end, 1); 1 beyond.

    Schedules follow it. A run of given samples has a straight course. A run of given minutes changes direction where the machine has become
    faster or slower, so that its schedules are complete when its minutes are over. Where it is now never jumps.
    """

    knots: tuple[Knot, ...]

    @staticmethod
    def straight(end: int) -> Course:
        """The course of a run that ends after so many samples."""
        return Course(((0, 0.0), (end, 1.0)))

    @property
    def end(self) -> int:
        """Samples at which the run ends."""
        return self.knots[-1][0]

    def at(self, seen: int) -> float:
        """How far the run is after so many samples, from 0 to 1."""
        if seen >= self.end:
            return 1.0
        i = bisect_right(self.knots, seen, key=lambda knot: knot[0])
        (start, low), (end, high) = self.knots[i - 1], self.knots[i]
        return low + (high - low) * ((seen - start) / (end - start))

    def redirected(self, seen: int, end: int) -> Course:
        """The same course up to `seen`, and from there straight to the new end, which is at least `seen`."""
        before = tuple(knot for knot in self.knots if knot[0] < seen)
        return Course((*before, (seen, self.at(seen)), (max(end, seen + 1), 1.0)))

    def to_json(self) -> list[list[float]]:
        """The knots as plain values."""
        return [list(knot) for knot in self.knots]

    @staticmethod
    def from_json(values: Sequence[Any]) -> Course:
        """The course that `to_json` wrote. Raises ValueError where the values are no course."""
        knots = tuple((samples, float(far)) for samples, far in values)
        rises = all(a[0] < b[0] and a[1] <= b[1] for a, b in pairwise(knots))
        whole = all(type(samples) is int and isfinite(far) for samples, far in knots)
        if not (whole and len(knots) >= 2 and rises and knots[0] == (0, 0.0) and knots[-1][1] == 1.0):
            raise ValueError("its course is damaged")
        return Course(knots)
