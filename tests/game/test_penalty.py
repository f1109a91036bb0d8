"""Every row of PENALTIES: its places, its slope and its weight, for points and images; the published ones in closed form."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from zerosum.chance import normal, uniform
from zerosum.game.losses import discriminator_loss
from zerosum.game.penalty import PENALTIES, Penalty, between, squared_gradient_norm
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


def places(row: Penalty | None, x: Tensor, fake: Tensor, epsilon: Tensor) -> list[Tensor]:
    """The samples at which a row of PENALTIES takes D's gradient."""
    if row is None:
        return []
    return [at for at, taken in ((x, row.real), (fake, row.fake), (between(x, fake, epsilon), row.between)) if taken]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", PENALTIES)
def test_a_row_is_half_gamma_times_the_mean_at_each_of_its_places(name: str, shape: tuple[int, ...]) -> None:
    row, x, fake = PENALTIES[name], normal((9, *shape), 0, "x"), normal((9, *shape), 0, "fake") + 1
    epsilon, gamma = uniform((9,), 0, "epsilon"), 0.7
    weighted = discriminator_loss(quadratic, x, fake, VALUES["minimax"], row, gamma, epsilon).penalty
    expected = torch.tensor(0.0)
    for at in places(row, x, fake, epsilon):
        assert row is not None
        expected = expected + row.of_square(at.flatten(1).square().sum(1)).mean()
    assert_close(weighted, gamma / 2 * expected)


@pytest.mark.parametrize("name", PENALTIES)
def test_a_row_takes_its_gradient_somewhere_has_a_source_and_states_its_slope(name: str) -> None:
    row = PENALTIES[name]
    if row is None:
        return
    assert row.source
    assert row.real or row.fake or row.between
    s = uniform((20,), 0, "squared norm").double().mul(4).add(0.1).requires_grad_()
    assert_close(row.slope(s.detach()), torch.autograd.grad(row.of_square(s).sum(), s)[0])


def test_the_published_penalties_in_closed_form() -> None:
    """For D(x) = |x|^2 / 2 the norm of the gradient at x is |x|."""
    x, fake, epsilon = normal((9, 5), 0, "x"), normal((9, 5), 0, "fake") + 1, uniform((9,), 0, "epsilon")
    real, generated = x.square().sum(1).mean(), fake.square().sum(1).mean()
    expected = {
        "none": torch.tensor(0.0),
        "r1": real,
        "r2": generated,
        "r1r2": real + generated,
        "gp": ((between(x, fake, epsilon).norm(dim=1) - 1) ** 2).mean(),
    }
    for name, unweighted in expected.items():
        penalty = discriminator_loss(quadratic, x, fake, VALUES["minimax"], PENALTIES[name], 0.7, epsilon).penalty
        assert_close(penalty, 0.35 * unweighted)


@pytest.mark.parametrize("together", [True, False])
@pytest.mark.parametrize("name", PENALTIES)
def test_the_penalty_reaches_ds_weights(name: str, together: bool) -> None:
    """For D(x) = w.x the gradient is w everywhere, so by w each place adds gamma/2 times 2 of_square'(|w|^2) w."""
    row, w = PENALTIES[name], normal((4,), 0, "w").double().requires_grad_()
    x, fake, epsilon = normal((6, 4), 0, "x").double(), normal((6, 4), 0, "fake").double(), uniform((6,), 0, "e").double()
    weighted = discriminator_loss(lambda y: y @ w, x, fake, VALUES["minimax"], row, 0.3, epsilon, together).penalty
    if row is None:
        assert not weighted.requires_grad
        return
    (gradient,) = torch.autograd.grad(weighted, w)
    v = w.detach()
    expected = 0.3 * len(places(row, x, fake, epsilon)) * row.slope(v.square().sum()) * v
    assert_close(gradient, expected, rtol=1e-6, atol=1e-9)


def test_a_flat_discriminator_has_a_finite_gradient_under_gp() -> None:
    w = torch.zeros(4, requires_grad=True)
    x = normal((6, 4), 0, "x")
    weighted = discriminator_loss(lambda y: y @ w, x, x, VALUES["wasserstein"], PENALTIES["gp"], 10.0, uniform((6,), 0, "e")).penalty
    assert torch.isfinite(torch.autograd.grad(weighted, w)[0]).all()
