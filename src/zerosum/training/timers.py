"""When rows, grids and checkpoints are due, by the seconds of training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

PROGRESS = 0.25  # seconds
ROW = 1.0
ROWS_A_RUN = 400  # Rows become less frequent, so that the record of a week stays small.
GRID, GRID_GROWTH = 5.0, 1.25
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


@dataclass
class Timers:
    """Clocks in seconds of training, from `start`. They decide when a run is looked at, and change nothing that is trained."""

    start: float = 0.0

    def __post_init__(self) -> None:
        self._progress = self._row = self._checkpoint = self.start
        self._grid = max(GRID, self.start * GRID_GROWTH)
        self._checkpoint += CHECKPOINT

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
