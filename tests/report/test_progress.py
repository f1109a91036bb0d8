import io
import os
import pty
import re
import signal
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from zerosum.report import figures
from zerosum.report.board import LiveRun, board, line, score, stopped, trend
from zerosum.report.progress import CountProgress, Display


class Clock:
    """Time that passes when told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def shown(state: LiveRun, width: int = 100) -> str:
    console = Console(file=io.StringIO(), width=width, force_terminal=False)
    console.print(board(state))
    output = console.file
    assert isinstance(output, io.StringIO)
    return output.getvalue()


def state_after(rows: list[dict[str, Any]], samples: int, horizon: int | None) -> LiveRun:
    state = LiveRun(run=Path("runs/demo"), rate=100.0)
    for row in rows:
        state.take(row)
    state.samples, state.horizon = samples, horizon
    return state


def test_the_board_shows_everything(rows: list[dict[str, Any]]) -> None:
    text = shown(state_after(rows[:-1], 12_000, 18_000))
    for part in ("12,000 of 18,000 samples", "100 per second", "1 min left", "-1.39 = -log 4", "D(G(z))", "loss of D", "rising", "falling"):
        assert part in text
    assert "2.00 [1.80, 2.20] (real data: 0.400)" in text
    assert str(Path("runs/demo/grids/000000800.png")) in text


def test_a_game_without_probabilities_says_so(rows_without_probability: list[dict[str, Any]]) -> None:
    state = state_after(rows_without_probability[:10], 100, None)
    text = shown(state)
    assert "V(D, G)" not in text
    assert "mean logit" in text
    assert "accuracy of D" in text
    assert "measuring the speed" in text
    assert "mean logit" in line(state)


def test_a_game_without_an_accuracy_shows_none(rows_without_probability: list[dict[str, Any]]) -> None:
    for row in rows_without_probability:
        row |= {"accuracy": None} if "accuracy" in row else {}
    state = state_after(rows_without_probability[:10], 100, None)
    assert "mean logit" in shown(state)
    assert "accuracy" not in shown(state) + line(state)
    assert figures.accuracy(rows_without_probability) is None


@pytest.mark.parametrize("width", [20, 40, 200])
def test_the_board_fits_any_width(rows: list[dict[str, Any]], width: int) -> None:
    assert max(map(len, shown(state_after(rows, 5, 10), width).splitlines())) <= width


@pytest.mark.parametrize(("width", "above"), [(50, True), (100, False)])
def test_on_a_narrow_terminal_names_are_above_their_texts(rows: list[dict[str, Any]], width: int, above: bool) -> None:
    lines = [line.rstrip() for line in shown(state_after(rows, 5, 10), width).splitlines()]
    assert ("loss of D" in lines) is above
    assert "" not in lines
    whole = set(shown(state_after(rows, 5, 10), 1000).split())
    assert {word for line in lines[2:] for word in line.split()} <= whole  # No word is broken.


def test_reading_never_needs_more_than_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "24")
    out, clock = Terminal(), Clock()
    reading = CountProgress(stream=out, clock=clock)
    for done in range(0, 401, 10):
        reading("Reading images", done, 400)
        clock.now += 0.1
    assert max(len(line.replace("\x1b[K", "")) for line in re.split(r"[\r\n]", out.getvalue())) < 24


def test_odd_rows_are_shown_not_raised() -> None:
    state = LiveRun()
    nothing = dict.fromkeys(("V", "D_real", "a", "b", "accuracy", "loss_d", "loss_g"))
    for row in (
        {"type": "signals", **nothing},
        {"type": "signals", "V": float("nan")},
        {"type": "score"},
        {"type": "threads"},
        {"type": "threads", "threads": "two", "most": None},
        {"type": "new"},
        {},
        {"type": "stop"},
    ):
        state.take(row)
        assert shown(state)
        assert line(state)
    state.take({"type": "grid", "file": "[bold]x[/nonsense].png"})
    assert "[bold]x[/nonsense].png" in shown(state)


@pytest.mark.parametrize(("waited", "told"), [(None, False), (0.02, False), (0.19, False), (0.45, True)])
def test_a_neighbour_that_slows_the_training_is_told(waited: float | None, told: bool) -> None:
    state = LiveRun(samples=100)
    state.take({"type": "signals", "samples": 100, "seconds": 1.0, "waited": waited})
    sentence = "slowed by other programs: 45 % of the time waiting for a processor"
    assert (sentence in line(state), sentence in shown(state, 200)) == (told, told)


def test_threads_that_other_programs_took_are_told_until_they_come_back() -> None:
    state, sentence = LiveRun(samples=100), "slowed by other programs: 1 of 2 threads"
    rows = [(1, True, False), (1, False, True), (2, True, True), (1, False, True), (2, True, True), (2, False, False)]
    for threads, trial, told in rows:
        state.take({"type": "threads", "threads": threads, "most": 2, "trial": trial})
        assert (sentence in line(state), sentence in shown(state, 200)) == (told, told)


@pytest.mark.parametrize("reason", ["plateaued"])
def test_a_plateau_is_read_from_new_and_old_records(reason: str) -> None:
    assert stopped({"type": "stop", "reason": reason}) == "Stopped at a plateau: it no longer improved."


def test_trend_needs_two_standard_errors() -> None:
    def rows(values: list[float | None]) -> list[dict[str, Any]]:
        return [{"x": v} for v in values]

    assert trend(rows([1, 2, 3, 4, 5, 6]), "x") == "rising"
    assert trend(rows([6, 5, 4, 3, 2, 1]), "x") == "falling"
    assert trend(rows([1, 2, 1, 2, 1, 2, 1, 2]), "x") == "steady"
    assert trend(rows([1, 1, 1, 1, 1, 1]), "x") == "steady"
    assert trend(rows([1, 2, 3, 4, 5]), "x") == ""
    assert trend(rows([1, None, 3, float("nan"), 5, 6]), "x") == ""


def test_a_score_without_interval_or_floor() -> None:
    assert score({"value": 4.81}) == "4.81"
    assert score({"value": None, "note": "No mode was reached."}) == "not available: No mode was reached."
    assert score({"value": 4.81, "low": 4.6, "high": 5.0, "floor": None}) == "4.81 [4.60, 5.00]"
    assert score({"value": 4.81, "floor": 0.4, "better": "lower"}) == "4.81 (lower is better; real data: 0.400)"


def test_plain_lines_every_ten_seconds(rows: list[dict[str, Any]]) -> None:
    out, clock = io.StringIO(), Clock()
    with Display("runs/demo", stream=out, clock=clock) as display:
        for second in range(45):
            clock.now = float(second)
            display.progress(200 * second, 20_000, float(second))
    lines = out.getvalue().splitlines()
    # At 1, 11, 21, 31 and 41 s, and once at the end.
    assert len(lines) == 6
    assert lines[1].startswith("2,200 of 20,000 samples  200 per second  1 min 29 s left")
    assert "\x1b" not in out.getvalue()


def test_plain_news_is_told_at_once(rows: list[dict[str, Any]]) -> None:
    out = io.StringIO()
    with Display("runs/demo", stream=out, clock=Clock()) as display:
        for row in rows:
            display.row(row)
    assert out.getvalue().splitlines()[0] == f"samples in {Path('runs/demo/grids/000000100.png')}"
    assert "frechet 8.00 [7.20, 8.80] (real data: 0.400)" in out.getvalue()
    before, last = out.getvalue().splitlines()[-2:]
    assert before.startswith("51,200 of 51,200 samples")
    assert last == "Finished."


def test_quiet_is_silent(rows: list[dict[str, Any]]) -> None:
    for out in (io.StringIO(), Terminal()):
        with Display(stream=out, quiet=True, clock=Clock()) as display:
            for row in rows:
                display.row(row)
                display.progress(1, 2, 3.0)
        assert out.getvalue() == ""


def test_the_speed_is_the_recent_one_and_a_resume_keeps_its_seconds() -> None:
    clock = Clock()
    display = Display(stream=io.StringIO(), clock=clock)
    samples, seconds = 50_000, 1000.0
    for step in range(100):
        clock.now += 1.0
        speed = 100 if step < 50 else 400
        samples, seconds = samples + speed, seconds + 1.0
        display.progress(samples, 10**6, seconds)
    assert display._state.rate == pytest.approx(400, rel=0.01)


def test_at_most_four_drawings_a_second_and_a_hundredth_of_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    clock, drawn, cost = Clock(), [], 0.0

    def costly(state: LiveRun) -> str:
        drawn.append(clock.now)
        clock.now += cost
        return "board"

    monkeypatch.setattr("zerosum.report.progress.board", costly)
    for takes, least in ((0.0, 0.25), (0.02, 2.0)):
        cost = takes
        drawn.clear()
        with Display(stream=Terminal(), clock=clock) as display:
            for _ in range(1000):
                clock.now += 0.01
                display.progress(1, 2, clock.now)
            gaps = [b - a for a, b in pairwise(drawn)]
        assert len(gaps) >= 3
        assert least - 1e-9 <= min(gaps)
        assert max(gaps) <= least + 0.05


INTERRUPTED = """
import time
from zerosum.report.progress import Display
with Display("runs/demo") as display:
    for i in range(2000):
        display.progress(64 * i, 10**6, i / 100)
        time.sleep(0.01)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_ctrl_c_gives_the_terminal_back() -> None:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED], stdin=theirs, stdout=theirs, stderr=theirs, env={**os.environ, "TERM": "xterm"}
    )
    os.close(theirs)
    seen, deadline = b"", time.monotonic() + 60
    try:
        while b"samples" not in seen and time.monotonic() < deadline:
            seen += os.read(ours, 65536)
        process.send_signal(signal.SIGINT)
        while time.monotonic() < deadline:
            try:
                more = os.read(ours, 65536)
            except OSError:  # Linux's word for a terminal that nobody holds any more
                break
            if not more:
                break
            seen += more
        assert process.wait(timeout=30) != 0
    finally:
        process.kill()
        process.wait()
        os.close(ours)
    text = seen.decode(errors="replace")
    assert text.rfind("\x1b[?25l") < text.rfind("\x1b[?25h")
    assert re.search(r"of 1,000,000 samples", text)
    assert "KeyboardInterrupt" in text[text.rfind("\x1b[?25h") :]


