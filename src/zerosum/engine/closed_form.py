"""Gradients of both players' losses in closed form, for a D that is piecewise linear: four passes over D where autograd takes six.

Let D be a chain h_l = f(W_l h_{l-1} + b_l), f(u) = s u with s = 1 above zero and the slope below, h_0 = x, and D(x) = w h_L + c. Where no
unit is exactly at its bend, small changes of x and of W leave every s as it is. So with delta_l, the gradient of D at layer l's output
before f,

    d D / d W_l = delta_l h_{l-1}^T                                    and g = grad_x D = W_1^T delta_1,

and a penalty c(||g||^2) depends on W_l through g alone: with v = 2 c' g held constant, d (v . g) / d W_l = delta_l t_{l-1}^T, where t is v
carried forward through the same chain without biases: t_0 = v, t_l = s_l W_l t_{l-1}. Both products share delta, and the loss enters as
its derivative l' by the sample's logit, so that the whole gradient of the discriminator loss is

    d / d W_l  sum_n [ loss + penalty ]  =  sum_n delta_l (l' h_{l-1} + t_{l-1})^T.

Passes over D: h forward, delta backward, t forward, and one product for the weights: four, where differentiating a gradient takes six. It
is exact, not an estimate: tests compare it with autograd's second derivatives in float64.

The chain need not be single: a residual block h + W2 f(W1 f(h)) is piecewise linear too, and both of its branches take part in every
pass. D may also see x through a smooth map S without weights, D(x) = C(S(x)): then g = J^T g_s with S's Jacobian J at x and C's gradient
g_s, and since d (v . g) / dW = d ((J v) . g_s) / dW, the formulas hold with t_0 = J v. A class label adds <e_y, h_L> to the logit: w
becomes w + e_y, sample by sample.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from zerosum.engine.backend import Autograd, Transform
from zerosum.engine.networks import Gradients, Networks, repeated
from zerosum.engine.passes import Chain, GeneratorPasses, Passes
from zerosum.game.losses import DiscriminatorLoss, GeneratorLoss
from zerosum.game.penalty import Penalty, between
from zerosum.game.value import Value


class ClosedForm(Autograd):
    """A backend that computes the same numbers as `Autograd`, for a D that is a chain.

    chain: D's steps, of the very weights that `networks` computes with. dtype: the precision of the passes. generator: G's passes where
    its gradients are written out too; else G's are autograd's.
    """

    def __init__(
        self,
        networks: Networks,
        value: Value,
        penalty: Penalty | None,
        chain: Chain,
        dtype: torch.dtype,
        generator: GeneratorPasses | None = None,
    ) -> None:
        super().__init__(networks, value, penalty)
        self.chain, self.dtype, self.generator = chain, dtype, generator

    def generated_samples(self, z: Tensor, y: Tensor | None = None, ahead: Tensor | None = None) -> Tensor:
        if self.generator is None:
            return super().generated_samples(z, y, ahead)
        if ahead is None or ahead is z:
            fake = self.generator.forward(z)
            self._ahead = None if ahead is None else (z, fake)
            return fake
        # G's weights are the same in both steps, so both batches go through it at once.
        fake, coming = self.generator.forward(torch.cat([z, ahead])).chunk(2)
        self._ahead = (ahead, coming)
        return fake

    @torch.no_grad()
    def discriminator_gradients(
        self, x: Tensor, fake: Tensor, y: Tensor | None, gamma: float | Tensor, epsilon: Tensor | None
    ) -> tuple[DiscriminatorLoss, Gradients]:
        self.networks.module("d")  # The chain is of its weights, which must be up to date.
        n, penalty = len(x), self.penalty
        batch = torch.cat((x, fake) if penalty is None or not penalty.between else (x, fake, _middle(x, fake, epsilon)))
        passes = Passes(self.chain, self.dtype)
        logits = passes.forward(batch, repeated(y, len(batch)))
        a, b = logits[:n], logits[n : 2 * n]
        # The point between two samples enters through its penalty alone: its logit has no loss.
        slope = torch.cat([*self.value.d_slopes(a, b), *([torch.zeros_like(a)] if len(batch) > 2 * n else [])]) / n
        g = passes.backward()
        if penalty is None:
            weighted, v, rows = logits.new_zeros(()), None, slice(0, 0)
        else:
            rows = _rows(penalty, n)
            g = g[rows].to(logits.dtype)
            square = g.square().flatten(1).sum(1)
            unweighted, by_square = penalty.of_square(square), penalty.slope(square)
            if penalty.real and penalty.between and not penalty.fake:
                # The rows are one slice, which then contains the generated samples too: they have no penalty.
                unweighted[n : 2 * n] = by_square[n : 2 * n] = 0
            weighted = unweighted.sum() * (gamma / 2 / n)
            v = (gamma / n * by_square).view(-1, *[1] * (g.ndim - 1)) * g
        found = dict(zip(self.chain.weights, passes.weight_gradients(slope, v, rows), strict=True))
        loss = DiscriminatorLoss(self.value.d(a, b).mean(), weighted, a, b)
        return loss, self.networks.by_weight("d", [found[w] for w in self.networks.played("d")])

    def generator_gradients(self, z: Tensor, x: Tensor, y: Tensor | None, transform: Transform | None) -> tuple[GeneratorLoss, Gradients]:
        self.networks.module("d")
        fake = self._for_generator(z, y)
        if self.generator is not None and transform is not None:
            fake = fake.detach().requires_grad_()  # For the transformation's derivative: G's passes have no graph.
        seen = fake if transform is None else transform(fake)
        loss, delta = self._at_generated(seen.detach(), x, y)
        if self.generator is None:
            # A scalar with this gradient at the samples: given a gradient to start from, autograd would load PyTorch's symbolic shapes,
            # which takes a second.
            return loss, self._differentiated("g", (seen * delta).sum())
        if transform is not None:
            (delta,) = torch.autograd.grad((seen * delta).sum(), fake)
        found = self.generator.gradients(delta)
        return loss, self.networks.by_weight("g", [found[w] for w in self.networks.played("g")])

    def _for_generator(self, z: Tensor, y: Tensor | None) -> Tensor:
        ahead, self._ahead = self._ahead, None
        if ahead is not None and ahead[0] is z:
            return ahead[1]
        return self.networks.G(z, y) if self.generator is None else self.generator.forward(z)

    @torch.no_grad()
    def _at_generated(self, fake: Tensor, x: Tensor, y: Tensor | None) -> tuple[GeneratorLoss, Tensor]:
        """The generator loss and its gradient at the generated samples, (N, ...), from two passes over D."""
        passes, n, paired = Passes(self.chain, self.dtype), len(fake), self.value.paired
        batch = torch.cat((fake, x)) if paired else fake
        logits = passes.forward(batch, repeated(y, len(batch)))
        b = logits[:n]
        a = logits[n:] if paired else torch.zeros_like(b)
        delta = passes.backward(self.value.g_slope(a, b) / n, slice(0, n), keep=False).to(fake.dtype)
        return GeneratorLoss(self.value.g(a, b).mean(), b), delta.reshape(fake.shape)


def owns_all_weights(chain: Chain, D: nn.Module) -> bool:
    """Whether the chain's layers own every weight of D. Under spectral normalisation they do not: weights are computed from others."""
    return {*D.parameters()} == {*chain.weights}


def _rows(penalty: Penalty, n: int) -> slice:
    """From the first to the last of the places where a penalty is taken, in a batch of n real samples, n generated and n between them."""
    taken = [i for i, here in enumerate((penalty.real, penalty.fake, penalty.between)) if here]
    return slice(taken[0] * n, (taken[-1] + 1) * n)


def _middle(x: Tensor, fake: Tensor, epsilon: Tensor | None) -> Tensor:
    if epsilon is None:
        raise ValueError("a penalty between real and generated samples needs one epsilon a sample")
    return between(x, fake, epsilon)
