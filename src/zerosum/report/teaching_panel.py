"""One panel of the teaching figure: p_data, p_g and D over x, and below them arrows from z to x = G(z).

D is dashed and blue, p_data dotted and black, p_g solid and green. The numbers come from study/lesson.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from zerosum.report.style import BLUE, FAINT, GREEN, INK, P_DATA, P_G, RULE, D

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

Array = NDArray[Any]
Box = tuple[float, float, float, float]
# Okabe and Ito's vermilion: a push is neither D nor p_g.
STEP = "#d55e00"
BAND = 0.16  # below the curves, as a share of D's axis: room for arrows that cover no curve
PULLED = 0.1  # of a usual slope: shorter arrows are not drawn
MAP = 0.27  # share of a panel's height for the arrows from z to x


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
    @property
    def half(self) -> float: ...


def panel(on: Figure | SubFigure, box: Box, m: LineMoment, top: float, *, before: LineMoment | None = None, words: str = "") -> None:
    """Draw a moment within a box of the figure. top: of the density axis.

    before: the pair whose gradient led to this one: its p_g is drawn faint, and D's gradient at its G(z) as arrows.
    words: the panel's title.
    """
    left, bottom, width, height = box
    axes = on.add_axes((left, bottom + MAP * height, width, (1 - MAP) * height))
    axes.set_title(words, loc="left", fontsize=12, pad=7)
    axes.set(xlim=(m.x[0], m.x[-1]), ylim=(-BAND * top / 1.06, top))
    axes.grid(False)
    axes.spines["left"].set_visible(False)
    axes.spines["bottom"].set_visible(False)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.axhline(0, color=FAINT, linewidth=0.7, zorder=0)
    axes.fill_between(m.x, 0, np.minimum(m.p_g, top), color=GREEN, alpha=0.10, linewidth=0)
    if before is not None:
        axes.plot(before.x, before.p_g, color=GREEN, alpha=0.35, linewidth=1.1)
    axes.plot(m.x, m.p_g, **(P_G | {"linewidth": 2.2}))
    axes.plot(m.x, m.p_data, **(P_DATA | {"linewidth": 2.2}))
    _mark_clipped(axes, m, top)
    _discriminator(axes, m, before)
    _map(on, (left, bottom, width, MAP * height), m)


def _mark_clipped(axes: Axes, m: LineMoment, top: float) -> None:
    """A spike of p_g that the axis cannot show is named with its height."""
    highest = int(np.argmax(m.p_g))
    if m.p_g[highest] > top:
        # Beside the spike and below its end: the title is above.
        here, right = float(m.x[highest]), m.x[highest] > m.x.mean()
        text = f"{m.p_g[highest]:.3g} " if right else f" {m.p_g[highest]:.3g}"
        axes.annotate(text, (here, top), ha="right" if right else "left", va="top", fontsize=8, color=GREEN)


def _discriminator(axes: Axes, m: LineMoment, before: LineMoment | None) -> None:
    """D on an axis of its own from 0 to 1, D* faint, and the direction of its gradient."""
    right = axes.twinx()
    right.grid(False)
    for side in ("left", "right", "bottom"):
        right.spines[side].set_visible(False)
    right.set(ylim=(-BAND, 1.06))
    right.set_yticks([0, 0.5, 1], ["0", "1/2", "1"])
    right.tick_params(right=True, length=3, colors=BLUE, labelcolor=BLUE, pad=1.5)
    right.plot([m.x[-1], m.x[-1]], [0, 1], color=BLUE, linewidth=0.9, clip_on=False)
    right.axhline(0.5, color=RULE, linewidth=0.8, zorder=0)
    right.text(float(m.x[-1]), 1.1, "D(x)", color=BLUE, ha="center", va="bottom", fontsize=10)
    if m.d_star is not None:
        right.plot(m.x, m.d_star, color=BLUE, alpha=0.28, linewidth=4)
    right.plot(m.x, m.D, **(D | {"linewidth": 2.2}))
    if before is not None:
        _gradient(right, before)


def _gradient(axes: Axes, m: LineMoment) -> None:
    """An arrow at each G(z), along D's gradient and as long as the slope of G's loss there, below the curves."""
    # Scale by a usual slope: a few steep places at p_g's ends would make all other arrows invisible.
    usual = float(np.quantile(np.abs(m.pull), 0.6))
    if not usual > 0:
        return
    reach = 0.06 * float(m.x[-1] - m.x[0])
    look = {"arrowstyle": "-|>,head_length=0.3,head_width=0.17", "color": STEP, "linewidth": 1.6, "shrinkA": 0, "shrinkB": 0}
    for i, (x, pull) in enumerate(zip(m.Gz, m.pull, strict=True)):
        # Where D is certain, its gradient vanishes, and an arrow without length would be a head that points anywhere.
        if abs(pull) < PULLED * usual:
            continue
        # In two rows, so that neighbours do not overlap.
        level = -0.045 - 0.06 * (i % 2)
        axes.annotate("", (float(x + reach * float(np.clip(pull / usual, -1, 1))), level), (float(x), level), arrowprops=look)


def _map(on: Figure | SubFigure, box: Box, m: LineMoment) -> None:
    """The axes of x and of z, from left to right, and an arrow from each z to G(z)."""
    axes = on.add_axes(box)
    low, high = float(m.x[0]), float(m.x[-1])
    axes.set(xlim=(low, high), ylim=(-0.3, 1.0))
    axes.axis("off")
    inset = 0.14 * (high - low)
    place = np.interp(m.z, (m.z[0], m.z[-1]), (low + inset, high - inset))
    axes.plot([low, high], [0.93, 0.93], color=FAINT, linewidth=0.9)
    axes.plot([place[0], place[-1]], [0.06, 0.06], color=FAINT, linewidth=0.9)
    look = {"arrowstyle": "-|>,head_length=0.28,head_width=0.12", "color": GREEN, "linewidth": 0.9, "shrinkA": 0, "shrinkB": 0}
    for start, end in zip(place, m.Gz, strict=True):
        if low <= end <= high:
            axes.annotate("", (float(end), 0.91), (float(start), 0.06), arrowprops=look)
    axes.text(low, 0.86, "x", va="top", ha="left", fontsize=11, color=INK)
    axes.text(low, 0.06, "z", va="center", ha="left", fontsize=11, color=INK)
    for at, value in ((place[0], m.z[0]), (place[-1], m.z[-1])):
        axes.text(float(at), -0.03, f"{value:g}", va="top", ha="center", fontsize=9, color=FAINT)
