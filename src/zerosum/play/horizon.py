"""Where a run ends, in samples: as given, or found from the speed of the first seconds where minutes are given."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Horizon:
    """Where a run ends, in samples. With `minutes` it is fixed once, from the speed measured in the first seconds, and recorded.

    spent: seconds trained before, where `minutes` are further minutes of a resumed run. began: (samples, seconds) from which the speed is
    measured; None before the clock starts.
    """

    samples: int | None
    minutes: float | None = None
    spent: float = 0.0
    fixed_by_user: bool = False
    began: tuple[int, float] | None = field(default=None, init=False)
    _start: float = field(default=0.0, init=False)

    SETTLE = 2.0  # seconds that are not measured: caches fill and kernels are chosen
    SHARE = 0.1  # of the time given, spent before the speed is used: checks and grids are most frequent at the start
    LONGEST = 60.0  # seconds
    GRACE = 1.15  # times the minutes given, after which a run on a machine that has become slower is stopped

    def begin(self, samples: int, seconds: float) -> None:
        """Starts the clock, at the first step of this start of the run."""
        self.began, self._start = (samples, seconds), seconds

    def reached(self, samples: int) -> bool:
        return self.samples is not None and samples >= self.samples

    def share(self, samples: int, seconds: float) -> float:
        """The share of the run that is done: of its samples or, while their number is not known, of its minutes."""
        if self.samples is not None:
            return samples / self.samples
        return 0.0 if self.minutes is None else (seconds - self.spent) / (60 * self.minutes)

    def out_of_time(self, seconds: float) -> bool:
        return self.minutes is not None and seconds - self.spent > self.minutes * 60 * self.GRACE

    def measure(self, samples: int, seconds: float) -> bool:
        """Fixes the horizon when enough has been measured; True in the step where it does."""
        if self.samples is not None or self.minutes is None or self.began is None:
            return False
        total = self.minutes * 60
        settle = min(self.SETTLE, total * self.SHARE / 2)
        if seconds - self._start < settle:
            self.began = (samples, seconds)
            return False
        if seconds - self._start < settle + min(self.LONGEST, total * self.SHARE):
            return False
        then, at = self.began
        rate = (samples - then) / (seconds - at)
        left = max(0.0, total - (seconds - self.spent))
        self.samples = samples + int(rate * left)
        return True
