"""The display of a run in training, on standard error: live on a terminal and in a notebook, elsewhere a plain line every ten seconds.

Drawing takes time from training, so the display measures itself: it draws at most four times a second, for at most a hundredth of the
time. It has no thread of its own.
"""

from __future__ import annotations

import os
import sys
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TextIO

from zerosum.errors import printable
from zerosum.report.board import LiveRun, board, line
from zerosum.report.notebook import Cell, in_notebook
from zerosum.report.numbers import duration
from zerosum.report.text_table import columns

if TYPE_CHECKING:
    from rich.live import Live

_AGAIN = 0.25  # seconds between two drawings, at least
_COST = 100  # a drawing that took t seconds is followed by none for 100 t
_PLAIN = 10.0  # seconds between two plain lines
_LONG = 30.0  # seconds left that are worth showing


def is_terminal(stream: TextIO) -> bool:
    """Whether a stream is a terminal on which lines can be rewritten."""
    return stream.isatty() and os.environ.get("TERM") not in ("dumb", "unknown")


class Display:
    """A training's listener and a context manager: `row` takes the record's rows, `progress` the counters after each step.

    run: the run's folder, for the grids' paths. quiet: show nothing at all. stream: where to; default standard error.
    Both calls return at once unless something is due to be drawn, and draw without waiting for any device.
    """

    def __init__(
        self,
        run: Path | str | None = None,
        *,
        quiet: bool = False,
        stream: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._state = LiveRun(run=None if run is None else Path(run))
        self._quiet = quiet
        self._stream = sys.stderr if stream is None else stream
        self._clock = clock
        self._due = 0.0
        self._live: Live | Cell | None = None
        self._speeds: deque[tuple[float, int]] = deque(maxlen=64)

    def __enter__(self) -> Self:
        if not self._quiet and self._stream is sys.stderr and in_notebook():
            self._live = Cell()
        elif not self._quiet and is_terminal(self._stream):
            from rich.console import Console
            from rich.live import Live

            # Redirect standard output only where it is the same terminal: a print then appears above the board.
            self._live = Live(
                console=Console(file=self._stream, highlight=False),
                auto_refresh=False,
                redirect_stdout=sys.stdout.isatty(),
                vertical_overflow="crop",
            )
            self._live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Draw the last state and restore the terminal, however the training ended."""
        live, self._live = self._live, None
        if live is None:
            if not self._quiet and self._state.samples and self._state.stop is None:
                self._tell()
            return
        with suppress(OSError, ValueError):
            try:
                live.update(board(self._state), refresh=False)
            finally:
                live.stop()

    def row(self, row: dict[str, Any]) -> None:
        """Show a row of the record (docs/run-folder.md). Unknown types are ignored."""
        news = self._state.take(row)
        if self._quiet:
            return
        if self._live is None:
            if self._state.stop is row:
                self._tell()
            if news:
                self._say(news)
        else:
            self._draw()

    def progress(self, samples: int, horizon: int | None, seconds: float) -> None:
        """Show samples seen, samples at which the run ends (None while unknown), and seconds of training over all starts."""
        self._state.samples, self._state.horizon, self._state.seconds = samples, horizon, seconds
        if not self._speeds:
            self._speeds.append((seconds, samples))
            # A plain line would not know the speed yet, so it waits a second; a board is shown at once.
            self._due = self._clock() + (1.0 if self._live is None else 0.0)
        if not self._quiet:
            self._draw()

    def _draw(self) -> None:
        now = self._clock()
        if now < self._due:
            return
        if self._live is None:
            self._tell()
            self._due = now + _PLAIN
            return
        self._state.rate = self._rate()
        try:
            self._live.update(board(self._state), refresh=True)
        except (OSError, ValueError):
            self._quiet = True
        self._due = now + max(_AGAIN, _COST * (self._clock() - now))

    def _rate(self) -> float | None:
        """Samples a second over the last drawings, over 10 s where possible; None at the start."""
        here = (self._state.seconds, self._state.samples)
        while self._speeds and (here[1] < self._speeds[-1][1] or here[0] < self._speeds[-1][0]):
            self._speeds.pop()
        self._speeds.append(here)
        while len(self._speeds) > 2 and here[0] - self._speeds[1][0] >= _PLAIN:
            self._speeds.popleft()
        elapsed = here[0] - self._speeds[0][0]
        return (here[1] - self._speeds[0][1]) / elapsed if elapsed > 0 else None

    def _tell(self) -> None:
        self._state.rate = self._rate()
        self._say(line(self._state))

    def _say(self, words: str) -> None:
        try:
            print(printable(words), file=self._stream, flush=True)
        except (OSError, ValueError):  # Nobody reads it any more, and a training does not end for that.
            self._quiet = True


class CountProgress:
    """A progress line for `progress=` parameters: called with a label, how many are done, and of how many.

    One line rewritten in place on a terminal; elsewhere a line every ten seconds. Work under a second is not shown, nor is a time left
    under half a minute.
    """

    def __init__(self, *, quiet: bool = False, stream: TextIO | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._quiet, self._stream, self._clock = quiet, stream, clock
        self._label: str | None = None
        self._due = self._began = 0.0
        self._shown = False

    def __call__(self, label: str, done: int, total: int) -> None:
        """Show progress. label: what is being done, such as "Reading images". done reaches total once, at the end."""
        if self._quiet:
            return
        now = self._clock()
        stream = sys.stderr if self._stream is None else self._stream
        notebook = stream is sys.stderr and in_notebook()
        live = is_terminal(stream) or notebook
        if label != self._label:
            self._label, self._began, self._due, self._shown = label, now, now + (1.0 if live else _PLAIN), False
        over = done >= total
        if now < self._due and not (over and self._shown):
            return
        part = f" ({100 * done // total} %)" if total else ""
        left = (now - self._began) * (total - done) / done if done else 0.0
        words = f"{printable(label)}: {done:,} of {total:,}{part}{f', {duration(left)} left' if left >= _LONG else ''}"
        # A line that the terminal would wrap could not be rewritten.
        words = words[: columns() - 1] if live else words
        rest = " " * (columns() - 1 - len(words)) if notebook else "\x1b[K"
        try:
            print(f"\r{words}{rest}" if live else words, end="" if live and not over else "\n", file=stream, flush=True)
        except (OSError, ValueError):
            self._quiet = True
        self._shown, self._due = not over, now + (_AGAIN if live else _PLAIN)


reading = CountProgress()
