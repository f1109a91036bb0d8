"""Which of several programs is fastest, timed in turns: noise must not make it choose one that is clearly slower than the best.

Each round runs every program once, so that a slow moment of the machine meets all of them; what is compared is the median over the rounds
of each program's time as a multiple of the first one's in the same round.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import accumulate
from statistics import median

LEAST, MOST = 7, 61  # rounds
CLEARLY = 1.15  # A program whose fastest call takes this many times as long as the best's, after LEAST rounds, is timed no further.
LATE = 1.5  # times the budget, after which a race that has not had LEAST rounds is given up
WORTH = 0.98  # The first program, which the rule names, is replaced by one that needs less than this share of its time.

Clock = Callable[[], float]


@dataclass(frozen=True)
class Result:
    """chosen: a program's name. seconds: by name, the median time of a call. relative: to the first program, the median over rounds.

    rounds: how often each was timed. spent: seconds in all, by the wall.
    """

    chosen: str
    seconds: dict[str, float]
    relative: dict[str, float]
    rounds: dict[str, int]
    spent: float


def race(works: Mapping[str, Callable[[], object]], budget: float, now: Clock, wall: Clock) -> Result:
    """Times the programs for about `budget` seconds of `wall` and names the fastest; the first is the one to keep in doubt.

    now: the clock that times a call, in seconds. No program is judged on fewer than LEAST rounds: where the budget is too short for
    those, the first is chosen.
    """
    names, begun = list(works), wall()
    # First calls prepare primitives and do not count, but say how many programs there is time for.
    first: list[float] = []
    for work in works.values():
        if not first or wall() - begun < budget / 2:
            first.append(_call(work, wall))
    racing = names[: max(1, _affordable(first, budget - (wall() - begun)))]
    taken: dict[str, list[float]] = {name: [] for name in racing}
    while len(racing) > 1 and len(taken[names[0]]) < MOST:
        for name in racing:
            taken[name].append(_call(works[name], now))
        if len(taken[names[0]]) < LEAST:
            if wall() - begun > LATE * budget:
                racing = names[:1]  # The machine has become too slow to judge any.
            continue
        fastest = {name: min(taken[name]) for name in racing}
        racing = [name for name in racing if name == names[0] or fastest[name] < CLEARLY * min(fastest.values())]
        if wall() - begun > budget:
            break
    found = _relative(taken, names[0])
    left = {name: found[name] for name in racing if name in found}
    best = min(left, key=left.__getitem__, default=names[0])
    chosen = best if left.get(best, 1.0) < WORTH else names[0]
    timed = {name: times for name, times in taken.items() if times}
    return Result(chosen, {n: median(t) for n, t in timed.items()}, found, {n: len(t) for n, t in timed.items()}, wall() - begun)


def _affordable(first: list[float], seconds: float) -> int:
    """How many programs, in their order, can have LEAST calls each. first: seconds of the first call, which a slow moment may lengthen."""
    likely = accumulate(LEAST * min(mine, 2 * min(first)) for mine in first)
    return sum(1 for total in likely if total <= seconds)


def _call(work: Callable[[], object], now: Clock) -> float:
    start = now()
    work()
    return now() - start


def _relative(taken: Mapping[str, list[float]], first: str) -> dict[str, float]:
    """Each program's time as a multiple of the first's in the same round, the median over its rounds."""
    return {
        name: median(mine / max(base, 1e-12) for mine, base in zip(times, taken[first], strict=False))
        for name, times in taken.items()
        if times
    }
