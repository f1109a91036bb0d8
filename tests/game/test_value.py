"""Every row of VALUES, and the identities that the texts state."""

from __future__ import annotations

import math

import pytest
import torch
from torch.nn.functional import binary_cross_entropy_with_logits, softplus
from torch.testing import assert_close

from zerosum.chance import normal
from zerosum.errors import Refusal
from zerosum.game.value import VALUES, Value, smoothed


@pytest.fixture
def logits() -> tuple[torch.Tensor, torch.Tensor]:
    return tuple(normal((64,), 0, name).double() * 3 for name in "ab")  # type: ignore[return-value]


@pytest.mark.parametrize("name", VALUES)
def test_costs_are_elementwise_finite_and_broadcast(name: str) -> None:
    value = VALUES[name]
    a, b = torch.linspace(-40, 40, 9).double(), torch.linspace(-40, 40, 7).double()
    for cost in (value.d, value.g):
        grid = cost(a[:, None], b[None, :])
        grid = grid.expand(9, 7)
        assert torch.isfinite(grid).all()
        assert_close(grid[3, 5], cost(a[3], b[5]))


@pytest.mark.parametrize("name", VALUES)
def test_each_player_pulls_the_logits_its_own_way(name: str, logits: tuple[torch.Tensor, torch.Tensor]) -> None:
    """D lowers its cost by raising a and lowering b where that is not yet done; G by raising b."""
    a, b = (t.clamp(-0.9, 0.9).requires_grad_() for t in logits)
    grad_a, grad_b = torch.autograd.grad(VALUES[name].d(a, b).sum(), (a, b))
    (grad_g,) = torch.autograd.grad(VALUES[name].g(a, b).sum(), b)
    assert (grad_a < 0).all()
    assert (grad_g < 0).all()
    if name == "least_squares":  # a square pulls b to the label 0, from both sides
        assert_close(grad_b, b)
    else:
        assert (grad_b > 0).all()


@pytest.mark.parametrize("value", [*VALUES.values(), smoothed(VALUES["non_saturating"], 0.1)])
def test_slopes_are_the_costs_derivatives(value: Value, logits: tuple[torch.Tensor, torch.Tensor]) -> None:
    a, b = (t.requires_grad_() for t in logits)
    assert_close(value.d_slopes(a, b), torch.autograd.grad(value.d(a, b).sum(), (a, b)))
    assert_close(value.g_slope(a, b), torch.autograd.grad(value.g(a, b).sum(), b)[0])


@pytest.mark.parametrize("name", VALUES)
def test_the_losses_at_equilibrium_are_those_of_the_best_d(name: str) -> None:
    """At p_g = p_data the best D has a = b = c, where its loss is least; G has a loss there if all such c agree on it."""
    c = torch.linspace(-3, 3, 6001, dtype=torch.float64)
    of_d = VALUES[name].d(c, c)
    best = c[of_d <= of_d.min() + 1e-12]
    of_g = VALUES[name].g(best, best)
    found = (of_d.min().item(), of_g[0].item() if of_g.max() - of_g.min() < 1e-12 else None)
    assert found == pytest.approx(VALUES[name].equilibrium, abs=1e-6)


@pytest.mark.parametrize("name", ["minimax", "non_saturating"])
def test_binary_cross_entropy_with_labels_one_and_zero_is_minus_v(name: str, logits: tuple[torch.Tensor, torch.Tensor]) -> None:
    a, b = logits
    bce = binary_cross_entropy_with_logits(a, torch.ones_like(a)) + binary_cross_entropy_with_logits(b, torch.zeros_like(b))
    V = torch.log(torch.sigmoid(a)).mean() + torch.log(1 - torch.sigmoid(b)).mean()
    assert_close(VALUES[name].d(a, b).mean(), bce)
    assert_close(VALUES[name].d(a, b).mean(), -V)


def test_minimax_is_zero_sum_but_for_the_term_that_g_cannot_move(logits: tuple[torch.Tensor, torch.Tensor]) -> None:
    a, b = logits
    minimax = VALUES["minimax"]
    assert_close(minimax.d(a, b) + minimax.g(a, b), softplus(-a))
    b = b.requires_grad_()
    (whole,) = torch.autograd.grad(-minimax.d(a, b).sum(), b)
    (without_the_real_term,) = torch.autograd.grad(minimax.g(a, b).sum(), b)
    assert_close(whole, without_the_real_term, rtol=0, atol=0)


def test_saturating_gradient_vanishes_where_d_is_sure_and_the_other_does_not() -> None:
    b = torch.tensor([-30.0], dtype=torch.float64, requires_grad=True)
    (saturating,) = torch.autograd.grad(VALUES["minimax"].g(b, b.clone()).sum(), b, allow_unused=True)
    b = torch.tensor([-30.0], dtype=torch.float64, requires_grad=True)
    zero = torch.zeros_like(b)
    (saturating,) = torch.autograd.grad(VALUES["minimax"].g(zero, b).sum(), b)
    (not_saturating,) = torch.autograd.grad(VALUES["non_saturating"].g(zero, b).sum(), b)
    assert_close(saturating, -torch.sigmoid(b.detach()))  # d/db log(1 - sigmoid(b))
    assert_close(not_saturating, torch.tensor([-1.0], dtype=torch.float64))


def test_equal_players_pay_log_four() -> None:
    zero = torch.zeros(3, dtype=torch.float64)
    assert_close(VALUES["minimax"].d(zero, zero), torch.full((3,), math.log(4), dtype=torch.float64))
    assert_close(VALUES["relativistic"].d(zero, zero), torch.full((3,), math.log(2), dtype=torch.float64))


def test_relativistic_players_swap_places(logits: tuple[torch.Tensor, torch.Tensor]) -> None:
    a, b = logits
    assert_close(VALUES["relativistic"].d(a, b), VALUES["relativistic"].g(b, a))


@pytest.mark.parametrize("name", VALUES)
def test_smoothing_moves_the_label_or_is_refused(name: str, logits: tuple[torch.Tensor, torch.Tensor]) -> None:
    a, b = logits
    s = 0.1
    if not VALUES[name].smoothable:
        with pytest.raises(Refusal, match=r"target for real samples: use one of .*minimax"):
            smoothed(VALUES[name], s)
        return
    assert smoothed(VALUES[name], s).equilibrium is None
    cost = smoothed(VALUES[name], s).d(a, b)
    if VALUES[name].probability:
        real = binary_cross_entropy_with_logits(a, torch.full_like(a, 1 - s), reduction="none")
        assert_close(cost, real + softplus(b))
    else:
        const = s - s**2 / 2
        assert_close(cost, ((a - 1 + s) ** 2 + b**2) / 2 + const)
    assert smoothed(VALUES[name], 0.0) is VALUES[name]
    with pytest.raises(Refusal, match=r"0\.5"):
        smoothed(VALUES[name], 0.5)
