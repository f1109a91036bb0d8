"""Tables and paragraphs as plain text, as wide as the terminal: no word is ever broken.

The width is that of the environment variable COLUMNS, else of the terminal. A table that does not fit wraps its widest columns between
words; where even that does not fit, each row becomes a few lines of its own.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from textwrap import wrap

from zerosum.errors import printable

PIPE = 150
"""Columns where the output is no terminal and COLUMNS is not set."""

PARAGRAPH = 110
"""The longest lines of running text: longer ones are hard to read on any terminal."""

_LEAST = 18  # Running text in a narrower column is harder to read than lines of its own; short cells may be wrapped further.
_GAP = "  "


def columns() -> int:
    """How many characters fit in a line of the output."""
    return max(20, shutil.get_terminal_size((PIPE, 24)).columns)


def paragraph(text: str, indent: str = "", first: str | None = None, width: int | None = None) -> str:
    """Running text wrapped between words; a word that is longer than a line stays whole. first: the indent of the first line."""
    width = min(PARAGRAPH, width or columns())
    lines = wrap(
        " ".join(map(printable, text.split("\n"))),
        width,
        initial_indent=indent if first is None else first,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return "\n".join(lines)


def wrapped(text: str) -> str:
    """Lines of text, each wrapped on its own; what a line is indented by, its continuation is as well, and two characters more."""
    indents = [(line[: len(line) - len(line.lstrip())], line.strip()) for line in text.splitlines()]
    return "\n".join(paragraph(line, indent + "  ", indent) for indent, line in indents)


def text_table(heads: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[str] = (), width: int | None = None) -> str:
    """Rows of cells under their headings, within `width` characters (default: `columns()`). right: headings of right-aligned columns."""
    width = width or columns()
    rows = [[printable(cell) for cell in row] for row in rows]
    table = [heads, *rows]
    widths = _fitted(table, width)
    if widths is None:
        return "\n\n".join(_stacked(heads, row, width) for row in rows)
    return "\n".join(_line(row, widths, [head in right for head in heads]) for row in table)


def _fitted(table: Sequence[Sequence[str]], width: int) -> list[int] | None:
    """The columns' widths within `width` in all; None where they cannot be so narrow."""
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    least = [max(len(word) for cell in column for word in cell.split() or [""]) for column in zip(*table, strict=True)]
    least = [word if natural <= _LEAST else max(word, _LEAST) for natural, word in zip(widths, least, strict=True)]
    spare = width - len(_GAP) * (len(widths) - 1)
    while sum(widths) > spare:
        loose = [i for i in range(len(widths)) if widths[i] > least[i]]
        if not loose:
            return None
        widths[max(loose, key=lambda i: widths[i])] -= 1
    return widths


def _line(row: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> str:
    """A row as one line, or as several where cells are wrapped."""
    cells = [wrap(cell, wide, break_long_words=False, break_on_hyphens=False) or [""] for cell, wide in zip(row, widths, strict=True)]
    lines = []
    for i in range(max(map(len, cells))):
        parts = [cell[i] if i < len(cell) else "" for cell in cells]
        aligned = [part.rjust(w) if r else part.ljust(w) for part, w, r in zip(parts, widths, right, strict=True)]
        lines.append(_GAP.join(aligned).rstrip())
    return "\n".join(lines)


def _stacked(heads: Sequence[str], row: Sequence[str], width: int) -> str:
    """A row as lines of its own: its first cell, and below it each further one after its heading."""
    first = paragraph(row[0] or "-", width=width)
    return "\n".join(
        [first, *(paragraph(f"{head}: {cell}", "    ", "  ", width) for head, cell in zip(heads[1:], row[1:], strict=True) if cell)]
    )
