"""When rows, grids and checkpoints are due: by the seconds of training, grids also by the share of the run that is done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

PROGRESS = 0.25  # seconds
ROW = 1.0
ROWS_A_RUN = 400  # Rows become less frequent, so that the record of a week stays small.
GRID = 2.0  # At least so much time between two grids.
# Grids are due by the logarithm of the samples seen, because a generator changes most at the start: at GRID_FIRST of the run, and then at
# each factor GRID_GROWTH. From about an eighth of the run on they are GRID_LAST of it apart, so that the end of a long one is covered.
GRID_FIRST, GRID_GROWTH, GRID_LAST = 1 / 1000, 2**0.5, 1 / 20
CHECKPOINT = 60.0
RETRY = 60.0


class Retry:
    """When to write again after a write that failed: a full disk is tried once a minute, not at every step."""

    def __init__(self) -> None:
        self._until = 0.0

    def due(self, now: float) -> bool:
        return now >= self._until

    def failed(self, now: float) -> None:
        self._until = now + RETRY


class Due(NamedTuple):
    progress: bool
    row: bool
    grid: bool
    checkpoint: bool


class Requests(NamedTuple):
    """What is due between two steps, 0 for no. Several processes add up their requests; only the first has a clock."""

    stop: float = 0.0
    out_of_time: float = 0.0
    row: float = 0.0
    grid: float = 0.0
    checkpoint: float = 0.0
    horizon: float = 0.0
    plateaued: float = 0.0
    threads: float = 0.0


@dataclass
class Timers:
    """Clocks that decide when a run is looked at, and change nothing that is trained.

    start: seconds of training at this start of the run. share: the share of the run that was done by then.
    """

    start: float = 0.0
    share: float = 0.0

    def __post_init__(self) -> None:
        self._progress = self._row = self._grid = self.start
        self._checkpoint = self.start + CHECKPOINT
        self._grid_share = after(self.share)

    def due(self, seconds: float, share: float) -> Due:
        """What is due at so many seconds of training, with this share of the run done (0 to 1)."""
        progress, row, grid, checkpoint = (
            seconds >= self._progress,
            seconds >= self._row,
            seconds >= self._grid and share >= self._grid_share,
            seconds >= self._checkpoint,
        )
        if progress:
            self._progress = seconds + PROGRESS
        if row:
            self._row = seconds + max(ROW, seconds / ROWS_A_RUN)
        if grid:
            self._grid, self._grid_share = seconds + GRID, after(share)
        if checkpoint:
            self._checkpoint = seconds + CHECKPOINT
        return Due(progress, row, grid, checkpoint)


def after(share: float) -> float:
    """The share of the run at which the grid after one at `share` is due."""
    return max(GRID_FIRST, min(share * GRID_GROWTH, share + GRID_LAST))
