import numpy as np

from zerosum.report.scatter import draw_points
from zerosum.report.style import GREEN, INK


def normal(n: int, d: int) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(n, d))


def title(drawing) -> str:  # type: ignore[no-untyped-def]
    return drawing.get_suptitle()


def test_a_histogram_holds_the_share_of_samples_inside() -> None:
    real = normal(4000, 1)
    samples = np.concatenate([real[:900], np.full((100, 1), 50.0)])
    (axes,) = draw_points(samples, real=real).axes
    bars = axes.patches[:80]
    inside = sum(bar.get_width() * bar.get_height() for bar in bars)
    np.testing.assert_allclose(inside, 0.9, atol=0.002)
    assert axes.get_xlim()[1] < 10
    assert "samples are outside" in title(axes.figure)


def test_the_density_is_drawn_black_and_dotted() -> None:
    def density(x: np.ndarray) -> np.ndarray:
        return np.exp(-0.5 * x[:, 0] ** 2) / np.sqrt(2 * np.pi)

    (axes,) = draw_points(normal(500, 1), density=density).axes
    (curve,) = axes.lines
    np.testing.assert_allclose(curve.get_ydata().max(), 0.39894, rtol=1e-3)
    assert curve.get_color() == INK
    assert curve.is_dashed()


def test_samples_that_are_not_finite_are_left_out_and_counted() -> None:
    samples = normal(100, 2)
    samples[3, 1], samples[7] = np.nan, np.inf
    drawing = draw_points(samples)
    assert len(drawing.axes[0].collections[0].get_offsets()) == 98
    assert "2 of 100 samples are not finite" in title(drawing)
    assert "100 of 100 samples are not finite" in draw_points(np.full((100, 2), np.nan)).texts[0].get_text()


def test_p_data_lies_behind_and_fixes_the_window() -> None:
    real = normal(1000, 2)
    (axes,) = draw_points(real[:50] * 0.01, real=real).axes
    behind, samples = axes.collections
    assert (len(behind.get_offsets()), len(samples.get_offsets())) == (1000, 50)
    np.testing.assert_allclose(samples.get_facecolor()[0, :3], [int(GREEN[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    assert axes.get_xlim()[1] > 2


def test_a_density_in_the_plane_is_drawn_as_level_lines() -> None:
    drawing = draw_points(normal(400, 2), density=lambda x: np.exp(-0.5 * (x**2).sum(1)))
    assert len(drawing.axes[0].collections) == 2


def test_more_dimensions_say_what_is_shown() -> None:
    assert "each pair of the 3 coordinates" in title(draw_points(normal(50, 3)))
    drawing = draw_points(normal(50, 6), real=normal(80, 6))
    assert "first two principal axes of p_data, out of 6 coordinates" in title(drawing)


def test_the_principal_axes_are_those_of_greatest_variance() -> None:
    samples = normal(2000, 5) * np.array([0.1, 3.0, 0.1, 0.1, 1.0])
    shown = np.asarray(draw_points(samples).axes[0].collections[0].get_offsets())
    np.testing.assert_allclose(np.sort(shown.std(axis=0)), np.sort(samples[:, [1, 4]].std(axis=0)), rtol=0.01)


def test_constant_samples_still_have_a_window() -> None:
    assert draw_points(np.ones((20, 1))).axes[0].get_xlim()[0] < 1
    assert draw_points(np.ones((1, 5))).axes
