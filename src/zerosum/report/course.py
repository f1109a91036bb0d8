"""What the cells of the course show: figures with a caption, and measured numbers beside the proved ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from zerosum.report.style import png
from zerosum.report.text_table import text_table

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Picture:
    """A drawing with the sentence below it. Jupyter shows it when it is the last value of a cell."""

    def __init__(self, drawing: Figure, caption: str, dpi: int = 110) -> None:
        self.content = png(drawing, dpi)
        self.caption = caption

    def _repr_png_(self) -> bytes:
        return self.content


def beside(rows: Sequence[tuple[str, float | str, float]]) -> str:
    """A table of statements: (what, the proved number or bound, the measured number)."""
    return text_table(("statement", "proved", "measured"), [(what, _said(proved), _said(measured)) for what, proved, measured in rows])


def _said(value: float | str) -> str:
    # Plus 0: a number that rounds to minus zero has no sign.
    return value if isinstance(value, str) else f"{round(float(value), 5) + 0.0:.5f}"
