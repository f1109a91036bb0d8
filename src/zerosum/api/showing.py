"""What `progress=` means in Python: None, True, False or a function."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from zerosum.data.items import Progress
from zerosum.play.distributed import is_first
from zerosum.report.notebook import in_notebook
from zerosum.report.progress import CountProgress, Display, is_terminal
from zerosum.runs.record import Listener

Showing = Progress | bool | None
"""None: show progress in a terminal and in a notebook. True: show it anywhere. False: show none. A function: it is called instead, with
(label, done, total)."""


def is_shown(progress: Showing) -> bool:
    """Whether zerosum shows the progress itself."""
    if isinstance(progress, Callable) or not is_first():  # type: ignore[arg-type]
        return False
    return (is_terminal(sys.stderr) or in_notebook()) if progress is None else bool(progress)


def counting(progress: Showing) -> Progress | None:
    """The function that is told how far the reading or the measuring is; None for nobody."""
    if is_shown(progress):
        return CountProgress()
    return None if progress is None or isinstance(progress, bool) else progress


@contextmanager
def following(run: Path, listener: Listener | None, progress: Showing) -> Iterator[Listener | None]:
    """The listener of a training: the caller's own, else a display where progress is shown."""
    if listener is not None or not is_shown(progress):
        yield listener
        return
    with Display(run) as display:
        yield display
