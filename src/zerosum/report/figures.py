"""A record's rows as figures: pure functions from rows to a matplotlib Figure, or None where the rows have nothing to draw.

The x axis is samples seen. Real samples are black and dotted, D is blue and dashed, G green and solid.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from zerosum.records import Row
from zerosum.report.numbers import finite
from zerosum.report.style import FAINT, GREEN, INK, P_DATA, P_G, D, figure, legend, quiet

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Array = NDArray[np.float64]
MOST_POINTS = 240  # most points per curve: more would be indistinguishable on a screen


def series(rows: Sequence[Row], key: str) -> Array:
    """(samples, value) of each row that has both, in order: (n, 2). A value that is null or not finite is NaN, and breaks the line."""
    pairs = [(s, finite(row.get(key))) for row in rows if (s := finite(row.get("samples"))) is not None and key in row]
    return np.array([(s, math.nan if v is None else v) for s, v in pairs], dtype=np.float64).reshape(-1, 2)


def thinned(points: Array, most: int = MOST_POINTS) -> Array:
    """At most `most` points, each the mean of as many neighbours; a group without a finite value is NaN. points: (n, 2)."""
    groups = np.array_split(points, most) if len(points) > most else []
    return np.array([_mean(group) for group in groups]) if groups else points


def _mean(group: Array) -> tuple[float, float]:
    good = group[np.isfinite(group[:, 1])]
    return float(group[:, 0].mean()), float(good[:, 1].mean()) if len(good) else math.nan


def losses(rows: Sequence[Row], equilibrium: Sequence[float | None] = ()) -> Figure | None:
    """loss_d and loss_g; `equilibrium`: each player's loss at p_g = p_data, as a thin line."""
    drawing = _lines(rows, {"loss_d": ("D", D), "loss_g": ("G", P_G)})
    if drawing is not None:
        # One line where both losses are equal.
        for level in sorted({x for x in equilibrium if x is not None}):
            drawing.axes[0].axhline(level, color=FAINT, linewidth=0.8)
    return drawing


def logits(rows: Sequence[Row]) -> Figure | None:
    """Mean logits a of real and b of generated samples, each with a band of one standard deviation."""
    with quiet():
        drawing = _lines(rows, {"a": ("a = D(x)", P_DATA), "b": ("b = D(G(z))", P_G)})
        if drawing is None:
            return None
        for key, colour in (("a", INK), ("b", GREEN)):
            mean, spread = thinned(series(rows, key)), thinned(series(rows, f"{key}_std"))
            if len(mean) == len(spread):
                low, high = mean[:, 1] - spread[:, 1], mean[:, 1] + spread[:, 1]
                drawing.axes[0].fill_between(mean[:, 0], low, high, color=colour, alpha=0.12, linewidth=0)
        return drawing


def value(rows: Sequence[Row]) -> Figure | None:
    """V(D, G) in nats, with the line -log 4 (Goodfellow et al. 2014, Theorem 1)."""
    return _lines(rows, {"V": ("V(D, G)", D)}, level=(-math.log(4), "-log 4"))


def probabilities(rows: Sequence[Row]) -> Figure | None:
    """D(x) and D(G(z)), with the line 1/2."""
    return _lines(rows, {"D_real": ("D(x)", P_DATA), "D_fake": ("D(G(z))", P_G)}, level=(0.5, "1/2"), limits=(-0.03, 1.03))


def accuracy(rows: Sequence[Row]) -> Figure | None:
    """D's accuracy, with the line 1/2."""
    return _lines(rows, {"accuracy": ("accuracy of D", D)}, level=(0.5, "1/2"), limits=(-0.03, 1.03))


def gradients(rows: Sequence[Row]) -> Figure | None:
    """Norms of both players' gradients, logarithmic."""
    return _lines(rows, {"grad_d": ("D", D), "grad_g": ("G", P_G)}, log=True)


def penalty(rows: Sequence[Row]) -> Figure | None:
    """gamma/2 times the penalty; None where the game has none."""
    points = series(rows, "penalty")
    return _lines(rows, {"penalty": ("penalty", D)}, limits=(0, None)) if np.nansum(np.abs(points[:, 1])) > 0 else None


