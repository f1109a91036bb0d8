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

Nothing hangs on the chain being single: a residual block h + W2 f(W1 f(h)) is piecewise linear too, and each of its two ways takes part in
every pass. And D may see x through a smooth map S without weights, D(x) = C(S(x)): then g = J^T g_s with S's Jacobian J at x and C's
gradient g_s, and since d (v . g) / dW = d ((J v) . g_s) / dW, all stays as it was with t_0 = J v.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from zerosum.game.passes import Chain, Passes
from zerosum.game.penalty import Penalty, between
from zerosum.game.play import DiscriminatorCost, GeneratorCost
from zerosum.game.value import Value


class Known(torch.autograd.Function):
    """apply(cost, place, gradient): the cost, a scalar, whose gradient at a place is known already."""

    @staticmethod
    def forward(ctx: Any, cost: Tensor, place: Tensor, gradient: Tensor) -> Tensor:
        ctx.save_for_backward(gradient)
        return cost.clone()

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        return None, grads[0] * ctx.saved_tensors[0], None


class PiecewiseLinear:
    """What play.py's costs are, for a D that is a chain: the same numbers, with gradients that took four passes in `dtype`.

    D's own hang on no graph: through autograd they would be cast to the weights' type and back.
    """

    def __init__(self, chain: Chain, dtype: torch.dtype) -> None:
        self.chain, self.dtype = chain, dtype

    def discriminator_cost(
        self, x: Tensor, fake: Tensor, value: Value, penalty: Penalty | None, gamma: float, epsilon: Tensor | None = None
    ) -> DiscriminatorCost:
        """play.discriminator_cost, with the gradients of D's weights."""
        paid, gradients = self._discriminator(x, fake, value, penalty, gamma, epsilon)
        return paid._replace(gradients=dict(zip(self.chain.weights(), gradients, strict=True)))

    def generator_cost(self, fake: Tensor, value: Value, x: Tensor | None = None) -> GeneratorCost:
        """play.generator_cost, whose gradient at the fakes hangs on the cost."""
        paid, gradient = self._generator(fake, value, x)
        return paid._replace(cost=Known.apply(paid.cost, fake, gradient))  # type: ignore[no-untyped-call]

    def _passes(self) -> Passes:
        return Passes(self.chain, self.dtype)

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
            square = g.square().flatten(1).sum(1)
            price = penalty.cost(square).sum() * (gamma / 2 / n)
            v = (gamma / n * penalty.slope(square)).view(-1, *[1] * (g.ndim - 1)) * g
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
