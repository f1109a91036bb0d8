"""The gradients of both players' costs through a D that is piecewise linear, in four passes over D where two derivatives need six.

Let D be a chain h_l = f(W_l h_{l-1} + b_l), f(u) = s u with s = 1 above zero and the slope below, h_0 = x, and D(x) = w h_L + c. Where no
unit stands exactly at its bend, small steps of x and of W leave every s as it is. So with delta_l, the gradient of D at layer l's output
before f,

    d D / d W_l = delta_l h_{l-1}^T                                    and g = grad_x D = W_1^T delta_1,

and a penalty c(||g||^2) moves W_l by way of g alone: with v = 2 c' g held constant, d (v . g) / d W_l = delta_l t_{l-1}^T, where t is v
carried up the same chain without biases: t_0 = v, t_l = s_l W_l t_{l-1}. Both products share delta, and a loss of the logit enters as
its derivative l' at the sample, so that the whole gradient of D's cost is

    d / d W_l  sum_n [ loss + price ]  =  sum_n delta_l (l' h_{l-1} + t_{l-1})^T.

Passes over D: h up, delta down, t up, and one product for the weights: four, where differentiating a gradient takes six. It is exact, not
an estimate: tests hold it against autograd's second derivatives in float64.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, leaky_relu_, linear

from zerosum.game.penalty import Penalty, between
from zerosum.game.play import DiscriminatorCost, GeneratorCost
from zerosum.game.value import Value

Layer = nn.Conv2d | nn.Linear


@dataclass(frozen=True)
class Chain:
    """The layers of such a D from x to the logit, the last one a Linear to one number, and the slope of f below zero.

    Maps are flattened as (H, W, C) where convolutions end and Linear layers begin; where D begins with a Linear, x as it is.
    """

    layers: tuple[Layer, ...]
    slope: float


@dataclass
class Passes:
    """One batch's way through a chain, in the precision of `dtype`: what went up, and what came down again.

    h: x and each f's output. delta: the logits' gradient at each layer's output before f, once `down` has run.
    """

    chain: Chain
    dtype: torch.dtype
    weights: list[Tensor]
    h: list[Tensor] = field(default_factory=list)
    delta: list[Tensor] = field(default_factory=list)

    @property
    def hidden(self) -> tuple[Layer, ...]:
        return self.chain.layers[:-1]

    def up(self, x: Tensor) -> Tensor:
        """Logits (N,) in float32 or better for x (N, ...)."""
        last = x.to(self.dtype)
        if isinstance(self.chain.layers[0], nn.Linear):
            last = last.flatten(1)
        elif last.ndim == 4:
            last = last.contiguous(memory_format=torch.channels_last)
        self.h = [last]
        for layer, weight in zip(self.hidden, self.weights, strict=False):
            assert layer.bias is not None
            last = leaky_relu_(_through(layer, weight, last, layer.bias.detach().to(self.dtype)), self.chain.slope)
            self.h.append(last)
        head, bias = _wide(self.chain.layers[-1].weight), self.chain.layers[-1].bias
        assert bias is not None
        return linear(_flat(last).to(head.dtype), head, bias.detach().to(head.dtype))[:, 0]

    def down(self, slope: Tensor | None = None, rows: slice = slice(None), keep: bool = True) -> Tensor:
        """The gradient at x[rows] of the sum of the logits, each times its `slope` (N of them); 1 each without.

        keep: leave the layers' delta for `weigh`.
        """
        head = _wide(self.chain.layers[-1].weight)
        n = self.h[0][rows].shape[0]
        delta = (head.expand(n, -1) if slope is None else slope[:, None].to(head.dtype) * head).to(self.dtype)
        self.delta = []
        for i in reversed(range(len(self.hidden))):
            out, into = self.h[i + 1][rows], self.h[i][rows]
            delta = _bend(_like(delta, out), out, self.chain.slope)
            if keep:
                self.delta.insert(0, delta)
            delta = _back(self.hidden[i], self.weights[i], into, delta)
        return _like(delta, self.h[0][rows])

    def weigh(self, slope: Tensor, v: Tensor | None, rows: slice) -> list[Tensor]:
        """Gradients of sum_n slope_n D(x_n) + sum_{n in rows} v_n . g_n by each layer's weight and bias, in the chain's order.

        slope: (N,), whose precision the gradients have. v: (rows, ...), or None for no second term.
        """
        t = None if v is None else v.to(self.dtype)
        low = slope.to(self.dtype)
        gradients: list[Tensor] = []
        for i, layer in enumerate(self.hidden):
            h, delta = self.h[i], self.delta[i]
            mixed = h * low.view(-1, *[1] * (h.ndim - 1))
            if t is not None:
                mixed[rows] += t
                t = _bend(_through(layer, self.weights[i], t, None), self.h[i + 1][rows], self.chain.slope)
            gradients += [_weight(layer, self.weights[i], mixed, delta).to(slope.dtype), _bias(delta, slope)]
        last = slope @ _flat(self.h[-1]).to(slope.dtype)
        if t is not None:
            last = last + _flat(t).to(slope.dtype).sum(0)
        return [*gradients, last[None], slope.sum()[None]]


class Known(torch.autograd.Function):
    """apply(cost, n, *places, *gradients): the cost, a scalar, whose gradient at each of the n places is known already."""

    @staticmethod
    def forward(ctx: Any, cost: Tensor, n: int, *rest: Tensor) -> Tensor:
        ctx.save_for_backward(*rest[n:])
        return cost.clone()

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        known = ctx.saved_tensors
        return (None, None, *(grads[0] * gradient for gradient in known), *(None for _ in known))


class PiecewiseLinear:
    """What play.py's costs are, for a D that is a chain: the same numbers, with gradients that took four passes in `dtype`."""

    def __init__(self, chain: Chain, dtype: torch.dtype) -> None:
        self.chain, self.dtype = chain, dtype

    def discriminator_cost(
        self, x: Tensor, fake: Tensor, value: Value, penalty: Penalty | None, gamma: float, epsilon: Tensor | None = None
    ) -> DiscriminatorCost:
        """play.discriminator_cost; the gradient of cost and price together hangs on the cost."""
        paid, gradients = self._discriminator(x, fake, value, penalty, gamma, epsilon)
        weights = [p for layer in self.chain.layers for p in (layer.weight, layer.bias)]
        return paid._replace(cost=Known.apply(paid.cost, len(weights), *weights, *gradients))  # type: ignore[no-untyped-call]

    def generator_cost(self, fake: Tensor, value: Value, x: Tensor | None = None) -> GeneratorCost:
        """play.generator_cost."""
        paid, gradient = self._generator(fake, value, x)
        return paid._replace(cost=Known.apply(paid.cost, 1, fake, gradient))  # type: ignore[no-untyped-call]

    def _passes(self) -> Passes:
        # No copy where they have the precision already.
        return Passes(self.chain, self.dtype, [layer.weight.detach().to(self.dtype) for layer in self.chain.layers[:-1]])

    @torch.no_grad()
    def _discriminator(
        self, x: Tensor, fake: Tensor, value: Value, penalty: Penalty | None, gamma: float, epsilon: Tensor | None
    ) -> tuple[DiscriminatorCost, list[Tensor]]:
        n = len(x)
        batch = torch.cat((x, fake) if penalty is None or not penalty.between else (x, fake, _middle(x, fake, epsilon)))
        passes = self._passes()
        logits = passes.up(batch)
        a, b = logits[:n], logits[n : 2 * n]
        cost, slopes = _derivative(lambda a, b: value.d(a, b).mean(), a, b)
        slope = torch.cat([*slopes, *([torch.zeros_like(a)] if len(batch) > 2 * n else [])])
        g = passes.down()
        price, v, rows = cost.new_zeros(()), None, slice(0, 0)
        if penalty is not None:
            rows = slice(2 * n, 3 * n) if penalty.between else slice(0 if penalty.real else n, 2 * n if penalty.fake else n)
            g = g[rows].to(logits.dtype)
            price, (by_square,) = _derivative(lambda s: gamma / 2 * penalty.cost(s).sum() / n, g.square().flatten(1).sum(1))
            v = 2 * by_square.view(-1, *[1] * (g.ndim - 1)) * g
        return DiscriminatorCost(cost, price, a, b), passes.weigh(slope, v, rows)

    @torch.no_grad()
    def _generator(self, fake: Tensor, value: Value, x: Tensor | None) -> tuple[GeneratorCost, Tensor]:
        passes, n = self._passes(), len(fake)
        if value.paired and x is None:
            raise ValueError("a paired value function needs the reals in G's step too")
        logits = passes.up(torch.cat((fake, x)) if value.paired and x is not None else fake)
        b = logits[:n]
        a = logits[n:] if value.paired else torch.zeros_like(b)
        cost, (slope,) = _derivative(lambda b: value.g(a, b).mean(), b)
        return GeneratorCost(cost, b), passes.down(slope, slice(0, n), keep=False).to(fake.dtype).reshape(fake.shape)


