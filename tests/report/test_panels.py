"""Panels of a study: a logarithmic axis where values span powers of ten, with labels that can be read as they stand."""

from __future__ import annotations

import numpy as np

from zerosum.report.panels import draw_panels

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
