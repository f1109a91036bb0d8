"""The picture of `zerosum bench mnist-time`: Frechet distance over seconds of training, a line for each program and seed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

LOOKS = {
    "published": ("#8a8f98", "DCGAN as published"),
    "tuned": ("#c46a1b", "DCGAN, tuned: R1, EMA, bf16"),
    "zerosum": ("#1c5fb8", "zerosum, whole trainings"),
}


def draw(row: dict[str, Any], path: Path) -> None:
    """Writes the picture of a row of `mnist_time`, as PNG or SVG by the file's name."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 3.6), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    for who, (colour, label) in LOOKS.items():
        for i, curve in enumerate(row["curves"][who]):
            axes.plot(*zip(*curve, strict=True), "o-", color=colour, markersize=4, linewidth=1.4, label=None if i else label)
    axes.set_xscale("log")
    axes.set_yscale("log")
    clock = "processor time, one thread" if row["clock"] == "processor" else "wall-clock time"
    axes.set_xlabel(f"seconds of training ({clock})")
    axes.set_ylabel("Fréchet distance (lower is better)")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter("{x:g}")
    axes.grid(True, which="major", color="#e4e6ea", linewidth=0.8)
    axes.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="outside upper center", ncols=3, frameon=False, fontsize=9)
    figure.savefig(path, dpi=150)