def _middle(x: Tensor, fake: Tensor, epsilon: Tensor | None) -> Tensor:
    if epsilon is None:
        raise ValueError("a penalty between reals and fakes needs one epsilon a sample")
    return between(x, fake, epsilon)


def _derivative(cost: Callable[..., Tensor], *at: Tensor) -> tuple[Tensor, tuple[Tensor, ...]]:
    """A scalar cost of small vectors, and its derivative by each."""
    with torch.enable_grad():
        places = [t.detach().requires_grad_() for t in at]
        paid = cost(*places)
        return paid.detach(), torch.autograd.grad(paid, places)


# -- the chain's linear maps and their transposes -----------------------------------------------------------------------------------------


def _flat(h: Tensor) -> Tensor:
    return h.permute(0, 2, 3, 1).flatten(1) if h.ndim == 4 else h.flatten(1)


def _like(flat: Tensor, h: Tensor) -> Tensor:
    """(N, H W C) as the map (N, C, H, W) that it was; anything else as it is."""
    if flat.ndim == h.ndim:
        return flat
    if h.ndim == 4:
        n, c, height, width = h.shape
        return flat.view(n, height, width, c).permute(0, 3, 1, 2)
    return flat.view(h.shape)


def _bend(u: Tensor, out: Tensor, slope: float) -> Tensor:
    """u s with the s that made `out`: f keeps the sign, as long as its slope is above zero; at zero, `out` is zero where s is."""
    bent: Tensor = torch.ops.aten.leaky_relu_backward(u, out, slope, True)
    return bent


