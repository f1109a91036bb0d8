"""A perceptron and the gradients of its weights, written out: what autograd does for G, without its graph.

With h_0 = z, u_l = W_l h_{l-1} + b_l and h_l = f_l(u_l), a cost whose gradient at h_L is delta has, going down,

    delta_l = f_l'(u_l) delta,    d / d W_l = delta_l^T h_{l-1},    d / d b_l = sum_n delta_l,    delta = delta_l W_l.

f' is known from f's own value for each bend of BENDS, so u is not kept. For nets so small that a round is spent on many small steps
rather than on products, a graph for each round is a fifth of it (docs/speed.md).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu_, linear

# f, which may write over what it is given, and f' times delta from f's value h.
Bend = tuple[Callable[[Tensor], Tensor], Callable[[Tensor, Tensor], Tensor]]


def _leaky(slope: float) -> Bend:
    return lambda u: leaky_relu_(u, slope), lambda delta, h: torch.ops.aten.leaky_relu_backward(delta, h, slope, True)


BENDS: dict[type[nn.Module], Callable[[Any], Bend]] = {
    nn.Tanh: lambda _: (torch.tanh_, torch.ops.aten.tanh_backward),
    nn.LeakyReLU: lambda step: _leaky(step.negative_slope),
    nn.ReLU: lambda _: _leaky(0.0),
}


class Perceptron:
    """steps: Linear layers, each followed by at most one bend of BENDS. Their weights are read when they are used."""

    def __init__(self, steps: Sequence[nn.Module]) -> None:
        self.layers: list[tuple[nn.Linear, Bend | None]] = []
        for step in steps:
            if isinstance(step, nn.Linear):
                self.layers.append((step, None))
            else:
                self.layers[-1] = (self.layers[-1][0], BENDS[type(step)](step))

    @torch.no_grad()
    def up(self, z: Tensor) -> Tensor:
        """h_L, (N, d_out), of z (N, d_in)."""
        self.kept = [z]
        h = z
        for layer, bend in self.layers:
            h = linear(h, layer.weight, layer.bias)
            h = bend[0](h) if bend else h
            self.kept.append(h)
        return h

    @torch.no_grad()
    def gradients(self, delta: Tensor) -> dict[Tensor, Tensor]:
        """By weight, for a cost whose gradient at the last len(delta) rows of what `up` gave is delta, and at the others nothing."""
        found: dict[Tensor, Tensor] = {}
        first = len(self.kept[0]) - len(delta)
        for i in range(len(self.layers) - 1, -1, -1):
            layer, bend = self.layers[i]
            if bend:
                delta = bend[1](delta, self.kept[i + 1][first:])
            found[layer.weight] = delta.T @ self.kept[i][first:]
            if layer.bias is not None:
                found[layer.bias] = delta.sum(0)
            if i:
                delta = delta @ layer.weight
        return found
