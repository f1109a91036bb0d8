"""How many threads compute the steps while other programs use the processors.

Threads share each operation, and all wait for the slowest. Beside one other busy program on two cores, two threads are half as fast as
one: they wait for the one that has no processor. When threads have waited, fewer are tried for some steps, and kept where the steps are
clearly faster; from time to time more are tried, since other programs end. Another number of threads changes the last bits of sums, so
every change stands in the record, and on a machine to itself there is none.
"""

from __future__ import annotations

from collections.abc import Callable

from zerosum.play.contention import CROWDED

SPAN, TRIAL, STEPS = 1.0, 0.3, 3  # seconds of steps between two looks, seconds of a trial, and the fewest steps of either
FASTER = 1.1  # Another number of threads is kept where steps are at least so many times as fast.
SOONEST, LATEST = 4.0, 32.0  # seconds of steps between two trials: doubled after each that was in vain
PREPARING = 2  # steps after a change that do not count, since they prepare primitives


class ThreadCount:
    """Call `took` after each step.

    count: of threads for the next step. settled: the count that is not on trial, with which a resumed run begins. most: never more than
    these. waited: the share of the time since its last call in which threads waited for a processor (`Contention.share`). fixed: whether
    `took` never changes the count.
    """

    def __init__(self, most: int, settled: int, waited: Callable[[], float | None], fixed: bool = False) -> None:
        self.most, self.fixed = most, fixed or most == 1
        self.settled = self.count = min(settled, most)
        self._waited = waited
        self._pace = 0.0  # seconds a step at the settled count, as the trial began
        self._since, self._patience = 0.0, 0.0
        self._begin(0)

    @property
    def on_trial(self) -> bool:
        """Whether `count` is being tried."""
        return self.count != self.settled

    def took(self, seconds: float) -> bool:
        """Counts a step of so many seconds; returns whether `count` or `settled` has changed."""
        if self.fixed:
            return False
        if self._uncounted:
            self._uncounted -= 1
            return False
        self._steps += 1
        self._seconds += seconds
        if self._steps < STEPS or self._seconds < (TRIAL if self.on_trial else SPAN):
            return False
        count, settled = self.count, self.settled
        if self.on_trial:
            self._judge()
        else:
            self._look()
        self._begin(PREPARING if self.count != count else 0)
        return (self.count, self.settled) != (count, settled)

    def _begin(self, uncounted: int) -> None:
        self._steps, self._seconds, self._uncounted = 0, 0.0, uncounted

    def _look(self) -> None:
        self._since += self._seconds
        self._pace = self._seconds / self._steps
        crowded = (self._waited() or 0.0) > CROWDED
        if self._since < self._patience:
            return
        if crowded and self.count > 1:
            self.count = fewer(self.count)
        elif self.count < self.most:
            self.count = more(self.count, self.most)

    def _judge(self) -> None:
        if self._pace >= FASTER * self._seconds / self._steps:
            self.settled, self._patience = self.count, SOONEST
        else:
            self.count, self._patience = self.settled, min(max(SOONEST, 2 * self._patience), LATEST)
        self._since = 0.0
        self._waited()  # What comes next is not the trial's.


def fewer(count: int) -> int:
    """The next lower number of threads to try: three quarters, at least 1."""
    return max(1, count * 3 // 4)


def more(count: int, most: int) -> int:
    """The next higher one: four thirds, at most `most`."""
    return min(most, -(-count * 4 // 3))
