"""The players' costs: who is moved by what."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from zerosum.chance import normal
from zerosum.game.losses import discriminator_loss, generator_loss
from zerosum.game.penalty import PENALTIES
from zerosum.game.prior import PRIORS
from zerosum.game.value import VALUES


@pytest.fixture
def D() -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 1), nn.Flatten(0))


@pytest.mark.parametrize("name", VALUES)
@pytest.mark.parametrize("penalty", [n for n, row in PENALTIES.items() if row is None or not row.between])
def test_reals_and_fakes_together_or_apart_are_one_mathematics(name: str, penalty: str, D: nn.Module) -> None:
    x, fake = normal((5, 3), 0, "x"), normal((5, 3), 0, "fake")
    costs = [discriminator_loss(D, x, fake, VALUES[name], PENALTIES[penalty], 0.5, None, together) for together in (True, False)]
    for one, other in zip(*costs, strict=True):
        assert_close(one, other)
    gradients = [torch.autograd.grad(c.total, list(D.parameters()), allow_unused=True) for c in costs]
    assert_close(gradients[0], gradients[1])


@pytest.mark.parametrize("name", VALUES)
def test_d_s_cost_does_not_reach_g(name: str, D: nn.Module) -> None:
    fake = normal((5, 3), 0, "fake").requires_grad_()
    cost = discriminator_loss(D, normal((5, 3), 0, "x"), fake, VALUES[name], PENALTIES["r1r2"], 1.0)
    assert torch.autograd.grad(cost.total, fake, allow_unused=True) == (None,)


@pytest.mark.parametrize("name", VALUES)
def test_g_s_cost_reaches_g_through_d(name: str, D: nn.Module) -> None:
    x, fake = normal((5, 3), 0, "x"), normal((5, 3), 0, "fake").requires_grad_()
    cost = generator_loss(D, fake, VALUES[name], x)
    (gradient,) = torch.autograd.grad(cost.loss, fake)
    b = D(fake).detach().requires_grad_()
    (by_logit,) = torch.autograd.grad(VALUES[name].g(D(x).detach(), b).mean(), b)
    assert_close(gradient, torch.autograd.grad(D(fake), fake, by_logit)[0])


def test_a_paired_game_asks_for_the_reals(D: nn.Module) -> None:
    with pytest.raises(ValueError, match="paired"):
        generator_loss(D, normal((5, 3), 0, "fake"), VALUES["relativistic"])


@pytest.mark.parametrize("name", PRIORS)
def test_priors_are_functions_of_seed_purpose_and_counter(name: str) -> None:
    draw = PRIORS[name]
    z = draw((20_000, 2), 3, "z of D", 5)
    assert_close(z, draw((20_000, 2), 3, "z of D", 5), rtol=0, atol=0)
    assert not torch.equal(z, draw((20_000, 2), 3, "z of D", 6))
    assert not torch.equal(z, draw((20_000, 2), 3, "z of G", 5))
    assert_close(z.mean(0), torch.zeros(2), rtol=0, atol=0.03)
    assert_close(z.var(0), torch.full((2,), {"normal": 1.0, "uniform": 1 / 3}[name]), rtol=0.04, atol=0)
