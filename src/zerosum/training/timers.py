"""When things are due, by the seconds trained: rows, grids and checkpoints; and the horizon that `--minutes` fixes once."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

PROGRESS = 0.25  # seconds
ROW = 1.0
ROWS_A_RUN = 400  # Rows grow sparser, so that a week's record stays small.
GRID, GRID_GROWTH = 5.0, 1.25
CHECKPOINT = 60.0


class Due(NamedTuple):
    progress: bool
    row: bool
    grid: bool
    checkpoint: bool


class Requests(NamedTuple):
    """What is due between two rounds, 0 for no: several processes add them up, and only the first has a clock."""

    stop: float = 0.0
    out_of_time: float = 0.0
    row: float = 0.0
    grid: float = 0.0
    checkpoint: float = 0.0
    horizon: float = 0.0
    settled: float = 0.0


@dataclass
class Timers:
    """Clocks in seconds of training. None of them changes a number of the game: they only decide when it is looked at."""

    start: float = 0.0
    began: tuple[int, float] | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self._progress = self._row = self._checkpoint = self.start
        self._grid = max(GRID, self.start * GRID_GROWTH)
        self._checkpoint += CHECKPOINT

    def begin(self, samples: int) -> None:
        self.began = (samples, self.start)

    def due(self, seconds: float) -> Due:
        progress, row, grid, checkpoint = (
            seconds >= self._progress,
            seconds >= self._row,
            seconds >= self._grid,
            seconds >= self._checkpoint,
        )
        if progress:
            self._progress = seconds + PROGRESS
        if row:
            self._row = seconds + max(ROW, seconds / ROWS_A_RUN)
        if grid:
            self._grid = max(seconds + GRID, seconds * GRID_GROWTH)
        if checkpoint:
            self._checkpoint = seconds + CHECKPOINT
        return Due(progress, row, grid, checkpoint)


@dataclass
class Horizon:
    """Where a run ends, in samples. With `minutes` it is fixed once, from the speed measured in the first seconds, and recorded.

    spent: seconds trained before, when `minutes` are further minutes of a resumed run.
    """

    samples: int | None
    minutes: float | None = None
    spent: float = 0.0
    fixed_by_user: bool = False

    SETTLE = 2.0  # seconds that are not measured: caches fill and kernels are chosen
    SHARE = 0.1  # of the time asked for, spent before the speed is believed: looks and grids are densest at the start
    LONGEST = 60.0  # seconds
    GRACE = 1.15  # a machine that slows down may take this much longer than was asked before the run is stopped

    def reached(self, samples: int) -> bool:
        return self.samples is not None and samples >= self.samples

    def out_of_time(self, seconds: float) -> bool:
        return self.minutes is not None and seconds - self.spent > self.minutes * 60 * self.GRACE

    def measure(self, samples: int, seconds: float, pace: Timers) -> bool:
        """Fixes the horizon when enough has been measured; True in the round where it does."""
        if self.samples is not None or self.minutes is None or pace.began is None:
            return False
        total = self.minutes * 60
        settle = min(self.SETTLE, total * self.SHARE / 2)
        if seconds - pace.start < settle:
            pace.began = (samples, seconds)
            return False
        if seconds - pace.start < settle + min(self.LONGEST, total * self.SHARE):
            return False
        then, at = pace.began
        rate = (samples - then) / (seconds - at)
        left = max(0.0, total - (seconds - self.spent))
        self.samples = samples + int(rate * left)
        return True
