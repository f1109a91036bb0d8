"""When a run is checked: a function of the steps and the horizon alone, so that a resumed run is checked at the same steps."""

from __future__ import annotations

GROWTH = 0.25  # of the steps so far, between two checks: frequent at first, then less and less while the end is not known
A_RUN = 50  # evenly spaced checks of a run whose end is known, at most


def next_check(last: int | None, horizon: int | None, apart: int) -> int:
    """The step before which the next check is due.

    last: the step of the last check; None before the first, which is of the untrained players. horizon: steps of the run, None while it
    is not fixed. apart: steps between two checks, at least. The end of a run is always checked, and no check comes just before it.
    """
    if last is None:
        return 0
    gap = int(GROWTH * last) if horizon is None else min(int(GROWTH * last), horizon // A_RUN)
    due = last + max(apart, gap, 1)
    if horizon is None or due + apart // 2 < horizon or last >= horizon:
        return due
    return horizon
