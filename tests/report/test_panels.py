"""Panels of a study: a logarithmic axis where values span powers of ten, with labels that can be read as they stand."""

from __future__ import annotations

import numpy as np

from zerosum.report.panels import draw_panels
from zerosum.report.style import GREEN, INK

T = np.arange(100.0)


def test_a_wide_range_is_drawn_on_a_logarithmic_axis_with_plain_numbers() -> None:
    drawing = draw_panels({"falls / steps": {"a": (T, 10.0 ** (-T / 20)), "b": (T, np.ones(100))}, "stays": {"a": (T, 1 + T / 100)}})
    drawing.draw_without_rendering()
    falls, stays = drawing.axes
    assert (falls.get_yscale(), stays.get_yscale()) == ("log", "linear")
    labels = [label.get_text() for label in falls.get_yticklabels()]
    assert {"1", "0.1", "0.01"} <= set(labels)
    assert not any("$" in label for label in labels)
    assert [axes.get_xlabel() for axes in (falls, stays)] == ["steps", "steps"]


def test_a_legend_covers_no_curve() -> None:
    everywhere = {f"curve {i}": (T, np.sin(T + i)) for i in range(3)}
    drawing = draw_panels({"waves": everywhere})
    (axes,) = drawing.axes
    drawing.draw_without_rendering()
    legend = axes.get_legend()
    assert legend is not None
    box = legend.get_window_extent()
    paths = [line.get_path().transformed(line.get_transform()) for line in axes.lines]
    assert not any(path.intersects_bbox(box, filled=False) for path in paths)


def test_data_and_generated_samples_look_as_in_the_published_figure() -> None:
    drawing = draw_panels({"densities / x": {"p_g": (T, T), "other": (T, 2 * T), "p_data": (T, 3 * T)}})
    looks = {line.get_label(): (line.get_color(), line.get_linestyle()) for line in drawing.axes[0].lines}
    assert looks["p_g"] == (GREEN, "-")
    assert looks["p_data"][0] == INK
    assert len(set(looks.values())) == 3
