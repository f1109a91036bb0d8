"""The line `memory`, on nets that take no time."""

from __future__ import annotations

import pytest

from zerosum.bench import peak
from zerosum.bench.games import GAMES, small
from zerosum.commands.bench import told
from zerosum.errors import Refusal


def test_memory_is_measured_of_both_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    """In this process, for a start of torch apiece is slow: the peaks are then those of the tests, and no ratio is asked of them."""
    monkeypatch.setattr(peak, "_measured", lambda who, name, threads, tiny: peak.play(who, small(GAMES[name]), threads))
    row = peak.memory_line(threads=1, tiny=True)
    assert row["ours"] > 2**24  # bytes: torch alone takes more
    assert row["reference"] >= row["ours"]  # A peak does not fall.
    assert min(row["above_start"].values()) >= 0
    assert "more than at its start" in told(row)


def test_where_the_system_keeps_no_peak_the_line_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peak, "MEASURABLE", False)
    with pytest.raises(Refusal, match="Windows"):
        peak.memory_line(threads=1, tiny=True)
