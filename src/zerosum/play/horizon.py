"""Where a run ends: after given samples, or after given minutes, however fast the machine is meanwhile."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from zerosum.play.course import Course

SETTLE = 2.0  # seconds that are not measured: caches fill and kernels are chosen
FIRST = 0.02  # share of the time before the first decision
EVERY = 0.01  # share of the time between two later decisions
WINDOW = 5  # such intervals over which the speed is measured
CLOSE, LOOSE = 0.005, 0.05  # shares of the whole time and of what is left: an end that is off by less than their sum stays as it is
GRACE = 1.15  # times the minutes given, after which a run whose single steps are too long for a decision is stopped


@dataclass
class Horizon:
    """The end of a run in samples, and the course of its schedules up to there; None while minutes have not been turned into samples.

    until: seconds of training at which the run is to end; None for a run that ends by samples. fixed_by_user: whether this start was given
    a new end.
    """

    samples: int | None
    until: float | None = None
    course: Course | None = None
    fixed_by_user: bool = False

    def __post_init__(self) -> None:
        if self.course is None and self.samples is not None:
            self.course = Course.straight(self.samples)

    def redirect(self, seen: int, end: int) -> None:
        """Ends after `end` samples from now on."""
        self.course = Course.straight(max(end, seen + 1)) if self.course is None else self.course.redirected(seen, end)
        self.samples = self.course.end

    def reached(self, samples: int) -> bool:
        return self.samples is not None and samples >= self.samples

    def share(self, samples: int, seconds: float) -> float:
        """The share of the run that is done: of its samples or, while their number is not known, of its minutes."""
        if self.samples is not None:
            return samples / self.samples
        return 0.0 if self.until is None else seconds / self.until

    def out_of_time(self, seconds: float) -> bool:
        return self.until is not None and seconds > self.until * GRACE


class Clock:
    """Decides at how many samples a run ends that is to end at `until` seconds of training, from the speed of the last few intervals.

    start: seconds of training at the last start; the minutes given begin there. end: in samples, where a resumed run has one already.
    """

    def __init__(self, until: float, start: float, end: int | None = None) -> None:
        self.until, self.start, self.end = until, start, end
        self.total = until - start
        self._marks: deque[tuple[int, float]] = deque(maxlen=WINDOW)
        wait = min(SETTLE, self.total * FIRST / 2)
        self._settled = start + wait
        self._next = self._settled + (self.total * (FIRST if end is None else EVERY))

    def decide(self, samples: int, seconds: float) -> int | None:
        """The new end in samples, where it is time to decide and the old one is off; else None."""
        left = self.until - seconds
        if left <= 0 and self.end is not None:
            return self._ends(samples)
        if not self._marks:
            if seconds >= self._settled:
                self._marks.append((samples, seconds))
            return None
        if seconds < self._next:
            return None
        # The speed of late, and near the end that of the very latest: what is left would not make up for an old speed.
        then, at = next((mark for mark in self._marks if seconds - mark[1] <= max(left, self.total * EVERY)), self._marks[-1])
        rate = (samples - then) / max(seconds - at, 1e-9)
        self._marks.append((samples, seconds))
        self._next = seconds + self.total * EVERY
        end = samples + int(rate * max(0.0, left))
        if self.end is not None and abs(end - self.end) <= (CLOSE * self.total + LOOSE * left) * rate:
            return None
        return self._ends(end)

    def _ends(self, end: int) -> int:
        self.end = end
        return end
