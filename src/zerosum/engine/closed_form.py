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

import torch
from torch import Tensor

from zerosum.engine.passes import Chain, Passes
from zerosum.game.losses import DiscriminatorLoss, GeneratorLoss
from zerosum.game.penalty import Penalty, between
from zerosum.game.value import Value


class ClosedForm:
    """What play.py's costs are, for a D that is a chain: the same numbers, with gradients that took four passes in `dtype`.

    They hang on no graph: through autograd D's would be cast to the weights' type and back.
    """

    def __init__(self, chain: Chain, dtype: torch.dtype) -> None:
        self.chain, self.dtype = chain, dtype

    @torch.no_grad()
    def discriminator_loss(
        self, x: Tensor, fake: Tensor, value: Value, penalty: Penalty | None, gamma: float | Tensor, epsilon: Tensor | None = None
    ) -> DiscriminatorLoss:
        """play.discriminator_loss, with the gradients of D's weights."""
        n = len(x)
        batch = torch.cat((x, fake) if penalty is None or not penalty.between else (x, fake, _middle(x, fake, epsilon)))
        passes = Passes(self.chain, self.dtype)
        logits = passes.up(batch)
        a, b = logits[:n], logits[n : 2 * n]
        slope = torch.cat([*value.d_slopes(a, b), *([torch.zeros_like(a)] if len(batch) > 2 * n else [])]) / n
        g = passes.down()
        if penalty is None:
            price, v, rows = logits.new_zeros(()), None, slice(0, 0)
        else:
            rows = slice(2 * n, 3 * n) if penalty.between else slice(0 if penalty.real else n, 2 * n if penalty.fake else n)
            g = g[rows].to(logits.dtype)
            square = g.square().flatten(1).sum(1)
            price = penalty.cost(square).sum() * (gamma / 2 / n)
            v = (gamma / n * penalty.slope(square)).view(-1, *[1] * (g.ndim - 1)) * g
        gradients = dict(zip(self.chain.weights, passes.weigh(slope, v, rows), strict=True))
        return DiscriminatorLoss(value.d(a, b).mean(), price, a, b, gradients)

    @torch.no_grad()
    def generator_loss(self, fake: Tensor, value: Value, x: Tensor | None = None) -> GeneratorLoss:
        """play.generator_loss, with its gradient at the fakes."""
        if value.paired and x is None:
            raise ValueError("a paired value function needs the reals in G's step too")
        passes, n = Passes(self.chain, self.dtype), len(fake)
        logits = passes.up(torch.cat((fake, x)) if value.paired and x is not None else fake)
        b = logits[:n]
        a = logits[n:] if value.paired else torch.zeros_like(b)
        at_fakes = passes.down(value.g_slope(a, b) / n, slice(0, n), keep=False).to(fake.dtype)
        return GeneratorLoss(value.g(a, b).mean(), b, {fake: at_fakes.reshape(fake.shape)})


def _middle(x: Tensor, fake: Tensor, epsilon: Tensor | None) -> Tensor:
    if epsilon is None:
        raise ValueError("a penalty between reals and fakes needs one epsilon a sample")
    return between(x, fake, epsilon)
