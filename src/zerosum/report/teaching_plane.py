"""The teaching figure in the plane: D, G's samples, and a grid of z mapped by G."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from zerosum.report.style import BLUE, FAINT, GREEN, INK, P_DATA, P_G, D, quiet

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Array = NDArray[Any]


class PlaneMoment(Protocol):
    """A pair (G, D) at one time: see study/lesson_plane.py's PlaneMoment."""

    @property
    def t(self) -> int: ...
    @property
    def x(self) -> Array: ...
    @property
    def y(self) -> Array: ...
    @property
    def D(self) -> Array: ...
    @property
    def p_data(self) -> Array: ...
    @property
    def samples(self) -> Array: ...
    @property
    def grid(self) -> Array: ...
    @property
    def jsd(self) -> float: ...
    @property
    def floor(self) -> float: ...
    @property
    def v(self) -> float: ...


def draw_plane_lesson(course: Sequence[PlaneMoment], title: str) -> Figure:
    """Four checks as columns, D with samples above and the mapped grid below; at the right JSD and V over the steps."""
    from matplotlib.figure import Figure

    with quiet():
        drawing = Figure(figsize=(13.2, 6.0), layout="constrained")
        axes = drawing.subplots(2, 5, gridspec_kw={"width_ratios": (1, 1, 1, 1, 1.15)})
        steps = (len(course) - 1) * np.array([0.12, 0.3, 0.6, 1.0])
        for i, step in enumerate(np.rint(steps).astype(int)):
            field(axes[0, i], course[step])
            axes[0, i].set_title(f"step {course[step].t:,}", loc="left")
            warped(axes[1, i], course[step])
        axes[0, 0].set_ylabel("D and samples of G", fontsize=10)
        axes[1, 0].set_ylabel("a grid of z, mapped by G", fontsize=10)
        _curves(axes[:, 4], course)
        drawing.suptitle(
            f"{title}: D in blue (p_data likely) and sand (p_g likely), samples green, p_data dotted", fontsize=11, x=0.01, ha="left"
        )
        return drawing


def draw_plane_frame(here: PlaneMoment, title: str) -> Figure:
    """One frame of the animation."""
    from matplotlib.figure import Figure

    with quiet():
        drawing = Figure(figsize=(8.4, 4.4), layout="constrained")
        left, right = drawing.subplots(1, 2)
        field(left, here)
        left.set_title(f"step {here.t:,}    JSD {here.jsd:.3f} nats", loc="left")
        warped(right, here)
        right.set_title(title, loc="right", fontsize=8, color=FAINT)
        return drawing


def _window(axes: Axes, m: PlaneMoment) -> None:
    axes.set(xlim=(m.x[0], m.x[-1]), ylim=(m.y[0], m.y[-1]), aspect="equal")
    axes.set_xticks([])
    axes.set_yticks([])
    axes.grid(False)
    for side in axes.spines.values():
        side.set_visible(False)


def field(axes: Axes, m: PlaneMoment) -> None:
    """D from 0 (sand) over 1/2 (white) to 1 (blue), samples in green, p_data's contours dotted."""
    from matplotlib.colors import LinearSegmentedColormap

    map_ = LinearSegmentedColormap.from_list("D", ["#d9a441", "white", BLUE])
    extent = (float(m.x[0]), float(m.x[-1]), float(m.y[0]), float(m.y[-1]))
    axes.imshow(m.D, origin="lower", extent=extent, cmap=map_, vmin=0, vmax=1, alpha=0.75, interpolation="bilinear", aspect="auto")
    _contours(axes, m)
    axes.scatter(m.samples[:1500, 0], m.samples[:1500, 1], s=3, color=GREEN, alpha=0.7, linewidths=0)
    _window(axes, m)


def warped(axes: Axes, m: PlaneMoment) -> None:
    """Images of straight lines of z under G: close together where G contracts."""
    from matplotlib.collections import LineCollection

    axes.add_collection(LineCollection(list(m.grid), colors=GREEN, linewidths=0.7, alpha=0.8))
    _contours(axes, m)
    _window(axes, m)


def _contours(axes: Axes, m: PlaneMoment) -> None:
    if m.p_data.max() > m.p_data.min():
        axes.contour(m.x, m.y, m.p_data, levels=m.p_data.max() * np.array([0.05, 0.5]), colors=INK, linewidths=0.8, linestyles="dotted")


def _curves(axes: Array, course: Sequence[PlaneMoment]) -> None:
    t = np.array([m.t for m in course])
    axes[0].plot(t, [m.jsd for m in course], **P_G)
    axes[0].axhline(course[-1].floor, **P_DATA)
    axes[0].annotate("real samples", (t[-1], course[-1].floor), ha="right", va="bottom", fontsize=8, color=FAINT)
    axes[0].set_title("JSD, nats", loc="left")
    axes[0].set(ylim=(0, None), xlim=(0, t[-1]))
    V = np.array([m.v for m in course])
    if np.isfinite(V).any():
        axes[1].plot(t, V, **D)
        axes[1].axhline(-math.log(4), color=FAINT, linewidth=0.8)
        axes[1].annotate("-log 4", (t[-1], -math.log(4)), ha="right", va="bottom", fontsize=8, color=FAINT)
        axes[1].set_title("V(D, G), nats", loc="left")
        axes[1].set(xlabel="steps", xlim=(0, t[-1]))
    else:
        axes[0].set_xlabel("steps")
        axes[1].axis("off")
