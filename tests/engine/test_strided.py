"""The routes of engine/strided.py are PyTorch's own convolutions, to the last derivative."""

from __future__ import annotations

import itertools

import pytest
import torch
from torch import Tensor, nn
from torch.testing import assert_close

from zerosum.chance import normal
from zerosum.engine.strided import CONVOLUTION, PRODUCT, UNSHUFFLED, Down, Outer, Routed, Routes, Up, is_strided

PRODUCTS, ALL_UNSHUFFLED = Routes(PRODUCT, PRODUCT, PRODUCT), Routes(UNSHUFFLED, UNSHUFFLED, UNSHUFFLED)
SIZES = [(4, 4), (6, 5), (7, 9), (14, 14)]


def derivatives(layer: nn.Module, x: Tensor) -> list[Tensor]:
    """The map, its gradients, and the gradients of a gradient penalty in the input and the weights."""
    x = x.clone().requires_grad_()
    y = layer(x)
    weights = list(layer.parameters())
    first = torch.autograd.grad(y.square().sum(), [x, *weights], create_graph=True)
    second = torch.autograd.grad(first[0].square().sum() + first[1].square().sum(), [x, *weights])
    return [y, *first, *second]


@pytest.mark.parametrize("routes", [Routes(*r) for r in itertools.product([CONVOLUTION, PRODUCT, UNSHUFFLED], repeat=3)])
def test_each_route_is_the_convolution(routes: Routes) -> None:
    for size, odd in zip(SIZES, [(0, 0), (0, 1), (1, 1), (0, 0)], strict=True):
        x = normal((2, 3, *size), 0, "x").double()
        for layer in (nn.Conv2d(3, 5, 4, 2, 1), nn.ConvTranspose2d(3, 5, 4, 2, 1, output_padding=odd, bias=False)):
            layer.double().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
            assert is_strided(layer)
            assert_close(derivatives(Routed(layer, routes), x), derivatives(layer, x))


@pytest.mark.parametrize("routes", [Routes(), PRODUCTS, ALL_UNSHUFFLED])
def test_gradients_and_their_gradients(routes: Routes) -> None:
    x = normal((1, 2, 4, 5), 0, "x").double().requires_grad_()
    y = normal((1, 2, 2, 2), 0, "y").double().requires_grad_()
    w = normal((2, 2, 4, 4), 0, "w").double().requires_grad_()
    maps = (
        (lambda x, w: Down.apply(x, w, routes), (x, w)),
        (lambda y, w: Up.apply(y, w, (0, 1), routes), (y, w)),
        (lambda x, y: Outer.apply(x, y, routes), (x, y)),
    )
    for function, inputs in maps:
        assert torch.autograd.gradcheck(function, inputs)
        assert torch.autograd.gradgradcheck(function, inputs)


@pytest.mark.parametrize("routes", [PRODUCTS, ALL_UNSHUFFLED])
def test_bf16_routes_agree_to_its_resolution(routes: Routes) -> None:
    layer = nn.Conv2d(16, 24, 4, 2, 1)
    x = normal((2, 16, 8, 8), 0, "x")
    plain = layer(x)
    layer.bfloat16()
    out = Routed(layer, routes)(x)
    assert out.dtype == torch.bfloat16
    assert_close(out.float(), plain, rtol=0.02, atol=0.02)


@pytest.mark.parametrize("layer", [nn.Conv2d(3, 5, 3, 2, 1), nn.Conv2d(4, 4, 4, 2, 1, groups=2), nn.Linear(3, 5), nn.Conv2d(3, 5, 4, 2, 0)])
def test_other_layers_do_not_fit(layer: nn.Module) -> None:
    assert not is_strided(layer)
