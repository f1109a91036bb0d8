"""The teaching figure in one dimension, after Goodfellow et al. 2014, Figure 1: p_data, p_g and D from panel to panel.

D is dashed and blue, p_data dotted and black, p_g solid and green; below, arrows lead from z to x = G(z). The numbers come from
study/lesson.py.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from zerosum.report.style import BLUE, FAINT, GREEN, INK, P_DATA, P_G, RULE, D, quiet

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

Array = NDArray[Any]
# Okabe and Ito's vermilion: a push is neither D nor p_g.
STEP = "#d55e00"


class LineMoment(Protocol):
    """A pair (G, D) at one time: see study/lesson.py's Moment."""

    @property
    def t(self) -> int: ...
    @property
    def x(self) -> Array: ...
    @property
    def p_data(self) -> Array: ...
    @property
    def p_g(self) -> Array: ...
    @property
    def D(self) -> Array: ...
    @property
    def d_star(self) -> Array | None: ...
    @property
    def z(self) -> Array: ...
    @property
    def Gz(self) -> Array: ...
    @property
    def pull(self) -> Array: ...
    @property
    def jsd(self) -> float: ...
    @property
    def v(self) -> float: ...
    @property
    def off(self) -> float: ...


def draw_lesson(panels: Mapping[str, LineMoment], course: Sequence[LineMoment], title: str) -> Figure:
    """Four panels in a row, title -> moment, and under them JSD, V and D's distance from 1/2 over the steps.

    The third panel also shows the second one's p_g, faint, and arrows along D's gradient from the second's G(z) towards the third's.
    """
    from matplotlib.figure import Figure

    with quiet():
        drawing = Figure(figsize=(13.2, 6.5), layout=None)
        upper, lower = halves(drawing, 2.05)
        moments = list(panels.values())
        top = _height(moments)
        for i, (name, here) in enumerate(panels.items()):
            left = 0.045 + 0.237 * i
            before = moments[1] if i == 2 else None
            _panel(upper, (left, 0.02, 0.205, 0.86), name, here, top, before=before, first=i == 0, last=i == len(panels) - 1)
        _key(upper)
        upper.text(0.045, 0.955, title, fontsize=12, va="center")
        _course(lower, course, {name.split(" ")[0]: here.t for name, here in panels.items()})
        return drawing


def draw_frame(here: LineMoment, course: Sequence[LineMoment], title: str) -> Figure:
    """One frame of the animation: the pair now, and its JSD so far, in front of the whole course."""
    from matplotlib.figure import Figure

    with quiet():
        drawing = Figure(figsize=(6.0, 4.6), layout=None)
        upper, lower = halves(drawing, 3.4)
        words = f"step {here.t:,}    JSD {here.jsd:.3f} nats"
        _panel(upper, (0.09, 0.0, 0.81, 0.84), words, here, _height([course[-1]]), first=True, last=True)
        _key(upper, (0.09, 0.965))
        axes = lower.add_axes((0.09, 0.36, 0.81, 0.6))
        t = np.array([m.t for m in course])
        axes.plot(t, [m.jsd for m in course], color=RULE, linewidth=1.5)
        past = [m for m in course if m.t <= here.t]
        axes.plot([m.t for m in past], [m.jsd for m in past], **P_G)
        axes.plot([here.t], [here.jsd], "o", color=GREEN, markersize=4)
        axes.set(xlabel="steps", ylabel="JSD", ylim=(0, None), xlim=(0, t[-1]))
        axes.set_title(title, fontsize=8, color=FAINT, loc="right", pad=2)
        return drawing


def halves(drawing: Figure, ratio: float) -> tuple[SubFigure, SubFigure]:
    """An upper and a lower part, the upper `ratio` times as high."""
    parts: Any = drawing.subfigures(2, 1, height_ratios=(ratio, 1))
    return parts[0], parts[1]


def _height(moments: Sequence[LineMoment]) -> float:
    """The densities' top: p_data's, with room for a p_g that overshoots it; spikes of p_g at a fold of G are cut off."""
    highest = max(float(m.p_data.max()) for m in moments)
    over = max(float(np.quantile(m.p_g, 0.995)) for m in moments)
    return 1.12 * min(max(highest, over), 1.7 * highest)


def _panel(
    on: Figure | SubFigure,
    box: tuple[float, float, float, float],
    name: str,
    m: LineMoment,
    top: float,
    *,
    before: LineMoment | None = None,
    first: bool = False,
    last: bool = False,
) -> None:
    left, bottom, width, height = box
    share = 0.30
    axes = on.add_axes((left, bottom + share * height, width, (1 - share) * height))
    axes.set_title(name, loc="left", fontsize=10.5, pad=6)
    axes.set(xlim=(m.x[0], m.x[-1]), ylim=(0, top))
    axes.grid(False)
    axes.tick_params(labelleft=first, labelbottom=False, bottom=False)
    if first:
        axes.set_ylabel("density", labelpad=2)
    axes.fill_between(m.x, np.minimum(m.p_g, top), color=GREEN, alpha=0.10, linewidth=0)
    if before is not None:
        axes.plot(before.x, before.p_g, color=GREEN, alpha=0.35, linewidth=1.1)
    axes.plot(m.x, m.p_g, **(P_G | {"linewidth": 2.0}))
    axes.plot(m.x, m.p_data, **(P_DATA | {"linewidth": 2.0}))
    _discriminator(axes, m, before, last)
    _map(on, (left, bottom, width, share * height), m)


