"""The output of a command that trains: the display on the way, and the summary at the end."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zerosum.commands.bugs import logged_in
from zerosum.commands.terminal import tell
from zerosum.errors import Refusal
from zerosum.report.next_commands import next_commands
from zerosum.report.numbers import duration
from zerosum.report.progress import Display
from zerosum.report.text_table import paragraph

if TYPE_CHECKING:
    from zerosum.report.tensorboard import TensorBoard
    from zerosum.runs.run import Run
    from zerosum.training.launch import Listener


class Several:
    """Listeners as one."""

    def __init__(self, *listeners: Listener) -> None:
        self._listeners = listeners

    def row(self, row: dict[str, Any]) -> None:
        for listener in self._listeners:
            listener.row(row)

    def progress(self, samples: int, horizon: int | None, seconds: float) -> None:
        for listener in self._listeners:
            listener.progress(samples, horizon, seconds)


class Later:
    """A TensorBoard listener that opens with the first row, after the run has locked its folder."""

    def __init__(self, run: Path) -> None:
        if find_spec("tensorboard") is None:
            raise Refusal('TensorBoard is an extra that is not installed here; install it with: pip install "zerosum[tensorboard]".')
        self._run = run
        self._board: TensorBoard | None = None

    def row(self, row: dict[str, Any]) -> None:
        from zerosum.report.tensorboard import TensorBoard

        if self._board is None:
            self._board = TensorBoard(self._run)
        self._board.row(row)

    def progress(self, samples: int, horizon: int | None, seconds: float) -> None:
        """Do nothing: TensorBoard shows the record."""

    def close(self) -> None:
        if self._board is not None:
            self._board.close()


@contextmanager
def followed(out: Path, *, quiet: bool, tensorboard: bool) -> Iterator[Listener]:
    """A listener that shows the training and, if requested, writes TensorBoard files. A bug inside is logged in the run's folder."""
    with logged_in(out), ExitStack() as stack:
        listeners: list[Listener] = []
        if tensorboard:
            listeners.append(stack.enter_context(closing(Later(out))))
        listeners.append(stack.enter_context(Display(out, quiet=quiet)))
        yield Several(*listeners)


def report(run: Run) -> int:
    """Print how the run ended, where its pictures are and what to do next. Returns the command's exit status."""
    from zerosum.play.distributed import is_first

    stop = next(iter(reversed(run.rows("stop"))), {})
    status = {"interrupted": 130, "not finite": 1, "error": 1}.get(str(stop.get("reason")), 0)
    if not is_first():
        return status
    reason, samples, seconds = stop.get("reason"), stop.get("samples", 0), stop.get("seconds", 0.0)
    seen = f"{samples:,} training samples in {duration(seconds)}"
    if reason == "finished":
        told = f"is finished: {seen}."
    elif reason == "interrupted":
        told = f"was interrupted after {seen}; its state is saved."
    elif reason == "plateaued":
        told = f"reached a plateau after {seen}: it no longer improved."
    elif reason == "minutes":
        told = f"reached its minutes after {seen}, before the end of its schedule: the machine has become slower."
    else:
        told = f"stopped after {seen}: {str(stop.get('message') or reason or 'the record gives no reason').rstrip('.')}."
    print(paragraph(f"{run.path} {told}"))
    print(paragraph(run.verdict().paragraph, " " * 10, "  verdict "))
    for label, file in (("grid", "grid.png"), ("report", "report.html")):
        if (run.path / file).exists():
            tell(f"  {label:<7} {run.path / file}")
    for i, command in enumerate(next_commands(run.rows(), run.manifest, run.path)):
        tell(f"  {'' if i else 'next':<7} {command}")
    sys.stdout.flush()
    return status
