"""The exception that zerosum raises for everything that its user can fix."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class Refusal(ValueError):
    """A sentence for the user: what is wrong, where, and what to do.

    Every room raises it; the command line prints it without a traceback and exits with status 2.
    """


def nearest(word: str, known: Iterable[str]) -> str:
    """The known names that look most like `word`, as the end of a sentence: " Did you mean a or b?", or ""."""
    close = get_close_matches(word, list(known), n=3, cutoff=0.5)
    return f" Did you mean {' or '.join(close)}?" if close else ""
