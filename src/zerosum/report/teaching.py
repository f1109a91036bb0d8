"""The teaching figure in one dimension, after Goodfellow et al. 2014, Figure 1: p_data, p_g and D from panel to panel."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from zerosum.report.style import BLUE, FAINT, GREEN, P_DATA, P_G, RULE, D, quiet
from zerosum.report.teaching_panel import LineMoment, panel

if TYPE_CHECKING:
    from matplotlib.figure import Figure, SubFigure

Array = NDArray[Any]
HIGHEST = 3.0  # times the top of p_data: a higher spike of p_g is cut and named


def draw_lesson(panels: Mapping[str, LineMoment], captions: Sequence[str], course: Sequence[LineMoment], title: str) -> Figure:
    """Four panels in a row, title -> moment, and under them JSD, V and D's distance from 1/2 over the steps."""
    from matplotlib.figure import Figure

    with quiet():
        drawing = Figure(figsize=(14.4, 7.6), layout=None)
        upper, lower = halves(drawing, 2.1)
        _row(upper, panels, captions, title)
        _course(lower, course, {name.split(" ")[0]: here.t for name, here in panels.items()})
        return drawing


def draw_row(panels: Mapping[str, LineMoment], captions: Sequence[str], title: str) -> Figure:
    """The four panels alone, in a row, as a lecture's slide needs them."""
    from matplotlib.figure import Figure

    with quiet():
        drawing = Figure(figsize=(14.4, 5.2), layout=None)
        _row(drawing, panels, captions, title)
        return drawing


def draw_panel(panels: Mapping[str, LineMoment], captions: Sequence[str], i: int) -> Figure:
    """Panel number i, from 0, as a figure of its own."""
    from matplotlib.figure import Figure

    with quiet():
        drawing = Figure(figsize=(5.6, 4.8), layout=None)
        moments = list(panels.values())
        before = moments[1] if i == 2 else None
        panel(drawing, (0.04, 0.09, 0.84, 0.76), moments[i], _height(moments), before=before, words=list(panels)[i])
        _key(drawing, (0.03, 0.975), 4)
        drawing.text(0.04, 0.035, captions[i], fontsize=10, va="bottom")
        return drawing


def _row(on: Figure | SubFigure, panels: Mapping[str, LineMoment], captions: Sequence[str], title: str) -> None:
    """The third panel also shows the second one's p_g, faint, and arrows along D's gradient from the second's G(z) to the third's."""
    moments = list(panels.values())
    top = _height(moments)
    for i, (name, here) in enumerate(panels.items()):
        left = 0.02 + 0.246 * i
        panel(on, (left, 0.09, 0.2, 0.7), here, top, before=moments[1] if i == 2 else None, words=name)
        on.text(left, 0.03, captions[i], fontsize=8.6, va="bottom")
    on.text(0.02, 0.975, title, fontsize=13, va="center")
    _key(on, (0.015, 0.915), 6)


def draw_frame(here: LineMoment, course: Sequence[LineMoment], title: str) -> Figure:
    """One frame of the animation: the pair now, and its JSD so far, in front of the whole course."""
    from matplotlib.figure import Figure

    with quiet():
        drawing = Figure(figsize=(7.2, 6.0), layout=None)
        upper, lower = halves(drawing, 3.0)
        drawing.text(0.03, 0.985, title.replace(": ", "\n", 1), fontsize=9, color=FAINT, va="top")
        panel(upper, (0.05, 0.0, 0.85, 0.75), here, _height(course), words=f"step {here.t:,}: JSD {here.jsd:.4f} nats")
        _key(upper, (0.03, 0.88), 4)
        axes = lower.add_axes((0.1, 0.34, 0.8, 0.56))
        t = np.array([m.t for m in course])
        axes.plot(t, [m.jsd for m in course], color=RULE, linewidth=1.5)
        past = [m for m in course if m.t <= here.t]
        axes.plot([m.t for m in past], [m.jsd for m in past], **P_G)
        axes.plot([here.t], [here.jsd], "o", color=GREEN, markersize=5, clip_on=False)
        axes.set(xlabel="steps", ylabel="JSD, nats", ylim=(0, None), xlim=(0, t[-1]))
        return drawing


def halves(drawing: Figure, ratio: float) -> tuple[SubFigure, SubFigure]:
    """An upper and a lower part, the upper `ratio` times as high."""
    parts: Any = drawing.subfigures(2, 1, height_ratios=(ratio, 1))
    return parts[0], parts[1]


def _height(moments: Sequence[LineMoment]) -> float:
    """The top of the density axis: of every curve, up to HIGHEST times p_data's top."""
    data = max(float(m.p_data.max()) for m in moments)
    return 1.08 * min(max(data, *(float(m.p_g.max()) for m in moments)), HIGHEST * data)


def _key(on: Figure | SubFigure, at: tuple[float, float], columns: int) -> None:
    from matplotlib.lines import Line2D

    entries: dict[str, dict[str, Any]] = {
        "p_data": P_DATA,
        "p_g": P_G,
        "D": D,
        "D* = p_data / (p_data + p_g)": {"color": BLUE, "alpha": 0.28, "linewidth": 4},
    }
    lines = [Line2D([], [], **look) for look in entries.values()]
    names = list(entries) if columns > 4 else ["p_data", "p_g", "D", "D*"]
    on.legend(lines, names, loc="center left", bbox_to_anchor=at, ncols=columns, columnspacing=1.6, fontsize=10, borderaxespad=0)


def _course(on: SubFigure, course: Sequence[LineMoment], marks: dict[str, int]) -> None:
    """Three curves over the steps, with the panels' times marked."""
    t = np.array([m.t for m in course])
    curves: list[tuple[str, Array, dict[str, Any], float, str]] = [
        ("JSD(p_data, p_g), nats", np.array([m.jsd for m in course]), P_G, 0.0, "0"),
        ("V(D, G), nats", np.array([m.v for m in course]), D, -math.log(4), "-log 4"),
        ("mean |D - 1/2| on p_data", np.array([m.off for m in course]), D, 0.0, "0"),
    ]
    shown = [c for c in curves if np.isfinite(c[1]).any()]
    for i, (name, y, look, level, word) in enumerate(shown):
        axes = on.add_axes((0.045 + 0.325 * i, 0.22, 0.262, 0.6))
        axes.plot(t, y, **look)
        axes.axhline(level, color=FAINT, linewidth=0.8)
        # Inside the axes: beside them it would overlap the next panel's ticks.
        axes.annotate(word, (0.99, level), xycoords=("axes fraction", "data"), ha="right", va="bottom", fontsize=8.5, color=FAINT)
        axes.set_title(name, loc="left", fontsize=10)
        axes.set(xlim=(0, t[-1]), xlabel="steps")
        if level == 0:
            axes.set_ylim(-0.04 * float(np.nanmax(y)), None)
        for mark, when in _grouped(marks).items():
            side, gap = ("right", -2) if when > 0.8 * t[-1] else ("left", 2)
            axes.axvline(when, color=RULE, linewidth=1.0, zorder=0)
            axes.annotate(
                mark,
                (when, 1.0),
                xycoords=("data", "axes fraction"),
                ha=side,
                va="top",
                fontsize=8.5,
                color=FAINT,
                xytext=(gap, 0),
                textcoords="offset points",
            )


def _grouped(marks: dict[str, int]) -> dict[str, int]:
    """Panels of the same step under one mark."""
    times = sorted(set(marks.values()))
    return {" ".join(name for name, t in marks.items() if t == when): when for when in times}
