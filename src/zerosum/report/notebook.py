"""The display in a notebook: one output cell that is replaced as the training goes on. Needs nothing but IPython, which runs there."""

from __future__ import annotations

import sys
from io import StringIO
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import RenderableType

WIDTH = 100
"""Characters in a line of a cell."""

_PAGE = "<pre style='white-space:pre-wrap;line-height:normal'>{code}</pre>"


def in_notebook() -> bool:
    """Whether this process is a notebook's kernel. A terminal's IPython is not."""
    # Without importing IPython: where it is not loaded, there is no notebook.
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return shell is not None and type(shell).__name__ not in ("TerminalInteractiveShell", "NoneType")


class Cell:
    """As rich's Live, for a notebook: `update` replaces what the cell shows."""

    def __init__(self) -> None:
        self._handle: Any = None

    def start(self) -> None:
        """Do nothing: the cell appears with its first content."""

    def update(self, renderable: RenderableType, *, refresh: bool = True) -> None:
        """Show a rich renderable as HTML."""
        from IPython.display import HTML, display  # type: ignore[import-not-found,unused-ignore]

        page = HTML(as_html(renderable))
        if self._handle is None:
            self._handle = display(page, display_id=True)
        else:
            self._handle.update(page)

    def stop(self) -> None:
        """Leave the last content."""


def as_html(renderable: RenderableType) -> str:
    """A rich renderable as a piece of HTML."""
    from rich.console import Console

    console = Console(record=True, file=StringIO(), width=WIDTH, force_terminal=True, force_jupyter=False)
    console.print(renderable)
    return console.export_html(inline_styles=True, code_format=_PAGE)
