"""Curves of a study side by side: each panel is a title and its lines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from zerosum.report.style import BLUE, FAINT, GREEN, INK, quiet

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Array = NDArray[Any]
Line = tuple[Array, Array]
# Okabe and Ito's colours after the house colours, each with its own dashes.
_LOOKS: tuple[tuple[str, Any], ...] = (
    (GREEN, "solid"),
    (BLUE, (0, (4, 1.6))),
    (INK, (0, (1, 1.6))),
    ("#d55e00", (0, (6, 1.5, 1, 1.5))),
    ("#cc79a7", (0, (2, 1))),
)


def draw_panels(panels: Mapping[str, Mapping[str, Line]]) -> Figure:
    """panels: title -> label -> (x, y). A title "what / unit of x" names its x axis;
    values over more than three powers of ten are drawn on a logarithmic one."""
    from matplotlib.figure import Figure

    with quiet():
        drawing = Figure(figsize=(4.3 * len(panels), 3.3), layout="constrained")
        for axes, (title, lines) in zip(np.atleast_1d(drawing.subplots(1, len(panels))), panels.items(), strict=True):
            draw_lines(axes, title, lines)
        return drawing


def draw_lines(axes: Axes, title: str, lines: Mapping[str, Line]) -> None:
    """One panel: see `draw_panels`."""
    what, _, unit = title.partition(" / ")
    for i, (label, (x, y)) in enumerate(lines.items()):
        colour, dashes = _LOOKS[i % len(_LOOKS)]
        axes.plot(x, y, color=colour, linestyle=dashes, linewidth=1.6, label=label)
    known = np.concatenate([np.asarray(y, dtype=np.float64) for _, y in lines.values()])
    known = known[np.isfinite(known)]
    if len(known) and known.min() > 0 and known.max() > 1e3 * known.min():
        axes.set_yscale("log")
        # The default labels are formulas, which these figures do not render.
        axes.yaxis.set_major_formatter(lambda y, _: f"{y:g}")
        axes.yaxis.set_minor_formatter(lambda y, _: "")
    axes.set_title(what, loc="left")
    axes.set_xlabel(unit or "steps", color=FAINT)
    axes.legend(fontsize=8)
