"""A grid of pictures: samples of G for each number of updates of D (rows) and of G (columns) in a training step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from zerosum.report.panels import Line, draw_lines
from zerosum.report.style import FAINT, GREEN, INK, quiet

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Array = NDArray[Any]
REACH = 1.45  # of the axes: the ring has radius 1


class Schedule(Protocol):
    """See study/scenario_result.py's Schedule."""

    @property
    def k(self) -> int: ...
    @property
    def g_steps(self) -> int: ...
    @property
    def d_taken(self) -> int: ...
    @property
    def g_taken(self) -> int: ...
    @property
    def modes(self) -> tuple[int, ...]: ...
    @property
    def jsd(self) -> tuple[float, ...]: ...
    @property
    def modes_mean(self) -> tuple[float, float]: ...
    @property
    def jsd_mean(self) -> tuple[float, float]: ...
    @property
    def samples(self) -> Array: ...


def draw_schedules(panels: Mapping[str, Mapping[str, Line]], grids: Mapping[str, Sequence[Schedule]]) -> Figure:
    """Curves above, and below one grid of pictures for each title."""
    from matplotlib.figure import Figure

    with quiet():
        drawing = Figure(figsize=(13.2, 10.2), layout="constrained")
        parts: Any = drawing.subfigures(2, 1, height_ratios=(1, 2.6))
        for axes, (title, lines) in zip(np.atleast_1d(parts[0].subplots(1, len(panels))), panels.items(), strict=True):
            draw_lines(axes, title, lines)
        halves: Any = parts[1].subfigures(1, len(grids), wspace=0.04)
        for part, (title, schedules) in zip(np.atleast_1d(halves), grids.items(), strict=True):
            _grid(part, title, schedules)
        return drawing


def _grid(part: Any, title: str, schedules: Sequence[Schedule]) -> None:
    rows = sorted({s.k for s in schedules})
    columns = sorted({s.g_steps for s in schedules})
    part.suptitle(title, fontsize=12, x=0.02, ha="left")
    axes = part.subplots(len(rows), len(columns), squeeze=False)
    for s in schedules:
        here = axes[rows.index(s.k), columns.index(s.g_steps)]
        _picture(here, s)
        here.set_xlabel(_summary(s), fontsize=8.5, color=INK)
        if s.k == rows[0]:
            here.set_title(f"G: {s.g_steps} a step", loc="center", fontsize=10)
        if s.g_steps == columns[0]:
            here.set_ylabel(f"D: k = {s.k}", fontsize=10)


def _summary(s: Schedule) -> str:
    """Updates taken, modes reached and JSD, with the 95 % interval where there are several seeds."""
    if len(s.modes) < 2:
        return f"{s.d_taken:,} of D, {s.g_taken:,} of G\n{s.modes[0]} of 8 modes\nJSD {s.jsd[0]:.3f}"
    return (
        f"{s.d_taken:,} of D, {s.g_taken:,} of G\n"
        f"{s.modes_mean[0]:.1f} +- {s.modes_mean[1]:.1f} of 8 modes\nJSD {s.jsd_mean[0]:.3f} +- {s.jsd_mean[1]:.3f}"
    )


def _picture(axes: Axes, s: Schedule) -> None:
    angle = 2 * np.pi * np.arange(8) / 8
    axes.scatter(np.cos(angle), np.sin(angle), s=110, facecolors="none", edgecolors=FAINT, linewidths=0.8)
    axes.scatter(s.samples[:, 0], s.samples[:, 1], s=4, color=GREEN, alpha=0.5, linewidths=0)
    axes.set(xlim=(-REACH, REACH), ylim=(-REACH, REACH), aspect="equal")
    axes.set_xticks([])
    axes.set_yticks([])
    axes.grid(False)
    for side in axes.spines.values():
        side.set_visible(False)
