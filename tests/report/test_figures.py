import math

import matplotlib as mpl
import numpy as np
import pytest

from zerosum.records import Row
from zerosum.report import figures
from zerosum.report.style import P_G, D


def rows(n: int, **values: object) -> list[Row]:
    return [
        {"type": "signals", "samples": 64 * (i + 1), **{k: v[i] if isinstance(v, list) else v for k, v in values.items()}} for i in range(n)
    ]


def test_a_curve_shows_the_rows_numbers() -> None:
    drawing = figures.losses(rows(3, loss_d=[1.0, 2.0, 4.0], loss_g=[3.0, 2.0, 1.0]))
    assert drawing is not None
    d, g = drawing.axes[0].lines
    np.testing.assert_array_equal(d.get_xydata(), [[64, 1], [128, 2], [192, 4]])
    np.testing.assert_array_equal(g.get_ydata(), [3, 2, 1])
    assert (d.get_color(), g.get_color()) == (D["color"], P_G["color"])
    assert d.is_dashed()
    assert not g.is_dashed()


def test_a_missing_value_breaks_the_line() -> None:
    drawing = figures.speed(rows(4, rate=[1.0, None, math.nan, 2.0]))
    assert drawing is not None
    np.testing.assert_array_equal(drawing.axes[0].lines[0].get_ydata(), [1, np.nan, np.nan, 2])


@pytest.mark.parametrize(
    "draw", [figures.value, figures.probabilities, figures.accuracy, figures.logits, figures.losses, figures.gradients]
)
@pytest.mark.parametrize("record", [[], rows(2, V=None, D_real=None, D_fake=None, loss_d=math.nan, a=None, accuracy="?", grad_d=math.inf)])
def test_nothing_to_draw_is_no_figure(draw, record: list[Row]) -> None:  # type: ignore[no-untyped-def]
    assert draw(record) is None


def test_reference_lines() -> None:
    v = figures.value(rows(3, V=[-0.1, -0.5, -1.0]))
    belief = figures.probabilities(rows(3, D_real=0.9, D_fake=0.1))
    assert v is not None
    assert belief is not None
    assert v.axes[0].lines[1].get_ydata() == pytest.approx([-1.386294] * 2)
    assert list(belief.axes[0].lines[2].get_ydata()) == [0.5, 0.5]


def test_the_band_of_logits_is_one_standard_deviation() -> None:
    drawing = figures.logits(rows(3, a=2.0, b=-1.0, a_std=0.5, b_std=0.25))
    assert drawing is not None
    reals, fakes = (band.get_paths()[0].vertices[:, 1] for band in drawing.axes[0].collections)
    assert (reals.min(), reals.max(), fakes.min(), fakes.max()) == (1.5, 2.5, -1.25, -0.75)


def test_no_penalty_is_no_figure() -> None:
    assert figures.penalty(rows(3, penalty=0.0)) is None
    assert figures.penalty(rows(3, penalty=0.1)) is not None


def test_thinning_keeps_the_mean_and_the_holes() -> None:
    points = np.stack([np.arange(1000.0), np.sin(np.arange(1000.0))], axis=1)
    few = figures.thinned(points, 100)
    np.testing.assert_allclose(few[:, 1], points[:, 1].reshape(100, 10).mean(1))
    np.testing.assert_array_equal(few[:, 0], points[:, 0].reshape(100, 10).mean(1))
    points[10:20, 1], points[25, 1] = np.nan, np.nan
    few = figures.thinned(points, 100)
    assert np.isnan(few[:, 1]).nonzero()[0].tolist() == [1]
    np.testing.assert_array_equal(figures.thinned(points, 2000), points)


def score(i: int, value: float | None, **more: object) -> Row:
    return {"type": "score", "samples": 100 * i, "name": "frechet", "value": value, "low": None, "high": None, "floor": None, **more}


def test_a_score_shows_its_interval_and_floor_and_goes_logarithmic_where_it_falls_far() -> None:
    near = figures.score([score(1, 4.0, low=3.0, high=5.0, floor=0.4), score(2, None, name="recall"), score(3, 3.0)], "frechet")
    assert near is not None
    assert near.axes[0].get_yscale() == "linear"
    assert [s.tolist() for s in near.axes[0].collections[0].get_segments()[:1]] == [[[100, 3], [100, 5]]]
    assert list(near.axes[0].lines[1].get_ydata()) == [0.4, 0.4]
    far = figures.score([score(1, 300.0), score(2, 2.0)], "frechet")
    assert far is not None
    assert far.axes[0].get_yscale() == "log"
    far.draw_without_rendering()
    assert {"2", "10", "100"} <= {tick.get_text() for tick in far.axes[0].get_yticklabels()}
    assert figures.score([score(1, None)], "frechet") is None


def test_drawing_leaves_matplotlib_as_it_was() -> None:
    with mpl.rc_context({"font.size": 31, "text.usetex": True}):
        before = dict(mpl.rcParams)
        assert figures.speed(rows(2, rate=1.0)) is not None
        assert dict(mpl.rcParams) == before


def test_losses_at_equilibrium_are_thin_lines_one_where_they_are_equal() -> None:
    for equilibrium, levels in (((), []), ((2.0, None), [2.0]), ((0.5, 0.5), [0.5]), ((1.4, -0.7), [-0.7, 1.4])):
        drawing = figures.losses(rows(3, loss_d=[1.0, 2.0, 4.0], loss_g=[3.0, 2.0, 1.0]), equilibrium)
        assert drawing is not None
        assert [line.get_ydata()[0] for line in drawing.axes[0].lines[2:]] == levels
