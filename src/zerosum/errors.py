"""The exception that zerosum raises for everything that its user can fix."""

from __future__ import annotations

import unicodedata
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


def printable(text: object) -> str:
    r"""A text as one line of a terminal, with every character that is no visible one written as in Python: \n, \x1b, \u202e.

    A name from a file system, an archive or a run folder may contain line breaks, terminal commands, reversed writing, or bytes that
    are no text. Printed raw, it could forge a line of output or hide one.
    """
    return "".join(c if _visible(c) else _escaped(c) for c in str(text))


# Control characters, formatting ones (such as reversed writing), line and paragraph separators, and bytes that are no text.
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
# Python keeps a byte of a name that is no UTF-8 as a character from this one on (PEP 383).
_FIRST_BYTE, _LAST_BYTE = 0xDC80, 0xDCFF


def _visible(c: str) -> bool:
    return unicodedata.category(c) not in _INVISIBLE


def _escaped(c: str) -> str:
    if _FIRST_BYTE <= ord(c) <= _LAST_BYTE:
        return f"\\x{ord(c) - 0xDC00:02x}"
    return c.encode("unicode_escape").decode("ascii")
