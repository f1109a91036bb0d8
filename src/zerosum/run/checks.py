"""The checks of a run as it trains: when one is due, what it writes, and whether it is the best so far by more than noise."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from zerosum.data.source import Data
from zerosum.run.cadence import SIZES, next_check
from zerosum.run.pace import Horizon
from zerosum.run.record import Row
from zerosum.run.rounds import Rounds
from zerosum.run.signals import Signals


class Checks:
    """rows: the checks in the record so far, which a resumed run goes on from."""

    def __init__(self, rows: Sequence[Row], data: Data, rounds: Rounds, horizon: Horizon) -> None:
        self._signals = Signals(data, rounds)
        self._horizon, self._a_round = horizon, rounds.samples_a_round
        self._apart = -(-SIZES[data.space.kind].apart // self._a_round)
        self._last: int | None = rows[-1]["round"] if rows else None

    def due(self, t: int) -> bool:
        """Whether the state after t rounds is to be looked at."""
        end = self._horizon.samples
        return t >= next_check(self._last, None if end is None else -(-end // self._a_round), self._apart)

    def look(self, t: int, statistics: Tensor | None) -> dict[str, Any]:
        """The numbers of the check after t rounds; statistics: of round t."""
        self._last = t
        return self._signals.look(statistics)
