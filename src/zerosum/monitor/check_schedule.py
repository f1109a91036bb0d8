"""When a run is checked: a function of rounds and horizon alone, so that a resumed run is checked where it would have been."""

from __future__ import annotations

GROWTH = 0.25  # of the rounds played so far: the first checks come early, and a run without a known end is checked ever more rarely
A_RUN = 50  # evenly spaced checks of a run whose end is known, at most


def next_check(last: int | None, horizon: int | None, apart: int) -> int:
    """The round before which the next check is due.

    last: the round of the last check; None before the first, which is of the untrained players. horizon: rounds of the run, None while it
    is not fixed. apart: rounds between two checks, at least. The end of a run is always checked, and no check comes just before it.
    """
    if last is None:
        return 0
    gap = int(GROWTH * last) if horizon is None else min(int(GROWTH * last), horizon // A_RUN)
    due = last + max(apart, gap, 1)
    if horizon is None or due + apart // 2 < horizon or last >= horizon:
        return due
    return horizon
