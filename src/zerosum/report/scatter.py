"""Points as a figure: p_data in black, samples in green. The title says what is left out or projected."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from zerosum.report.style import FAINT, GREEN, INK, P_DATA, figure, legend, quiet

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Array = NDArray[Any]
DensityFunction = Callable[[Array], Array]


def draw_points(samples: Array, real: Array | None = None, density: DensityFunction | None = None) -> Figure:
    """samples (N, d) with d >= 1; real (M, d); density from (K, d) to (K,), for d of 1 and 2. Rows that are not finite are left out."""
    kept, lost = _finite(samples)
    behind = None if real is None else _finite(np.asarray(real))[0]
    notes = [f"{lost:,} of {len(samples):,} samples are not finite and left out"] if lost else []
    with quiet():
        if not len(kept):
            return _nothing(notes)
        if kept.shape[1] == 1:
            return _histogram(kept[:, 0], behind, density, notes)
        if kept.shape[1] == 2:
            return _plane(kept, behind, density, notes)
        if kept.shape[1] == 3:
            return _pairs(kept, behind, notes)
        return _principal(kept, behind, notes)


def _finite(points: Array) -> tuple[Array, int]:
    points = points.astype(np.float64)
    good = np.isfinite(points).all(axis=1)
    return points[good], int(len(points) - good.sum())


def _nothing(notes: list[str]) -> Figure:
    drawing = figure(5, 2.2)
    drawing.text(0.5, 0.5, "\n".join(["Nothing to draw.", *notes]), ha="center", va="center")
    return drawing


def _histogram(samples: Array, real: Array | None, density: DensityFunction | None, notes: list[str]) -> Figure:
    drawing = figure(6, 3.4)
    axes = drawing.add_subplot()
    low, high, outside = _window(samples[:, None], None if real is None else real)
    edges = np.linspace(low[0], high[0], 81)
    axes.hist(samples, bins=edges.tolist(), weights=_mass(samples, edges), color=GREEN, alpha=0.45, label="samples of G")
    if density is not None:
        x = np.linspace(low[0], high[0], 801)
        axes.plot(x, density(x[:, None]), label="p_data", **P_DATA)
    elif real is not None and len(real):
        heights, _ = np.histogram(real[:, 0], bins=edges, weights=_mass(real[:, 0], edges))
        axes.stairs(heights, edges, label="p_data", color=INK, linestyle=P_DATA["linestyle"], linewidth=1.4)
    axes.set(xlabel="x", ylabel="density", ylim=(0, None), xlim=(low[0], high[0]))
    legend(axes)
    return _titled(drawing, notes + outside)


def _mass(points: Array, edges: Array) -> Array:
    # Normalise by all samples, also those outside the window, so that the visible area is the share inside.
    return np.full(len(points), 1 / (len(points) * (edges[1] - edges[0])))


def _plane(samples: Array, real: Array | None, density: DensityFunction | None, notes: list[str]) -> Figure:
    drawing = figure(5, 5)
    axes = drawing.add_subplot()
    low, high, outside = _window(samples, real)
    if density is not None:
        x, y = (np.linspace(low[i], high[i], 200) for i in range(2))
        p = density(np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)).reshape(200, 200)
        if p.max() > 0:
            axes.contour(x, y, p, levels=p.max() * np.array([0.02, 0.1, 0.4, 0.8]), colors=INK, linewidths=0.7, linestyles="dotted")
    _scatter(axes, samples, real)
    axes.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]), aspect="equal", xlabel="x₁", ylabel="x₂")
    legend(axes, markers=2)
    return _titled(drawing, notes + outside)


def _scatter(axes: Axes, samples: Array, real: Array | None) -> None:
    if real is not None and len(real):
        axes.scatter(real[:, 0], real[:, 1], s=5, color=INK, alpha=0.25, linewidths=0, label="p_data")
    size = float(np.clip(6000 / len(samples), 3, 14))
    axes.scatter(samples[:, 0], samples[:, 1], s=size, color=GREEN, alpha=0.6, linewidths=0, label="samples of G")


def _pairs(samples: Array, real: Array | None, notes: list[str]) -> Figure:
    drawing = figure(9, 3.4)
    for panel, (i, j) in zip(drawing.subplots(1, 3), ((0, 1), (0, 2), (1, 2)), strict=True):
        pair = [i, j]
        low, high, _ = _window(samples[:, pair], None if real is None else real[:, pair])
        _scatter(panel, samples[:, pair], None if real is None else real[:, pair])
        panel.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]), xlabel=f"x{_low(i)}", ylabel=f"x{_low(j)}")
    legend(drawing.axes[0], markers=2)
    return _titled(drawing, ["each pair of the 3 coordinates", *notes])


def _low(i: int) -> str:
    return "₁₂₃"[i]


def _principal(samples: Array, real: Array | None, notes: list[str]) -> Figure:
    """Onto the two axes along which p_data (or, without it, the samples) varies most, about its mean."""
    base = real if real is not None and len(real) > 1 else samples
    mean = base.mean(axis=0)
    _, _, directions = np.linalg.svd(base - mean, full_matrices=False)
    axes = directions[:2].T if len(directions) > 1 else np.eye(samples.shape[1])[:, :2]
    source = "p_data" if base is real else "the samples"
    notes = [f"first two principal axes of {source}, out of {samples.shape[1]} coordinates", *notes]
    drawing = _plane((samples - mean) @ axes, None if real is None else (real - mean) @ axes, None, notes)
    drawing.axes[0].set(xlabel="first axis", ylabel="second axis")
    return drawing


def _window(samples: Array, real: Array | None) -> tuple[Array, Array, list[str]]:
    """The box to draw, with a margin: p_data's own where it is known, so that stray samples do not shrink it; and how many are outside."""
    base = real if real is not None and len(real) > 1 else samples
    low, high = np.quantile(base, [0.001, 0.999], axis=0)
    margin = np.maximum(0.15 * (high - low), 1e-3 * (1 + np.abs(high)))
    low, high = low - margin, high + margin
    out = int(((samples < low) | (samples > high)).any(axis=1).sum())
    return low, high, [f"{out:,} of {len(samples):,} samples are outside the window"] if out else []


def _titled(drawing: Figure, notes: list[str]) -> Figure:
    if notes:
        drawing.suptitle("\n".join(notes), fontsize=8.5, color=FAINT)
    return drawing
