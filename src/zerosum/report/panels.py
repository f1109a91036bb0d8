"""Curves of a study side by side: each panel is a title and its lines."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import cycle
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
# What every figure of a game draws alike: as in the published one.
_KNOWN = {"p_data": _LOOKS[2], "p_g": _LOOKS[0], "D": _LOOKS[1]}


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
    taken = {_KNOWN[label] for label in lines if label in _KNOWN}
    others = cycle(look for look in _LOOKS if look not in taken)
    for label, (x, y) in lines.items():
        colour, dashes = _KNOWN.get(label) or next(others)
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
    _add_legend(axes)


def _add_legend(axes: Axes) -> None:
    """A legend that covers no curve: where it would, the panel is made taller for it."""
    legend, whole = axes.legend(fontsize=8), axes.get_figure(root=True)
    assert whole is not None
    whole.draw_without_rendering()
    box = legend.get_window_extent()
    covers = any(line.get_path().transformed(line.get_transform()).intersects_bbox(box, filled=False) for line in axes.lines)
    if covers and axes.get_yscale() == "linear":
        low, high = axes.get_ylim()
        axes.set_ylim(low, high + (box.height / axes.bbox.height + 0.05) * (high - low))
