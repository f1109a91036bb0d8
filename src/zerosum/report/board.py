"""What the display knows about a run, and its layout: a board of a few lines for a terminal, or one plain line."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zerosum.errors import printable
from zerosum.report.numbers import ABSENT, count, duration, finite, number, share
from zerosum.report.words import DIRECTIONS, STOPS
from zerosum.verdict import Verdict, verdict

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderableType, RenderResult

_KEPT = 12  # newest rows of signals from which a trend is read
_SLOWED = 0.2  # share of time in which threads wait for a processor, from which it is told; alone on a machine it is about 0.02


@dataclass
class LiveRun:
    """The newest numbers of a run in training.

    samples: seen so far. horizon: samples at which the run ends, None while unknown. seconds: of training. rate: samples a second.
    threads: how many compute the steps, and the most that may; None where that has not changed.
    """

    run: Path | None = None
    samples: int = 0
    horizon: int | None = None
    seconds: float = 0.0
    rate: float | None = None
    signals: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=_KEPT))
    scores: dict[str, dict[str, Any]] = field(default_factory=dict)
    checks: list[dict[str, Any]] = field(default_factory=list)
    verdict: Verdict | None = None
    grid: str | None = None
    complaint: str | None = None
    threads: tuple[int, int] | None = None
    stop: dict[str, Any] | None = None

    def take(self, row: dict[str, Any]) -> str | None:
        """Update from a row of the record. Return a sentence where the row deserves a plain line of its own."""
        if isinstance(samples := row.get("samples"), int):
            self.samples = samples
        if (seconds := finite(row.get("seconds"))) is not None:
            self.seconds = seconds
        match row.get("type"):
            case "signals":
                self.signals.append(row)
            case "check":
                self.checks.append(row)
                self.verdict = verdict(self.checks)
            case "score":
                self.scores[str(row.get("name"))] = row
                return f"{row.get('name')} {score(row)}"
            case "threads" if not row.get("trial") and isinstance(row.get("threads"), int) and isinstance(row.get("most"), int):
                self.threads = (row["threads"], row["most"])
            case "grid":
                self.grid = str(row.get("file")) if self.run is None else str(self.run / str(row.get("file")))
                return f"samples in {self.grid}"
            case "stop":
                self.stop = row
                return stopped(row)
            case "complaint":
                self.complaint = f"{row.get('message')} (at {count(self.samples)} samples)"
                return f"Warning: {self.complaint}"
            case "start" | "horizon" if isinstance(row.get("horizon"), int):
                self.horizon = row["horizon"]
        return None


def stopped(row: dict[str, Any]) -> str:
    """A stop row in words."""
    reason = str(row.get("reason"))
    return " ".join(part for part in (STOPS.get(reason, f"Stopped: {reason}."), str(row.get("message") or "")) if part)


def score(row: dict[str, Any]) -> str:
    """A score with interval, direction and reference, as far as known: 4.81 [4.60, 5.02] (lower is better; real data: 0.40)."""
    if finite(row.get("value")) is None:
        return f"not available: {row['note']}" if row.get("note") else ABSENT
    low, high, floor = (finite(row.get(key)) for key in ("low", "high", "floor"))
    interval = f" [{number(low)}, {number(high)}]" if low is not None and high is not None else ""
    real = f"real data: {number(floor)}" if floor is not None else ""
    context = "; ".join(part for part in (DIRECTIONS.get(str(row.get("better")), ""), real) if part)
    return number(row.get("value")) + interval + (f" ({context})" if context else "")


def trend(rows: Sequence[dict[str, Any]], key: str) -> str:
    """One word for the direction of a signal: rising, falling or steady; "" for fewer than six values.

    The newer half's mean is compared with the older's: a difference of two standard errors counts.
    """
    values = [v for row in rows if (v := finite(row.get(key))) is not None]
    if len(values) < 6:
        return ""
    half = len(values) // 2
    (old, old_error), (new, new_error) = (_mean(part) for part in (values[:half], values[-half:]))
    if abs(new - old) <= 2 * math.hypot(old_error, new_error):
        return "steady"
    return "rising" if new > old else "falling"


def _mean(values: list[float]) -> tuple[float, float]:
    n, mean = len(values), sum(values) / len(values)
    return mean, math.sqrt(sum((v - mean) ** 2 for v in values) / (n - 1) / n)


def has_probabilities(signals: dict[str, Any]) -> bool:
    """Whether D's output is a probability in this game, so that the row has V(D, G) and D(x)."""
    return any(signals.get(key) is not None for key in ("V", "D_real", "D_fake"))


