"""Maximum likelihood and regression, against closed forms."""

from __future__ import annotations

import sys

import pytest
import torch
from torch.testing import assert_close

from zerosum.chance import generator, normal
from zerosum.data.density import bimodal, gaussian, mixture
from zerosum.errors import Refusal
from zerosum.theory.baseline import (
    fit_gaussian,
    fit_logistic_d,
    fit_mixture,
    fit_softmax,
    gaussian_d_star,
    mean_log_likelihood,
    softmax_accuracy,
)
from zerosum.theory.pair import line


def test_the_gaussian_fit_is_the_mean_and_the_biased_variance() -> None:
    fit = fit_gaussian(torch.tensor([1.0, 2.0, 6.0]))
    assert_close(fit.means, torch.tensor([[3.0]], dtype=torch.float64))
    assert_close(fit.stds**2, torch.tensor([14 / 3], dtype=torch.float64))


def test_no_other_gaussian_is_likelier() -> None:
    x = bimodal().sample(500, generator(0, "baseline-test"))
    fit = fit_gaussian(x)
    best, _ = mean_log_likelihood(fit, x)
    for shift, stretch in ((0.05, 1.0), (-0.05, 1.0), (0.0, 1.05), (0.0, 0.95)):
        assert mean_log_likelihood(mixture([1.0], [float(fit.means) + shift], [float(fit.stds) * stretch]), x)[0] < best


@pytest.mark.parametrize(("x", "complaint"), [([[1.0]], "at least two"), ([[2.0], [2.0]], "at least two"), ([[1.0, 2.0]], "1-D points")])
def test_a_gaussian_without_spread_is_refused(x: list[list[float]], complaint: str) -> None:
    with pytest.raises(Refusal, match=complaint):
        fit_gaussian(torch.tensor(x))


def test_the_mixture_fit_finds_both_modes_and_repeats_itself() -> None:
    pytest.importorskip("sklearn")
    x = bimodal().sample(4000, generator(1, "baseline-test"))
    fit = fit_mixture(x, 2)
    order = fit.means[:, 0].argsort()
    assert_close(fit.means[order, 0], torch.tensor([-2.0, 2.0], dtype=torch.float64), rtol=0, atol=0.05)
    assert_close(fit.stds, torch.tensor([0.5, 0.5], dtype=torch.float64), rtol=0.06, atol=0)
    assert_close(fit.weights.sum(), torch.tensor(1.0, dtype=torch.float64))
    assert_close(fit_mixture(x, 2).means, fit.means, rtol=0, atol=0)
    with pytest.raises(Refusal, match="at least as many points"):
        fit_mixture(x[:2], 3)


def test_without_scikit_learn_the_mixture_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn.mixture", None)
    with pytest.raises(Refusal, match=r"install zerosum\[theory\]"):
        fit_mixture(torch.zeros(10, 1), 2)


def test_a_logistic_d_on_samples_lies_within_its_standard_error() -> None:
    n = 20_000
    mean, std = 1.0, 1.5
    x = torch.cat([p.sample(n, generator(i, "baseline-test")) for i, p in enumerate((gaussian(), mixture([1.0], [mean], [std])))])
    x[:n] *= std
    P = torch.cat([torch.full((n,), 1 / n), torch.zeros(n)])
    w = fit_logistic_d(x, P, P.flip(0))
    # Inverse Fisher information of 2n points: sum of D(1 - D) [x, 1][x, 1]^T.
    design = torch.cat([x, torch.ones(2 * n, 1)], 1).double()
    D = torch.sigmoid(design @ w)
    error = torch.linalg.inv(design.T @ (design * (D * (1 - D))[:, None])).diagonal().sqrt()
    assert bool(((w - gaussian_d_star(0.0, mean, std)).abs() < 4 * error).all())


def test_a_logistic_d_in_two_dimensions_is_stationary() -> None:
    x = normal((200, 2), 0, "baseline-test").double()
    x[:100] += torch.tensor([0.5, -0.3])
    P = torch.cat([torch.full((100,), 0.01), torch.zeros(100)]).double()
    w = fit_logistic_d(x, P, P.flip(0))
    D = torch.sigmoid(x @ w[:2] + w[2])
    slope = (P * (D - 1) + P.flip(0) * D) @ torch.cat([x, torch.ones(200, 1)], 1).double()
    assert_close(slope, torch.zeros(3, dtype=torch.float64), rtol=0, atol=1e-10)


def test_gaussians_far_apart_are_still_fitted() -> None:
    pair = line(gaussian(), mixture([1.0], [6.0], [1.0]))
    assert_close(fit_logistic_d(pair.x, pair.P, pair.Q), gaussian_d_star(0.0, 6.0, 1.0), rtol=1e-6, atol=0)


def test_separable_sides_are_refused() -> None:
    with pytest.raises(Refusal, match="hyperplane"):
        fit_logistic_d(torch.tensor([[-1.0], [1.0]]), torch.tensor([1.0, 0.0]), torch.tensor([0.0, 1.0]))


def test_softmax_regression_of_two_classes_is_logistic_regression() -> None:
    x = normal((400, 2), 1, "baseline-test").double()
    label = (x[:, 0] + 0.8 * normal((400,), 2, "baseline-test") > 0.1).long()
    weights = fit_softmax(x, label, 2, decay=0.0, steps=300)
    P, Q = label.double() / 400, (1 - label).double() / 400
    assert_close(weights[:, 1] - weights[:, 0], fit_logistic_d(x, P, Q), rtol=1e-3, atol=1e-4)


def test_softmax_regression_on_scikit_learns_small_digits() -> None:
    datasets = pytest.importorskip("sklearn.datasets")
    digits = datasets.load_digits()
    x, label = torch.from_numpy(digits.data).float() / 16, torch.from_numpy(digits.target)
    weights = fit_softmax(x[:1200], label[:1200], 10)
    assert weights.shape == (65, 10)
    assert softmax_accuracy(weights, x[1200:], label[1200:]) > 0.9