def speed(rows: Sequence[Row]) -> Figure | None:
    """Samples a second."""
    return _lines(rows, {"rate": ("samples per second", P_G)}, limits=(0, None))


def distance(rows: Sequence[Row]) -> Figure | None:
    """The distance to held-out real samples at each check, from 0 to 1, with the line 0, which is what real samples score."""
    known = [row for row in rows if finite(row.get("distance")) is not None]
    drawn = _lines(known, {"distance": ("distance", P_G)}, level=(0.0, "real"), limits=(-0.03, 1.03))
    return drawn if len(known) > 1 else None


def score(rows: Sequence[Row], name: str) -> Figure | None:
    """One measure over the training, with its 95 % interval and its reference score. rows: of type score, of any names."""
    mine = [row for row in rows if row.get("name") == name]
    points = series(mine, "value")
    if not np.isfinite(points[:, 1]).any():
        return None
    with quiet():
        drawing = figure(fitted=False)
        axes = drawing.add_subplot()
        axes.plot(points[:, 0], points[:, 1], marker="o", markersize=3.5, label=name, **P_G)
        bounds = np.array([[_or_nan(row.get("low")), _or_nan(row.get("high"))] for row in mine if finite(row.get("samples")) is not None])
        if "value" in mine[0] and len(bounds) == len(points):
            axes.vlines(points[:, 0], bounds[:, 0], bounds[:, 1], color=GREEN, linewidth=1, alpha=0.7)
        floors = [f for row in mine if (f := finite(row.get("floor"))) is not None]
        if floors:
            axes.axhline(floors[-1], label="real data", **P_DATA)
        seen = points[:, 1][np.isfinite(points[:, 1])]
        # On a linear axis the last half of a fall by powers of ten would look flat.
        if seen.min() > 0 and seen.max() > 20 * seen.min():
            _logarithmic(axes)
        return _finished(axes)


def _or_nan(x: Any) -> float:
    good = finite(x)
    return math.nan if good is None else good


def _lines(
    rows: Sequence[Row],
    keys: dict[str, tuple[str, dict[str, Any]]],
    *,
    level: tuple[float, str] | None = None,
    limits: tuple[float, float | None] | None = None,
    log: bool = False,
) -> Figure | None:
    """Curves of `keys` (key -> label, style), a thin labelled line at `level`, and y within `limits`. None without a finite value."""
    curves = {key: thinned(series(rows, key)) for key in keys}
    if not any(np.isfinite(curve[:, 1]).any() for curve in curves.values()):
        return None
    with quiet():
        drawing = figure(fitted=False)
        axes = drawing.add_subplot()
        for key, (label, look) in keys.items():
            curve = curves[key]
            # One row alone draws no line, so it gets a dot.
            dot: dict[str, Any] = {"marker": "o", "markersize": 4} if np.isfinite(curve[:, 1]).sum() == 1 else {}
            axes.plot(curve[:, 0], curve[:, 1], label=label, **look, **dot)
        if level is not None:
            axes.axhline(level[0], color=FAINT, linewidth=0.8)
            axes.annotate(level[1], (1.01, level[0]), xycoords=("axes fraction", "data"), va="center", fontsize=8, color=FAINT)
        if log and any((curve[:, 1] > 0).any() for curve in curves.values()):
            _logarithmic(axes)
        elif limits is not None:
            axes.set_ylim(*limits)
        return _finished(axes)


def _logarithmic(axes: Axes) -> None:
    """A logarithmic y axis whose ticks are plain numbers: powers of ten, or 1, 2 and 5 where there are too few of those."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    axes.set_yscale("log")
    low, high = axes.get_ylim()
    axes.yaxis.set_major_locator(LogLocator(subs=(1.0,) if high / low > 300 else (1.0, 2.0, 5.0)))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda y, _: f"{y:g}"))
    axes.yaxis.set_minor_formatter(NullFormatter())


def _finished(axes: Axes) -> Figure:
    from matplotlib.figure import Figure
    from matplotlib.ticker import EngFormatter, MaxNLocator

    axes.set_xlabel("samples seen")
    axes.set_xlim(left=0)
    axes.margins(x=0.02)
    axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.xaxis.set_major_formatter(EngFormatter(sep=""))
    legend(axes)
    drawing = axes.figure
    assert isinstance(drawing, Figure)
    return drawing
