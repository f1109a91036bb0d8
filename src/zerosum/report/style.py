"""How every figure looks: p_data black and dotted, D blue and dashed, p_g and G green and solid.

Blue and green are Okabe and Ito's (2008), which colour-blind readers can distinguish; the dashes repeat the distinction.
matplotlib is imported when first needed, so a training that draws nothing does not wait for it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK = "#1b1c1d"
FAINT = "#8d9297"
RULE = "#d9dcdf"
BLUE = "#0072b2"
GREEN = "#009e73"

P_DATA: dict[str, Any] = {"color": INK, "linestyle": (0, (1, 1.6)), "linewidth": 1.6}
D: dict[str, Any] = {"color": BLUE, "linestyle": (0, (4, 1.6)), "linewidth": 1.5}
P_G: dict[str, Any] = {"color": GREEN, "linestyle": "solid", "linewidth": 1.5}

_QUIET: Any = {
    "font.size": 9.5,
    "font.family": "sans-serif",
    "text.color": INK,
    "text.parse_math": False,
    "axes.labelcolor": INK,
    "axes.edgecolor": FAINT,
    "axes.linewidth": 0.7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.titlesize": 9.5,
    "axes.formatter.useoffset": False,
    "grid.color": RULE,
    "grid.linewidth": 0.6,
    "xtick.color": FAINT,
    "ytick.color": FAINT,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
    "legend.frameon": False,
    "legend.fontsize": 9,
    "legend.handlelength": 2.4,
    "lines.solid_capstyle": "round",
    "svg.fonttype": "none",
    "svg.hashsalt": "zerosum",
}


@contextmanager
def quiet() -> Iterator[None]:
    """Draw and save within this: matplotlib's own defaults and our few changes, whatever the user's matplotlibrc says; restored after."""
    import matplotlib as mpl

    # The font finder logs each font that the machine lacks; the first one installed is used.
    finder = logging.getLogger("matplotlib.font_manager")
    level = finder.level
    finder.setLevel(logging.ERROR)
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(_QUIET)
        try:
            yield
        finally:
            finder.setLevel(level)


def figure(width: float = 4.4, height: float = 2.5, *, fitted: bool = True) -> Figure:
    """An empty figure, inches; the object API only, so no window system and no pyplot state is touched. Call within `quiet()`.

    fitted: margins computed to fit the texts; else fixed ones, which align figures under one another and take half the time.
    """
    from matplotlib.figure import Figure

    drawing = Figure(figsize=(width, height), layout="constrained" if fitted else None)
    if not fitted:
        drawing.subplots_adjust(left=0.13, right=0.91, bottom=0.19, top=0.88)
    return drawing


def legend(axes: Axes, markers: float = 1) -> None:
    """A legend above the axes, in one line, so it never hides a curve; its markers are magnified `markers` times."""
    handles, labels = axes.get_legend_handles_labels()
    if handles:
        axes.legend(
            handles,
            labels,
            loc="lower left",
            bbox_to_anchor=(-0.01, 1.0),
            ncols=len(labels),
            borderaxespad=0.2,
            columnspacing=1.4,
            markerscale=markers,
        )


def png(drawing: Figure, dpi: int = 150) -> bytes:
    """The figure as a PNG."""
    buffer = BytesIO()
    with quiet():
        drawing.savefig(buffer, format="png", dpi=dpi, facecolor="white")
    return buffer.getvalue()


def vector(drawing: Figure, kind: str) -> bytes:
    """The figure as an SVG or a PDF: kind "svg" or "pdf"."""
    buffer = BytesIO()
    with quiet():
        # Without a date, the same figure is the same file.
        drawing.savefig(buffer, format=kind, facecolor="white", metadata={"Date": None} if kind == "svg" else {"CreationDate": None})
    return buffer.getvalue()
