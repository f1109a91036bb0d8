"""The four passes against autograd's second derivatives: every value function, every penalty, every kind of chain."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.testing import assert_close

from zerosum.chance import normal, uniform
from zerosum.engine.closed_form import ClosedForm
from zerosum.engine.passes import Chain
from zerosum.engine.strided import Routed, Routes
from zerosum.game.losses import DiscriminatorLoss, discriminator_loss, generator_loss
from zerosum.game.penalty import PENALTIES
from zerosum.game.value import VALUES, smoothed
from zerosum.nets import build, chain_of
from zerosum.nets.mlp import Octaves

SHAPES = {"points": (2,), "octaves": (3,), "residual": (2, 16, 16), "small": (1, 8, 8), "colour": (3, 11, 14)}
NETS = {
    "points": ("mlp", {"width": 16, "depth": 2, "norm": "none", "activation": "leaky_relu", "slope": 0.2, "dropout": 0.0}),
    "octaves": ("mlp", {"width": 16, "depth": 2, "norm": "none", "activation": "leaky_relu", "slope": 0.2, "dropout": 0.0, "octaves": 3}),
    "residual": ("resnet", {"width": 2, "depth": 1, "slope": 0.2}),
    "small": ("mlp", {"width": 12, "depth": 3, "norm": "none", "activation": "relu", "slope": 0.0, "dropout": 0.0}),
    "colour": ("dcgan", {"width": 4, "norm": "none", "slope": 0.2, "hidden": 8, "refine": 1}),
}


def _played(name: str, dtype: torch.dtype) -> tuple[nn.Module, ClosedForm, Tensor, Tensor]:
    """A D with no bias at zero, its chain in `dtype`, reals and fakes."""
    kind, knobs = NETS[name]
    torch.manual_seed(3)
    _, D = build(kind, SHAPES[name], 4, dict(knobs))
    D.to(torch.float64)
    for i, p in enumerate(D.parameters()):
        p.data += 0.1 * normal(tuple(p.shape), 5, "moved", i).double()
    x, fake = (normal((6, *SHAPES[name]), 7, "x", i).double() for i in (0, 1))
    return D, ClosedForm(Chain(chain_of(D)), dtype), x, fake


@pytest.mark.parametrize("penalty", PENALTIES)
@pytest.mark.parametrize("name", SHAPES)
def test_discriminator_gradient_is_autograds(name: str, penalty: str) -> None:
    D, chain, x, fake = _played(name, torch.float64)
    epsilon = uniform((6,), 1, "epsilon").double()
    for value in (VALUES["relativistic"], smoothed(VALUES["non_saturating"], 0.1)):
        expected = discriminator_loss(D, x.clone(), fake.clone(), value, PENALTIES[penalty], 0.7, epsilon)
        cost = chain.discriminator_loss(x, fake, value, PENALTIES[penalty], 0.7, epsilon)
        assert_close(cost[:4], expected[:4], rtol=1e-9, atol=1e-12)
        assert_close(_gradients(cost, D), _gradients(expected, D), rtol=1e-9, atol=1e-12)


def _gradients(cost: DiscriminatorLoss, D: nn.Module) -> list[Tensor]:
    known = cost.gradients
    return [known[w] for w in D.parameters()] if known is not None else list(torch.autograd.grad(cost.whole, list(D.parameters())))


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("name", SHAPES)
def test_generator_gradient_is_autograds(name: str, value: str) -> None:
    D, chain, x, fake = _played(name, torch.float64)
    fake.requires_grad_()
    expected, cost = generator_loss(D, fake, VALUES[value], x), chain.generator_loss(fake, VALUES[value], x)
    assert_close(cost[:2], expected[:2], rtol=1e-9, atol=1e-12)
    assert cost.gradients is not None
    assert_close(cost.gradients[fake], torch.autograd.grad(expected.cost, fake)[0], rtol=1e-9, atol=1e-12)


def test_in_bf16_it_errs_as_bf16_does() -> None:
    D, chain, x, fake = _played("colour", torch.bfloat16)
    exact, rounded = (
        _gradients(c.discriminator_loss(x, fake, VALUES["relativistic"], PENALTIES["r1r2"], 0.7), D)
        for c in (ClosedForm(chain.chain, torch.float64), chain)
    )
    # The last is the bias of the logit: the relativistic value does not feel it.
    for e, r in zip(exact[:-1], rounded[:-1], strict=True):
        assert_close((r - e).norm() / e.norm(), torch.zeros((), dtype=e.dtype), rtol=0.0, atol=0.1)


def test_a_penalty_between_needs_its_epsilon() -> None:
    _, chain, x, fake = _played("points", torch.float64)
    with pytest.raises(ValueError, match="epsilon"):
        chain.discriminator_loss(x, fake, VALUES["wasserstein"], PENALTIES["gp"], 1.0)


@pytest.mark.parametrize("changed", [{"activation": "tanh"}, {"activation": "prelu"}, {"dropout": 0.5}, {"norm": "batch"}])
def test_what_is_no_such_chain_says_so(changed: dict[str, object]) -> None:
    kind, knobs = NETS["points"]
    assert chain_of(build(kind, (2,), 4, {**knobs, **changed})[1]) is None


def test_a_ladder_with_an_odd_rung_is_no_chain() -> None:
    assert chain_of(build("resnet", (1, 28, 28), 4, {"width": 4, "depth": 1, "slope": 0.2})[1]) is not None
    assert chain_of(build("resnet", (1, 44, 44), 4, {"width": 4, "depth": 1, "slope": 0.2})[1]) is None


@pytest.mark.parametrize("by_product", [False, True])
def test_routed_layers_take_part_by_their_own_maps(by_product: bool) -> None:
    D, _, x, fake = _played("colour", torch.float64)
    plain = discriminator_loss(D, x.clone(), fake.clone(), VALUES["relativistic"], PENALTIES["r1r2"], 0.7)
    expected = _gradients(plain, D)
    D.set_submodule("layers.0", Routed(D.layers[0], Routes(by_product, by_product, by_product)))  # type: ignore[index, arg-type]
    chain = ClosedForm(Chain(chain_of(D)), torch.float64)
    cost = chain.discriminator_loss(x, fake, VALUES["relativistic"], PENALTIES["r1r2"], 0.7)
    assert_close(_gradients(cost, D), expected, rtol=1e-9, atol=1e-12)


def test_the_octaves_jacobian_is_autograds() -> None:
    seen, x, g, v = Octaves(4).double(), *(normal(shape, 2, "J", i).double() for i, shape in enumerate(((5, 2), (5, 18), (5, 2))))
    h, along = torch.autograd.functional.jvp(seen, x, v)
    assert_close(seen.jvp(h, v), along)
    assert_close(seen.vjp(h, g), torch.autograd.functional.vjp(seen, x, g)[1])
