"""The figure of a scenario: its curves, and below them its grids of schedules or its pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from zerosum.report.panels import Line, draw_lines, draw_panels
from zerosum.report.schedules import Schedule, draw_schedules
from zerosum.report.style import quiet

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Array = NDArray[Any]
COLUMNS = 8  # of small pictures
TITLE = 0.3  # inches above them


class Scenario(Protocol):
    """See study/scenario_result.py's ScenarioResult."""

    @property
    def panels(self) -> Mapping[str, Mapping[str, Line]]: ...
    @property
    def grids(self) -> Mapping[str, Sequence[Schedule]]: ...
    @property
    def pictures(self) -> Mapping[str, Array]: ...


def draw_scenario(found: Scenario) -> Figure:
    """The figure of a scenario."""
    if found.grids:
        return draw_schedules(found.panels, found.grids)
    return draw_pictured(found.panels, found.pictures) if found.pictures else draw_panels(found.panels)


def draw_pictured(panels: Mapping[str, Mapping[str, Line]], pictures: Mapping[str, Array]) -> Figure:
    """Pictures side by side, title -> images uint8 (N, H, W) or (N, H, W, 3), and curves below them where there are any."""
    from matplotlib.figure import Figure

    with quiet():
        wide = 4.4 * max(len(panels), len(pictures))
        first = next(iter(pictures.values()))
        rows = -(-len(first) // min(COLUMNS, len(first)))
        high = 4.3 * rows / min(COLUMNS, len(first)) + TITLE + 0.2
        drawing = Figure(figsize=(wide, high + 3.1 * bool(panels)), layout="constrained")
        parts: Any = drawing.subfigures(2, 1, height_ratios=(high, 3.1)) if panels else (drawing,)
        for axes, (title, images) in zip(np.atleast_1d(parts[0].subplots(1, len(pictures))), pictures.items(), strict=True):
            draw_tiles(axes, title, images)
        if panels:
            for axes, (title, lines) in zip(np.atleast_1d(parts[1].subplots(1, len(panels))), panels.items(), strict=True):
                draw_lines(axes, title, lines)
        return drawing


def draw_tiles(axes: Axes, title: str, images: Array) -> None:
    """Images in rows of COLUMNS, a pixel apart."""
    n, height, width = images.shape[:3]
    columns = min(COLUMNS, n)
    rows = -(-n // columns)
    sheet = np.full((rows * (height + 1) - 1, columns * (width + 1) - 1, *images.shape[3:]), 255, dtype=np.uint8)
    for i, image in enumerate(images):
        y, x = (i // columns) * (height + 1), (i % columns) * (width + 1)
        sheet[y : y + height, x : x + width] = image
    axes.imshow(sheet, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
    axes.set_title(title, loc="left", fontsize=10.5)
    axes.axis("off")
