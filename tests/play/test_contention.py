"""The share of time in which threads wait for a processor."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from zerosum.play.contention import Contention, Times, thread_times


def _reader(*readings: dict[str, Times]) -> Iterator[dict[str, Times]]:
    return iter(readings)


def test_the_share_is_over_all_threads_since_the_last_call() -> None:
    readings = _reader({"1": (100, 50)}, {"1": (130, 60), "2": (20, 40)}, {"1": (140, 60), "2": (20, 40)})
    contention = Contention(lambda: next(readings))
    assert contention.share() == pytest.approx(50 / 100)  # 30 + 20 run, 10 + 40 waited; the second thread began in between
    assert contention.share() == 0


@pytest.mark.parametrize("later", [{}, {"1": (100, 50)}])
def test_it_is_unknown_where_nothing_is_counted(later: dict[str, Times]) -> None:
    readings = _reader({"1": (100, 50)} if later else {}, later)
    assert Contention(lambda: next(readings)).share() is None


@pytest.mark.skipif(sys.platform != "linux", reason="the files are Linux's")
def test_this_process_has_threads_that_have_run() -> None:
    times = thread_times()
    assert times
    assert all(ran >= 0 and waited >= 0 for ran, waited in times.values())
    assert any(ran > 0 for ran, _ in times.values())
