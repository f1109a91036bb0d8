"""Diagrams of the course, drawn by code: the two networks of a GAN, a transposed convolution, and the DCGAN generator."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zerosum.report.style import BLUE, FAINT, GREEN, INK, RULE, quiet

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Point = tuple[float, float]
_SAND = "#e69f00"  # Okabe and Ito's orange


def _blank(width: float, height: float) -> tuple[Figure, Axes]:
    """A figure whose unit is a tenth of an inch."""
    from matplotlib.figure import Figure

    drawing = Figure(figsize=(width, height), layout=None)
    axes = drawing.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, 10 * width), ylim=(0, 10 * height))
    axes.axis("off")
    return drawing, axes


def _box(axes: Axes, middle: Point, size: Point, words: str, colour: str, small: str = "") -> None:
    from matplotlib.patches import FancyBboxPatch

    (x, y), (w, h) = middle, size
    look: Any = {"boxstyle": "round,pad=0,rounding_size=1.2", "edgecolor": colour, "linewidth": 1.8}
    axes.add_patch(FancyBboxPatch((x - w / 2, y - h / 2), w, h, facecolor="white", **look))
    axes.text(x, y + (1.3 if small else 0), words, ha="center", va="center", fontsize=14, color=colour)
    if small:
        axes.text(x, y - 2.0, small, ha="center", va="center", fontsize=9.5, color=INK)


def _arrow(axes: Axes, start: Point, end: Point, words: str = "", colour: str = INK, *, dashed: bool = False, bend: float = 0.0) -> None:
    look = {"arrowstyle": "-|>", "color": colour, "linewidth": 1.5, "connectionstyle": f"arc3,rad={bend}", "shrinkA": 0, "shrinkB": 0}
    axes.annotate("", end, start, arrowprops=look | {"linestyle": "dashed" if dashed else "solid"})
    if words:
        axes.text((start[0] + end[0]) / 2, (start[1] + end[1]) / 2 + 1.0, words, ha="center", va="bottom", fontsize=10.5, color=colour)


def draw_two_networks() -> Figure:
    """z -> G -> G(z) and x -> D -> a probability, with the labels 1 and 0, and the way that each gradient takes."""
    with quiet():
        drawing, axes = _blank(11.0, 4.6)
        _box(axes, (12, 14), (16, 8), "noise z", FAINT, "from p_z")
        _box(axes, (36, 14), (16, 8), "generator G", GREEN, "parameters theta_g")
        _box(axes, (36, 36), (20, 8), "data", INK, "samples x from p_data")
        _box(axes, (70, 25), (18, 9), "discriminator D", BLUE, "parameters theta_d")
        _box(axes, (98, 25), (17, 9), "probability", BLUE, "that the input is real")
        _arrow(axes, (20, 14), (28, 14))
        _arrow(axes, (44, 14), (61, 22.5), colour=GREEN, bend=0.08)
        axes.text(36, 22.5, "generated sample G(z),\nlabel 0", fontsize=10.5, color=GREEN, va="center")
        _arrow(axes, (46, 36), (61, 27.5), bend=-0.08)
        axes.text(55.5, 35.5, "real sample x,\nlabel 1", fontsize=10.5, color=INK, va="center")
        _arrow(axes, (79, 25), (89.5, 25))
        _arrow(axes, (98, 29.6), (72, 29.7), colour=BLUE, dashed=True, bend=0.28)
        axes.text(85, 36.5, "D learns to give each sample its label", ha="center", fontsize=10.5, color=BLUE)
        _arrow(axes, (98, 20.4), (74, 20.3), colour=GREEN, dashed=True, bend=-0.28)
        _arrow(axes, (70, 20.3), (37, 9.9), colour=GREEN, dashed=True, bend=-0.32)
        axes.text(66, 7.0, "G learns, through D, to be given the label 1", ha="center", fontsize=10.5, color=GREEN)
        axes.text(2, 44, "Solid arrows: samples. Dashed arrows: gradients.", fontsize=10, color=FAINT, va="top")
        return drawing


def _cells(axes: Axes, corner: Point, n: int, size: float, numbers: list[list[float]], colour: str, title: str) -> None:
    from matplotlib.patches import Rectangle

    x, y = corner
    most = max(abs(v) for row in numbers for v in row) or 1.0
    for i in range(n):
        for j in range(n):
            value = numbers[i][j]
            place = (x + j * size, y + (n - 1 - i) * size)
            axes.add_patch(Rectangle(place, size, size, facecolor=colour, alpha=0.08 + 0.5 * abs(value) / most, edgecolor="none"))
            axes.add_patch(Rectangle(place, size, size, facecolor="none", edgecolor=RULE, linewidth=0.8))
            axes.text(place[0] + size / 2, place[1] + size / 2, f"{value:g}", ha="center", va="center", fontsize=10)
    axes.text(x, y + n * size + 1.2, title, fontsize=11, color=colour)


def draw_transposed_convolution(
    inputs: list[list[float]], kernel: list[list[float]], output: list[list[float]], stride: int, padding: int
) -> Figure:
    """Each input pixel writes its copy of the kernel into the output, `stride` pixels apart; where copies overlap, they are added.

    inputs (2 x 2), kernel (k x k) and output (n x n) are rows of numbers.
    """
    from matplotlib.patches import Rectangle

    with quiet():
        drawing, axes = _blank(11.0, 4.4)
        size, n = 5.0, len(output)
        _cells(axes, (4, 16), len(inputs), size, inputs, GREEN, f"input, {len(inputs)} x {len(inputs)}")
        _cells(axes, (26, 10), len(kernel), size, kernel, BLUE, f"kernel, {len(kernel)} x {len(kernel)}")
        corner = (62.0, 8.0)
        _cells(axes, corner, n, size, output, _SAND, f"output, {n} x {n}: copies are added")
        # The footprints of the first and the last input pixel, before the padding is cut off.
        for i, colour in ((0, BLUE), (len(inputs) - 1, GREEN)):
            start = i * stride - padding
            low, high = max(0, start), min(n, start + len(kernel))
            place = (corner[0] + low * size, corner[1] + (n - high) * size)
            side = (high - low) * size
            axes.add_patch(Rectangle(place, side, side, facecolor="none", edgecolor=colour, linewidth=2.4))
        axes.text(18, 21, "x", fontsize=16, ha="center", va="center")
        _arrow(axes, (49, 21), (59, 21))
        axes.text(
            4,
            3.2,
            f"stride {stride}: neighbours in the input write {stride} pixels apart; padding {padding} cuts the rim off. ",
            fontsize=10.5,
        )
        axes.text(4, 0.6, "The frames show where the first (blue) and the last input pixel (green) write.", fontsize=10.5)
        return drawing


def draw_dcgan() -> Figure:
    """The DCGAN generator: a stack of transposed convolutions from 1 x 1 to 64 x 64, sides to scale of their logarithm."""
    from matplotlib.patches import Polygon

    stages = ((1, 100), (4, 1024), (8, 512), (16, 256), (32, 128), (64, 3))
    with quiet():
        drawing, axes = _blank(11.0, 4.4)
        x = 8.0
        for i, (side, channels) in enumerate(stages):
            h = 3.0 + 3.6 * i
            w = 10.0 if channels > 200 else 5.0 if channels > 10 else 1.2
            w, depth = (w * 0.6, 0.28 * h) if i else (1.6, 0.8)
            y = 24 - h / 2
            for face, shade in (
                ([(x, y), (x + w, y), (x + w, y + h), (x, y + h)], 0.30),
                ([(x, y + h), (x + w, y + h), (x + w + depth, y + h + depth), (x + depth, y + h + depth)], 0.18),
                ([(x + w, y), (x + w + depth, y + depth), (x + w + depth, y + h + depth), (x + w, y + h)], 0.45),
            ):
                axes.add_patch(Polygon(face, closed=True, facecolor=GREEN, alpha=shade, edgecolor="white", linewidth=0.8))
            size = f"z: {channels}" if i == 0 else f"{channels}\n{side} x {side}"
            axes.text(x + w / 2, y - 1.0, size, ha="center", va="top", fontsize=9.5)
            end = x + w + depth
            if i < len(stages) - 1:
                _arrow(axes, (end + 0.8, 24), (end + 7.4, 24))
            x = end + 8.6
        words = "Transposed convolutions, with BatchNorm and ReLU; tanh after the last. All but the first double the side."
        axes.text(6, 1.5, words, fontsize=10.5)
        return drawing