def _discriminator(axes: Axes, m: LineMoment, before: LineMoment | None, last: bool) -> None:
    """D on an axis of its own from 0 to 1, D* faint, and the direction of its gradient."""
    right = axes.twinx()
    right.grid(False)
    right.spines["right"].set_visible(last)
    right.spines["top"].set_visible(False)
    right.spines["right"].set_color(BLUE)
    right.set(ylim=(0, 1.04))
    right.set_yticks([0, 0.5, 1], ["0", "1/2", "1"] if last else ["", "", ""])
    right.tick_params(right=last, colors=BLUE, labelcolor=BLUE)
    right.axhline(0.5, color=RULE, linewidth=0.8, zorder=0)
    if last:
        right.set_ylabel("D(x)", color=BLUE, labelpad=4)
    if m.d_star is not None:
        right.plot(m.x, m.d_star, color=BLUE, alpha=0.28, linewidth=3.2)
    right.plot(m.x, m.D, **(D | {"linewidth": 2.0}))
    if before is not None:
        _gradient(right, before)


def _gradient(axes: Axes, m: LineMoment) -> None:
    """An arrow at each G(z), along D's gradient and as long as the slope of G's loss there."""
    # Scale by a usual slope: a few steep places at p_g's ends would make all other arrows invisible.
    usual = float(np.quantile(np.abs(m.pull), 0.6))
    if not usual > 0:
        return
    reach = 0.05 * float(m.x[-1] - m.x[0])
    look = {"arrowstyle": "-|>,head_length=0.3,head_width=0.16", "color": STEP, "linewidth": 1.6, "shrinkA": 0, "shrinkB": 0}
    for i, (x, pull) in enumerate(zip(m.Gz, m.pull, strict=True)):
        # In two rows, so that neighbours do not overlap.
        level = 0.05 + 0.05 * (i % 2)
        axes.annotate("", (float(x + reach * float(np.clip(pull / usual, -1, 1))), level), (float(x), level), arrowprops=look)
    plate = {"facecolor": "white", "alpha": 0.8, "edgecolor": "none", "pad": 1.0}
    axes.text(float(m.x[0]), 0.14, "each G(z) is pushed\nalong D's gradient", fontsize=8, color=STEP, va="bottom", bbox=plate)


def _map(on: Figure | SubFigure, box: tuple[float, float, float, float], m: LineMoment) -> None:
    """The axes of x and of z, and an arrow from each z to G(z)."""
    axes = on.add_axes(box)
    low, high = float(m.x[0]), float(m.x[-1])
    axes.set(xlim=(low, high), ylim=(-0.34, 1.0))
    axes.axis("off")
    inset = 0.14 * (high - low)
    # A G that falls is drawn over a z axis that runs the other way: its arrows then fan out instead of crossing.
    ends = (low + inset, high - inset) if m.Gz[-1] > m.Gz[0] else (high - inset, low + inset)
    place = np.interp(m.z, (m.z[0], m.z[-1]), ends)
    axes.plot([low, high], [0.93, 0.93], color=FAINT, linewidth=0.9)
    axes.plot([place[0], place[-1]], [0.06, 0.06], color=FAINT, linewidth=0.9)
    for start, end in zip(place, m.Gz, strict=True):
        if low <= end <= high:
            axes.annotate(
                "",
                (float(end), 0.91),
                (float(start), 0.06),
                arrowprops={
                    "arrowstyle": "-|>,head_length=0.28,head_width=0.12",
                    "color": GREEN,
                    "linewidth": 0.8,
                    "shrinkA": 0,
                    "shrinkB": 0,
                },
            )
    axes.text(low, 0.84, "x", va="top", ha="left", fontsize=10, color=INK)
    axes.text(low, 0.06, "z", va="center", ha="left", fontsize=10, color=INK)
    for at, value in ((place[0], m.z[0]), (place[-1], m.z[-1])):
        axes.text(float(at), -0.04, f"{value:g}", va="top", ha="center", fontsize=8, color=FAINT)


def _key(on: Figure | SubFigure, at: tuple[float, float] = (0.5, 0.955)) -> None:
    from matplotlib.lines import Line2D

    entries = {"p_data": P_DATA, "p_g": P_G, "D": D, "D* for this G": {"color": BLUE, "alpha": 0.28, "linewidth": 3.2}}
    lines = [Line2D([], [], **look) for look in entries.values()]
    on.legend(lines, list(entries), loc="center left", bbox_to_anchor=at, ncols=4, columnspacing=1.6, fontsize=9.5, borderaxespad=0)


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
        axes = on.add_axes((0.045 + 0.318 * i, 0.2, 0.262, 0.62))
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
