"""Gradients written out, against autograd's."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from zerosum.chance import normal
from zerosum.engine.perceptron import Perceptron
from zerosum.nets import build, perceptron_of

KNOBS = {"width": 8, "depth": 2, "norm": "none", "slope": 0.2, "dropout": 0.0}


@pytest.mark.parametrize("activation", ["tanh", "leaky_relu", "relu"])
def test_values_and_gradients_are_autograds(activation: str) -> None:
    torch.manual_seed(1)
    G = build("mlp", (3,), 5, {**KNOBS, "activation": activation})[0].double()
    for i, p in enumerate(G.parameters()):
        p.data += 0.1 * normal(tuple(p.shape), 5, "moved", i)
    steps = perceptron_of(G)
    assert steps is not None
    by_hand, z, at_x = Perceptron(steps), normal((9, 5), 2, "z").double(), normal((4, 3), 2, "x").double()
    x = G(z)
    assert_close(by_hand.up(z), x)
    expected = torch.autograd.grad(x[5:], list(G.parameters()), at_x)
    found = by_hand.gradients(at_x)
    assert_close([found[p] for p in G.parameters()], list(expected))


@pytest.mark.parametrize("changed", [{"activation": "prelu"}, {"activation": "maxout"}, {"norm": "batch"}])
def test_what_is_no_such_perceptron_says_so(changed: dict[str, object]) -> None:
    assert perceptron_of(build("mlp", (2,), 4, {**KNOBS, "activation": "relu", **changed})[0]) is None
    assert perceptron_of(build("mlp", (1, 8, 8), 4, {**KNOBS, "activation": "relu"})[0]) is None
    assert perceptron_of(nn.Linear(4, 2)) is None
