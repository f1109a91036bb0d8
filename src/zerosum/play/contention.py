"""Whether other programs slow this one: the share of time for which its threads waited for a processor, as Linux counts it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

Times = tuple[int, int]  # nanoseconds that a thread has run, and that it was ready to run and had no processor

CROWDED = 0.2
"""Share of time waiting for a processor from which other programs slow this one; alone on a machine it is about 0.02."""

_TASKS = Path("/proc/self/task")


def thread_times() -> dict[str, Times]:
    """The times of every thread of this process by its id, from /proc/self/task/ID/schedstat; empty where the system has no such file."""
    found = {}
    with suppress(OSError):
        for task in _TASKS.iterdir():
            with suppress(OSError, ValueError):  # A thread may end while it is read.
                ran, waited, *_ = map(int, (task / "schedstat").read_text().split())
                found[task.name] = (ran, waited)
    return found


class Contention:
    """Call `share` now and then: the share of the time since the last call (or since this began) that went to waiting."""

    def __init__(self, read: Callable[[], dict[str, Times]] = thread_times) -> None:
        self._read, self._before = read, read()

    def share(self) -> float | None:
        """Waiting as a share of running and waiting together, over all threads, from 0 to 1; None where it is not known."""
        before, self._before = self._before, self._read()
        ran = sum(now[0] - before.get(task, (0, 0))[0] for task, now in self._before.items())
        waited = sum(now[1] - before.get(task, (0, 0))[1] for task, now in self._before.items())
        return waited / (ran + waited) if ran + waited > 0 else None
