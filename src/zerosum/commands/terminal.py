"""What the commands print: names are escaped, no encoding fails, and a reader who leaves is no error."""

from __future__ import annotations

import io
import os
import sys
from contextlib import suppress

from zerosum.errors import printable


def tell(*lines: object, error: bool = False) -> None:
    """Print lines, to standard error if `error`. A line break or a terminal command inside one is printed as an escape."""
    print(*map(printable, lines), sep="\n", file=sys.stderr if error else sys.stdout)


def prepare() -> None:
    """Have standard output and error accept every character: one that their encoding does not have is escaped.

    Where the shell has closed them (`>&-`), what is printed goes nowhere.
    """
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def discard() -> None:
    """Drop what a reader who has left (head, less) did not read, so that Python's own flush at exit raises nothing."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except BrokenPipeError:
            with suppress(OSError, ValueError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        except (OSError, ValueError):
            pass
