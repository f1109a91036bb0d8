import math

import pytest
import torch
from sklearn.linear_model import LogisticRegression
from torch.testing import assert_close

from zerosum.chance import normal
from zerosum.errors import Refusal
from zerosum.measure.twosample import expanded, logistic, two_sample


def test_the_regression_agrees_with_scikit_learn() -> None:
    real, fake = normal((300, 4), 0, "r") + 0.5, normal((300, 4), 0, "f")
    ridge = 0.01
    w, c = logistic(real, fake, ridge)
    # scikit-learn sums over 600 samples and weighs by C what we average: C = 1 / (600 ridge).
    oracle = LogisticRegression(C=1 / (600 * ridge), tol=1e-10, max_iter=1000).fit(torch.cat([real, fake]).numpy(), [1] * 300 + [0] * 300)
    assert_close(w, torch.tensor(oracle.coef_[0]).double(), atol=1e-5, rtol=1e-4)
    assert_close(float(c), float(oracle.intercept_[0]), atol=1e-5, rtol=1e-4)


def test_sets_of_unequal_size_count_alike() -> None:
    x = normal((100, 2), 0, "x")
    assert_close(logistic(x + 1, torch.cat([x, x, x])), logistic(torch.cat([x, x]) + 1, x))


def test_separable_sets_give_finite_weights() -> None:
    w, c = logistic(normal((50, 1), 0, "r") + 100, normal((50, 1), 0, "f"), ridge=1e-6)
    assert bool(torch.isfinite(w).all())
    assert bool(torch.isfinite(c))


def test_gaussians_apart_have_a_closed_form() -> None:
    # Best accuracy between N(0, 1) and N(1, 1): Phi(1/2) = .6915.
    assert_close(two_sample(normal((10_000, 1), 0, "f") + 1, normal((10_000, 1), 0, "r")).value, 0.6915, atol=0.015, rtol=0)


def test_a_change_of_scale_or_of_correlation_alone_is_seen() -> None:
    x, y = normal((4000, 2), 0, "x"), normal((4000, 2), 0, "y")
    correlated = torch.stack([y[:, 0], 0.9 * y[:, 0] + math.sqrt(1 - 0.81) * y[:, 1]], 1)
    assert two_sample(correlated, x).low > 0.6
    assert two_sample(1.5 * y, x).low > 0.55


def test_equal_laws_are_at_one_half() -> None:
    repeats = [two_sample(normal((400, 3), i, "f"), normal((300, 3), i, "r"), i) for i in range(100)]
    assert_close(sum(r.value for r in repeats) / 100, 0.5, atol=0.01, rtol=0)
    assert_close(sum(r.low <= 0.5 <= r.high for r in repeats) / 100, 0.95, atol=0.05, rtol=0)


def test_expansion() -> None:
    assert_close(expanded(torch.tensor([[2.0, 3.0]])), torch.tensor([[2.0, 3.0, 4.0, 6.0, 9.0]]).double())
    assert expanded(torch.zeros(1, 20)).shape == (1, 40)


def test_too_few_are_refused() -> None:
    with pytest.raises(Refusal, match="at least 100"):
        two_sample(normal((99, 2), 0, "f"), normal((500, 2), 0, "r"))