def test_reading_rewrites_one_line_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    out, clock = Terminal(), Clock()
    reading = CountProgress(stream=out, clock=clock)
    for done in range(0, 401, 10):
        reading("Reading images", done, 400)
        clock.now += 0.1
    assert "\r" in out.getvalue()
    assert out.getvalue().count("\n") == 1
    assert out.getvalue().endswith("Reading images: 400 of 400 (100 %)\x1b[K\n")


def test_reading_that_takes_long_tells_how_long() -> None:
    out, clock = io.StringIO(), Clock()
    reading = CountProgress(stream=out, clock=clock)
    reading("Reading images", 0, 1000)
    clock.now += 90.0
    reading("Taking features", 0, 1000)
    for done in range(100, 1001, 100):
        clock.now += 20.0
        reading("Taking features", done, 1000)
    assert out.getvalue().splitlines()[0] == "Taking features: 100 of 1,000 (10 %), 3 min left"
    assert out.getvalue().splitlines()[-2:] == ["Taking features: 900 of 1,000 (90 %)", "Taking features: 1,000 of 1,000 (100 %)"]


def test_reading_in_plain_lines_and_quick_things_unmentioned() -> None:
    out, clock = io.StringIO(), Clock()
    reading = CountProgress(stream=out, clock=clock)
    for done in range(11):
        reading("Quick", done, 10)
    assert out.getvalue() == ""
    for done in range(26):
        reading("Caching", done, 25)
        clock.now += 1.0
    assert out.getvalue().splitlines() == ["Caching: 10 of 25 (40 %)", "Caching: 20 of 25 (80 %)", "Caching: 25 of 25 (100 %)"]
