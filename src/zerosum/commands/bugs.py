"""Bugs of zerosum itself: the traceback goes to a file, and the user gets one sentence."""

from __future__ import annotations

import platform
import sys
import tempfile
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from zerosum.errors import Refusal
from zerosum.play.oom import is_lack_of_memory
from zerosum.version import __version__

ISSUES = "https://github.com/zerosum-gan/zerosum/issues"


class Bug(Exception):
    """An unexpected exception, with the file that contains its traceback."""

    def __init__(self, log: Path) -> None:
        super().__init__(str(log))
        self.log = log


@contextmanager
def logged_in(folder: Path) -> Iterator[None]:
    """Within it, an unexpected exception is logged in `folder` (the run's, where users look) and becomes a Bug."""
    try:
        yield
    except (Refusal, OSError, Bug):
        raise
    except Exception as error:
        if is_lack_of_memory(error):
            raise
        raise Bug(write_log(error, folder)) from error


def write_log(error: BaseException, folder: Path | None = None) -> Path:
    """Write the traceback and the versions to `bug-*.txt` in `folder`, or in the temporary directory where that is not writable."""
    now = datetime.now(UTC)
    text = "\n".join(
        [
            f"zerosum {__version__}, Python {platform.python_version()}, {platform.platform()}, {now.isoformat(timespec='seconds')}",
            *(f"{name} {module.__version__}" for name, module in sys.modules.copy().items() if name in ("torch", "numpy")),
            " ".join(sys.argv),
            "",
            *traceback.format_exception(error),
        ]
    )
    for place in (folder, Path(tempfile.gettempdir())):
        if place is None or not place.is_dir():
            continue
        log = place / f"bug-{now:%Y%m%d-%H%M%S-%f}.txt"
        try:
            # "x" follows no link that stands under this name.
            with log.open("x", encoding="utf-8", errors="backslashreplace") as file:
                file.write(text)
        except OSError:
            continue
        return log
    raise error


def sentence(log: Path, error: BaseException) -> str:
    """The message to the user about a bug."""
    kind = type(error).__name__
    return f"this is a bug in zerosum ({kind}), not your mistake. Please report it at {ISSUES} and attach the file {log}."