def outputs_of_d(signals: dict[str, Any]) -> list[tuple[str, str]]:
    """D's outputs, as (name, text): V and probabilities or, in games without them, the logits and, where the game has one, the accuracy."""
    if has_probabilities(signals):
        return [
            ("V(D, G)", f"{number(signals.get('V'))}  (-1.39 = -log 4 where D can only guess)"),
            ("D(x)", f"{number(signals.get('D_real'))}  D(G(z)) {number(signals.get('D_fake'))}  (both 0.5 where D can only guess)"),
        ]
    found = [("mean logit", f"real {number(signals.get('a'))}, generated {number(signals.get('b'))}")]
    if finite(signals.get("accuracy")) is not None:
        found.append(("accuracy of D", f"{share(signals.get('accuracy'))}  (50 % where D can only guess)"))
    return found


def _left(state: LiveRun) -> str:
    if state.horizon is None:
        return "measuring the speed"
    if state.samples >= state.horizon:
        return "done"
    return f"{duration((state.horizon - state.samples) / state.rate)} left" if state.rate else ""


def _counted(state: LiveRun) -> list[str]:
    of = "" if state.horizon is None else f" of {count(state.horizon)}"
    speed = f"{count(state.rate)} per second" if state.rate else ""
    return [part for part in (f"{count(state.samples)}{of} samples", speed, _left(state), _slowed(state)) if part]


def _slowed(state: LiveRun) -> str:
    """Says so where other programs use the processors that this training waits for; else ""."""
    if state.threads is not None and state.threads[0] < state.threads[1]:
        return "slowed by other programs: {} of {} threads, since more are slower beside them".format(*state.threads)
    waited = finite(state.signals[-1].get("waited")) if state.signals else None
    return f"slowed by other programs: {share(waited)} of the time waiting for a processor" if waited and waited >= _SLOWED else ""


def line(state: LiveRun) -> str:
    """One plain line: samples, speed, time left, D's outputs, losses and the verdict."""
    parts = _counted(state)
    if state.signals:
        now = state.signals[-1]
        if has_probabilities(now):
            parts.append(f"V(D, G) {number(now.get('V'))} (-1.39 at p_g = p_data)")
            parts.append(f"D(x) {number(now.get('D_real'))}, D(G(z)) {number(now.get('D_fake'))}")
        else:
            parts.append(f"mean logit {number(now.get('a'))} real, {number(now.get('b'))} generated")
            if finite(now.get("accuracy")) is not None:
                parts.append(f"accuracy of D {share(now.get('accuracy'))}")
        parts.append(f"loss of D {number(now.get('loss_d'))}, of G {number(now.get('loss_g'))}")
    if state.verdict is not None:
        parts.append(f"verdict: {state.verdict.state}")
    return "  ".join(parts)


def board(state: LiveRun) -> RenderableType:
    """The board for a terminal of any width."""
    from rich.console import Group
    from rich.progress_bar import ProgressBar
    from rich.table import Table
    from rich.text import Text

    bar = Table.grid(expand=True)
    bar.add_row(ProgressBar(total=state.horizon or None, completed=state.samples, complete_style="green", pulse=state.horizon is None))
    return Group(bar, Text("   ".join(_counted(state))), _Facts(_facts(state)))


class _Facts:
    """Names beside their texts or, on a narrow terminal, above them."""

    NARROW = 60

    def __init__(self, facts: Sequence[tuple[str, str]]) -> None:
        self.facts = facts

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        from rich.padding import Padding
        from rich.table import Table
        from rich.text import Text

        if options.max_width < self.NARROW:
            for name, text in self.facts:
                if name:
                    yield Text(printable(name), style="dim")
                yield Padding(Text(printable(text)), (0, 0, 0, 2))
            return
        table = Table.grid(padding=(0, 2))
        table.add_column(style="dim", no_wrap=True)
        table.add_column()
        for name, text in self.facts:
            table.add_row(Text(printable(name)), Text(printable(text)))
        yield table


def _facts(state: LiveRun) -> list[tuple[str, str]]:
    facts = [] if state.verdict is None else [("verdict", state.verdict.line)]
    if state.signals:
        now = state.signals[-1]
        facts += outputs_of_d(now)
        for who, key in (("D", "loss_d"), ("G", "loss_g")):
            facts.append((f"loss of {who}", f"{number(now.get(key))}  {trend(state.signals, key)}"))
    facts += [(name, f"{score(row)}  at {count(row.get('samples'))} samples") for name, row in state.scores.items()]
    if state.grid is not None:
        facts.append(("samples", state.grid))
    if state.complaint is not None:
        facts.append(("warning", state.complaint))
    if state.stop is not None:
        facts.append(("", stopped(state.stop)))
    return facts