def _through(layer: Layer, weight: Tensor, h: Tensor, bias: Tensor | None) -> Tensor:
    if isinstance(layer, nn.Conv2d):
        return conv2d(h, weight, bias, layer.stride, layer.padding, layer.dilation, layer.groups)
    return linear(_flat(h), weight, bias)


def _transposed(layer: nn.Conv2d, weight: Tensor, h: Tensor, delta: Tensor, which: int) -> Tensor:
    """The transpose of a convolution: as a map of its output's gradient to its input's (which 0), or to its weight's (1)."""
    wanted = [i == which for i in range(3)]
    geometry = (list(layer.stride), list(layer.padding), list(layer.dilation), False, [0, 0], layer.groups)
    gradient: Tensor = torch.ops.aten.convolution_backward(delta, h, weight, None, *geometry, wanted)[which]
    return gradient


def _back(layer: Layer, weight: Tensor, h: Tensor, delta: Tensor) -> Tensor:
    return _transposed(layer, weight, h, delta, 0) if isinstance(layer, nn.Conv2d) else delta @ weight


def _weight(layer: Layer, weight: Tensor, h: Tensor, delta: Tensor) -> Tensor:
    return _transposed(layer, weight, h, delta, 1) if isinstance(layer, nn.Conv2d) else delta.T @ _flat(h)


def _bias(delta: Tensor, slope: Tensor) -> Tensor:
    """sum_n slope_n delta_n, over a map's places too."""
    each = delta.sum((2, 3), dtype=slope.dtype) if delta.ndim == 4 else delta.to(slope.dtype)
    return slope @ each


def _wide(weight: Tensor) -> Tensor:
    return weight.detach().to(torch.promote_types(weight.dtype, torch.float32))
