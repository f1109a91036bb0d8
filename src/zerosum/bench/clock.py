"""Two programs timed in one process, turn by turn, so that neither has a quieter machine than the other."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import Any

import torch

Work = Callable[[], object]


@dataclass(frozen=True)
class Timing:
    """Seconds a call of each program, medians over the turns, and the quotients of each turn.

    ratios: the reference's seconds over ours, a number a turn, ascending. clock: "processor" or "wall".
    """

    ours: float
    reference: float
    ratios: tuple[float, ...]
    clock: str

    @property
    def ratio(self) -> float:
        return median(self.ratios)

    def row(self, name: str, what: str, n: int) -> dict[str, Any]:
        """A line of `zerosum bench`, for programs that make n samples a call."""
        return {
            "name": name,
            "what": what,
            "ours": n / self.ours,
            "reference": n / self.reference,
            "ratio": self.ratio,
            "lowest": self.ratios[0],
            "highest": self.ratios[-1],
            "unit": "samples/s",
            "turns": len(self.ratios),
            "clock": self.clock,
        }


def clock() -> tuple[str, Callable[[], float]]:
    """The name of the clock that is right for this process, and the clock, in seconds."""
    # With one thread the processor's own time leaves out what other programs took of the machine.
    single = torch.get_num_threads() == 1 and not torch.cuda.is_available()
    return ("processor", time.process_time) if single else ("wall", time.perf_counter)


def _turn(work: Work, calls: int, now: Callable[[], float]) -> float:
    start = now()
    for _ in range(calls):
        work()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return (now() - start) / calls


def interleaved(ours: Work, reference: Work, *, turns: int, seconds: float) -> Timing:
    """Times both, `turns` times each in alternation, in turns of about `seconds`; the first calls of each are not counted.

    turns >= 1; seconds > 0, of which at least one call is made.
    """
    name, now = clock()
    calls = []
    for work in (ours, reference):
        _turn(work, 2, now)
        calls.append(max(1, round(seconds / max(_turn(work, 1, now), 1e-9))))
    taken = [(_turn(ours, calls[0], now), _turn(reference, calls[1], now)) for _ in range(turns)]
    return Timing(median(a for a, _ in taken), median(b for _, b in taken), tuple(sorted(b / a for a, b in taken)), name)
