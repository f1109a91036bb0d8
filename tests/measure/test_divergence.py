import math

import pytest
import torch
from torch.testing import assert_close

from zerosum.chance import generator, normal
from zerosum.errors import Refusal
from zerosum.measure.c2st import ImageClassifier, PointClassifier, fit
from zerosum.measure.divergence import D_MARGIN, jsd_bound, losses, lower_bounds

N = 10_000
JSD_ONE, JSD_TWO = 0.111421, 0.336831  # N(0, 1) with N(1, 1) and with N(2, 1), by quadrature, nats


def test_costs_of_an_undecided_d_are_log_2_and_of_a_sure_one_clipped() -> None:
    real, fake = losses(torch.tensor([0.0, 1e9, -1e9]), torch.tensor([0.0, 1e9, -1e9]))
    assert_close(real, torch.tensor([math.log(2), -math.log(1 - D_MARGIN), -math.log(D_MARGIN)]).double())
    assert_close(fake, torch.tensor([math.log(2), -math.log(D_MARGIN), -math.log(1 - D_MARGIN)]).double())


def test_finite_bound_is_the_published_one() -> None:
    cost = torch.tensor([0.1, 0.3] * 500).double()
    variance, n, log_term = float(cost.var()), 1000, math.log(2 / 0.05)
    expected = math.log(2) - 0.2 - math.sqrt(2 * variance * log_term / n) - 7 * math.log(99) * log_term / (3 * 999)
    assert_close(lower_bounds(cost, cost)[1], expected)


def test_a_d_that_has_not_erred_yet_is_not_taken_for_perfect() -> None:
    sure = torch.full((50,), -math.log(1 - D_MARGIN)).double()
    asymptotic, finite = lower_bounds(sure, sure)
    assert finite < asymptotic < math.log(2) - float(sure[0]) - 0.05


def test_bounds_hold_for_known_costs() -> None:
    """With D = D*, whose expected value is the JSD itself, the bounds must fail in about 5 % of repeats, and (finite-sample) in fewer."""
    over = torch.zeros(2)
    for i in range(400):
        x, y = normal((500, 1), i, "x")[:, 0], normal((500, 1), i, "y")[:, 0] + 1
        over += torch.tensor(lower_bounds(*losses(0.5 - x, 0.5 - y))) > JSD_ONE
    assert float(over[0]) / 400 <= 0.075
    assert float(over[1]) / 400 <= 0.01


@pytest.mark.parametrize(("mean", "truth", "least"), [(1.0, JSD_ONE, 0.6), (2.0, JSD_TWO, 0.8)])
def test_gaussians_apart_are_recovered(mean: float, truth: float, least: float) -> None:
    bound = jsd_bound(normal((N, 1), 0, "x") + mean, normal((N, 1), 0, "y"))
    assert least * truth < bound.finite < bound.asymptotic < bound.estimate
    assert_close(bound.estimate, truth, atol=0.02, rtol=0)
    assert bound.pairs == 3000


def test_equal_laws_prove_nothing() -> None:
    bound = jsd_bound(normal((N, 2), 0, "x"), normal((N, 2), 0, "y"))
    assert_close(bound.estimate, 0.0, atol=0.003, rtol=0)
    assert bound.asymptotic < 0.001
    assert bound.finite < 0
    assert_close(bound.accuracy, 0.5, atol=0.03, rtol=0)


def test_the_width_of_narrow_modes_is_seen() -> None:
    """sigma .03 for .01 on the ring of 8: JSD .326 nats by quadrature, invisible to a plain MLP of this size."""
    x, y = (_ring(sigma, seed) for sigma, seed in ((0.03, 0), (0.01, 1)))
    assert jsd_bound(x, y).asymptotic > 0.6 * 0.326


def _ring(sigma: float, seed: int) -> torch.Tensor:
    angle = torch.randint(8, (N,), generator=generator(seed, "angle")) * (math.pi / 4)
    return torch.stack([angle.cos(), angle.sin()], 1) + sigma * normal((N, 2), seed, "noise")


def test_images_are_told_apart_by_their_pixels() -> None:
    noise = (normal((600, 1, 12, 12), 0, "noise") * 40 + 128).clamp(0, 255)
    real, fake = noise[:300].to(torch.uint8), (noise[300:] * 0.8 + 0.2 * noise[300:].roll(1, 3)).to(torch.uint8)
    fake[:, :, :4, :4] = 255
    bound = jsd_bound(fake, real)
    assert bound.asymptotic > 0.3
    assert bound.D.features(real).shape == (300, 64)


def test_the_same_seed_gives_the_same_d_and_spends_no_global_draw() -> None:
    x, y = normal((300, 2), 0, "x"), normal((300, 2), 0, "y")
    before = torch.get_rng_state()
    first, again, other = (jsd_bound(x, y, seed) for seed in (0, 0, 1))
    assert torch.equal(before, torch.get_rng_state())
    assert first.estimate == again.estimate
    assert first.D.hash == again.D.hash != other.D.hash


def test_fresh_nets_take_any_shape() -> None:
    assert PointClassifier(normal((30, 5), 0, "x"), 0)(torch.zeros(7, 5)).shape == (7,)
    for shape in ((2, 1, 8, 8), (2, 1, 1, 200), (2, 3, 31, 45), (2, 4, 200, 150)):
        assert ImageClassifier(shape[1:], 0)(torch.zeros(shape, dtype=torch.uint8)).shape == (2,)


def test_held_out_rows_were_not_fitted() -> None:
    x, y = normal((300, 1), 0, "x"), normal((250, 1), 0, "y")
    bound = jsd_bound(x, y)
    assert len(bound.held_fake) == len(bound.held_real) == bound.pairs == 75
    assert len(set(bound.held_fake.tolist())) == 75


def test_calibration_mends_an_overfitted_d() -> None:
    """On pure noise D must end undecided: after calibration its held-out cross-entropy is that of a coin, not worse."""
    fake, real, choose_fake, choose_real = (normal((60, 50), i, "noise") for i in range(4))
    D = fit(fake, real, choose_fake, choose_real, seed=0)
    on_real, on_fake = losses(D.logits(normal((2000, 50), 5, "noise")), D.logits(normal((2000, 50), 6, "noise")))
    assert_close(float(on_real.mean() + on_fake.mean()) / 2, math.log(2), atol=0.05, rtol=0)


def test_too_few_are_refused() -> None:
    with pytest.raises(Refusal, match="at least 200"):
        jsd_bound(normal((199, 1), 0, "x"), normal((500, 1), 0, "y"))
