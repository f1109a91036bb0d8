"""The checks of a run as it trains: when one is due, what it writes, whether it is the best so far, and whether the run has plateaued."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from zerosum.data.source import Data
from zerosum.monitor.check_schedule import next_check
from zerosum.monitor.diagnostics import Diagnostics
from zerosum.play.horizon import Horizon
from zerosum.play.schedule import cosine, depends_on_horizon
from zerosum.play.step import Algorithm1
from zerosum.records import Row
from zerosum.runs.checkpoint import NOISE
from zerosum.runs.record import plain
from zerosum.verdict import plateaued
from zerosum.verdict.check_view import check_views

SOONEST = 10.0  # seconds of training between two checkpoints that are saved for their score alone


class Checks:
    """rows: the checks in the record so far, after which a resumed run goes on."""

    def __init__(self, rows: Sequence[Row], data: Data, algorithm: Algorithm1, horizon: Horizon) -> None:
        self._diagnostics = Diagnostics(data, algorithm)
        self._horizon, self._a_step = horizon, algorithm.samples_a_step
        config = algorithm.config
        self._decay = config.decay if depends_on_horizon(config) else None
        self._apart = -(-data.space.modality.check.apart // self._a_step)
        self._rows = list(rows)
        self._kept: float | None = None
        self._kept_at = 0.0
        self._asked = (0, False)

    def due(self, t: int) -> bool:
        """Whether the state after t steps is to be checked."""
        last = self._rows[-1]["round"] if self._rows else None
        end = self._horizon.samples
        return t >= next_check(last, None if end is None else -(-end // self._a_step), self._apart)

    def look(self, t: int, samples: int, statistics: Tensor | None) -> dict[str, Any]:
        """The numbers of the check after t steps, which is after so many samples. statistics: of the last step."""
        found = self._diagnostics.look(statistics)
        found["left"] = 0.0 if self._decay is None else round(cosine(samples, self._horizon.course, self._decay), 4)
        self._rows.append({"type": "check", "round": t, "samples": samples, **plain(found)})
        return found

    @property
    def score(self) -> float | None:
        """The distance of the averaged generator from held-out samples at the last check, from 0 (real data) to 1; None if unknown."""
        seen = check_views(self._rows[-1:])
        return seen[-1].distance if seen else None

    def worth_keeping(self, seconds: float) -> bool:
        """Whether the state is better than the best saved one by more than noise, and the last save was long enough ago."""
        score = self.score
        return score is not None and seconds - self._kept_at >= SOONEST and (self._kept is None or score < self._kept - NOISE)

    def keep(self, seconds: float) -> float | None:
        """Notes that the state is being saved. Returns its score."""
        self._kept_at, score = seconds, self.score
        if score is not None:
            self._kept = score if self._kept is None else min(score, self._kept)
        return score

    def plateaued(self) -> bool:
        """Whether the run no longer improves, by the checks so far."""
        if self._asked[0] != len(self._rows):
            self._asked = (len(self._rows), plateaued(self._rows))
        return self._asked[1]
