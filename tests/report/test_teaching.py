"""The teaching figure and the figures of scenarios, from made-up numbers: what is drawn, and what is not."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from zerosum.report.course import Picture, beside
from zerosum.report.diagrams import draw_dcgan, draw_transposed_convolution, draw_two_networks
from zerosum.report.scenario_figure import draw_scenario
from zerosum.report.style import png, vector
from zerosum.report.teaching import HIGHEST, draw_frame, draw_lesson, draw_panel, draw_row

Array = Any


@dataclass(frozen=True)
class Made:
    """A moment without a training."""

    t: int
    x: Array
    p_data: Array
    p_g: Array
    D: Array
    d_star: Array | None
    z: Array
    Gz: Array
    pull: Array
    jsd: float = 0.1
    v: float = -1.2
    off: float = 0.2
    half: float = 0.5


def moment(t: int = 0, shift: float = 0.5) -> Made:
    x = np.linspace(-3, 3, 61)
    z = np.linspace(-1, 1, 5)
    bell = np.exp(-(x**2) / 2) / 2.5
    return Made(t, x, bell, np.exp(-((x - shift) ** 2)) / 1.8, 0.5 + 0 * x, 0.5 + 0 * x, z, z + shift, -np.ones(5))


PANELS = {f"({letter}) words": moment(i) for i, letter in enumerate("abcd")}
CAPTIONS = ["one", "two", "three", "four"]


def texts(drawing: Any) -> list[str]:
    from matplotlib.text import Text

    return [t.get_text() for t in drawing.findobj(Text)]


def arrows(drawing: Any) -> int:
    from matplotlib.text import Annotation

    return sum(a.arrow_patch is not None for a in drawing.findobj(Annotation))


def test_every_panel_has_its_title_caption_and_labelled_axis() -> None:
    for drawing in (draw_lesson(PANELS, CAPTIONS, list(PANELS.values()), "the game"), draw_row(PANELS, CAPTIONS, "the game")):
        said = texts(drawing)
        assert all(name in said for name in [*PANELS, *CAPTIONS, "the game"])
        assert said.count("D(x)") == 4
        assert "1/2" in said


def test_the_third_panel_shows_the_push_and_no_arrow_without_length() -> None:
    assert arrows(draw_panel(PANELS, CAPTIONS, 2)) == arrows(draw_panel(PANELS, CAPTIONS, 3)) + 5
    weak = replace(moment(1), pull=np.array([-1.0, -1.0, -1.0, -1.0, -0.001]))
    panels = PANELS | {"(b) words": weak}
    assert arrows(draw_panel(panels, CAPTIONS, 2)) == arrows(draw_panel(panels, CAPTIONS, 3)) + 4


def test_a_spike_above_the_axis_is_named() -> None:
    m = moment()
    p_g = m.p_g.copy()
    p_g[30] = 10 * HIGHEST
    assert f"{10 * HIGHEST:.3g}" in [text.strip() for text in texts(draw_frame(replace(m, p_g=p_g), [m, moment(9)], "the game: words"))]
    assert f"{m.p_g.max():.3g}" not in texts(draw_frame(m, [m, moment(9)], "the game: words"))


def test_scenarios_with_grids_and_pictures_are_drawn() -> None:
    @dataclass(frozen=True)
    class Schedule:
        k: int
        g_steps: int
        modes: tuple[int, ...]
        d_taken: int = 10
        g_taken: int = 50
        jsd: tuple[float, ...] = (0.1,)
        modes_mean: tuple[float, float] = (7.5, 0.5)
        jsd_mean: tuple[float, float] = (0.1, 0.01)
        samples: Any = None

    @dataclass(frozen=True)
    class Scenario:
        panels: Any
        grids: Any
        pictures: Any

    points = np.zeros((4, 2))
    lines = {"JSD / steps": {"a": (np.arange(3.0), np.arange(3.0))}}
    grid = [Schedule(k, g, (8,) if k == 1 else (7, 8), samples=points) for k in (1, 2) for g in (1, 5)]
    said = texts(draw_scenario(Scenario(lines, {"as many updates of G": grid}, {})))
    assert "as many updates of G" in said
    assert "10 of D, 50 of G\n8 of 8 modes\nJSD 0.100" in said
    assert "10 of D, 50 of G\n7.5 +- 0.5 of 8 modes\nJSD 0.100 +- 0.010" in said
    pictures = {"real": np.zeros((10, 4, 4, 3), np.uint8), "grey": np.zeros((3, 4, 4), np.uint8)}
    assert {"real", "grey"} <= set(texts(draw_scenario(Scenario(lines, {}, pictures))))
    assert "JSD" in texts(draw_scenario(Scenario(lines, {}, {})))


def test_the_diagrams_say_what_they_show() -> None:
    said = " ".join(texts(draw_two_networks()))
    assert all(word in said for word in ("noise z", "generator G", "discriminator D", "probability", "label 1", "label 0"))
    out = [[float(4 * i + j) for j in range(4)] for i in range(4)]
    said = " ".join(texts(draw_transposed_convolution([[1.0, 2.0], [3.0, 4.0]], [[1.0] * 4] * 4, out, 2, 1)))
    assert "15" in said
    assert "64 x 64" in " ".join(texts(draw_dcgan()))


def test_figures_are_saved_in_three_formats() -> None:
    drawing = draw_dcgan()
    assert png(drawing, 20).startswith(b"\x89PNG")
    assert b"<svg" in vector(drawing, "svg")
    assert vector(drawing, "pdf").startswith(b"%PDF")
    picture = Picture(drawing, "words", dpi=20)
    assert picture._repr_png_().startswith(b"\x89PNG")
    assert picture.caption == "words"


def test_proved_and_measured_are_beside_each_other() -> None:
    lines = beside([("a", 1.0, 1.0), ("b", "> 0", 0.25)]).splitlines()
    assert lines[0].split() == ["statement", "proved", "measured"]
    assert lines[1].split() == ["a", "1.00000", "1.00000"]
    assert lines[2].split() == ["b", ">", "0", "0.25000"]
