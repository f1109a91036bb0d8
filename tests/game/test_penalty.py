"""Every row of PENALTIES against closed forms, for points and images."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from zerosum.chance import normal, uniform
from zerosum.game.losses import discriminator_loss
from zerosum.game.penalty import PENALTIES, between, squared_gradient_norm
from zerosum.game.value import VALUES

SHAPES = [(5,), (2, 4, 3)]


def quadratic(x: Tensor) -> Tensor:
    """D(x) = |x|^2 / 2, so grad D = x."""
    return x.flatten(1).square().sum(1) / 2


@pytest.mark.parametrize("shape", SHAPES)
def test_squared_gradient_norm_is_each_samples_own(shape: tuple[int, ...]) -> None:
    x = normal((7, *shape), 0, "x").requires_grad_()
    assert_close(squared_gradient_norm(quadratic(x), x), x.flatten(1).square().sum(1))


def test_one_epsilon_a_sample() -> None:
    x, fake = torch.ones(3, 2, 2, 2), torch.zeros(3, 2, 2, 2)
    epsilon = torch.tensor([0.0, 0.25, 1.0])
    assert_close(between(x, fake, epsilon), epsilon[:, None, None, None].expand(3, 2, 2, 2))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", PENALTIES)
def test_price_is_half_gamma_times_the_mean(name: str, shape: tuple[int, ...]) -> None:
    x, fake = normal((9, *shape), 0, "x"), normal((9, *shape), 0, "fake") + 1
    epsilon, gamma = uniform((9,), 0, "epsilon"), 0.7
    weighted = discriminator_loss(quadratic, x, fake, VALUES["minimax"], PENALTIES[name], gamma, epsilon).penalty
    real, faked = x.flatten(1).square().sum(1), fake.flatten(1).square().sum(1)
    middle = between(x, fake, epsilon).flatten(1).norm(dim=1)
    expected = {
        "none": torch.tensor(0.0),
        "r1": real.mean(),
        "r2": faked.mean(),
        "r1r2": real.mean() + faked.mean(),
        "gp": ((middle - 1) ** 2).mean(),
    }[name]
    assert_close(weighted, gamma / 2 * expected)


@pytest.mark.parametrize("together", [True, False])
@pytest.mark.parametrize("name", PENALTIES)
def test_the_price_reaches_ds_weights(name: str, together: bool) -> None:
    """For D(x) = w.x the gradient is w everywhere: R1 = |w|^2, the weighted's gradient gamma w a place; for gp gamma (|w| - 1) w / |w|."""
    w = normal((4,), 0, "w").double().requires_grad_()
    x, fake = normal((6, 4), 0, "x").double(), normal((6, 4), 0, "fake").double()
    weighted = discriminator_loss(
        lambda y: y @ w, x, fake, VALUES["minimax"], PENALTIES[name], 0.3, uniform((6,), 0, "e").double(), together
    ).penalty
    if name == "none":
        assert not weighted.requires_grad
        return
    (gradient,) = torch.autograd.grad(weighted, w)
    norm = w.detach().norm()
    places = {"r1": 1.0, "r2": 1.0, "r1r2": 2.0, "gp": (norm - 1) / norm}[name]
    assert_close(gradient, 0.3 * places * w.detach(), rtol=1e-6, atol=1e-9)


def test_a_flat_discriminator_has_a_finite_gradient_under_gp() -> None:
    w = torch.zeros(4, requires_grad=True)
    x = normal((6, 4), 0, "x")
    weighted = discriminator_loss(lambda y: y @ w, x, x, VALUES["wasserstein"], PENALTIES["gp"], 10.0, uniform((6,), 0, "e")).penalty
    assert torch.isfinite(torch.autograd.grad(weighted, w)[0]).all()
