"""The two players' losses in one step of Algorithm 1 (Goodfellow et al. 2014), as functions of tensors.

D and G are any callables from a batch to a batch. A loss is the mean over the minibatch; the caller takes its gradient.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from zerosum.game.penalty import Penalty, between, squared_gradient_norm
from zerosum.game.value import Value

Player = Callable[[Tensor], Tensor]


class DiscriminatorLoss(NamedTuple):
    """The discriminator loss: `loss` and `penalty` (gamma/2 times the gradient penalty) are scalars; a, b are the logits (N,), detached."""

    loss: Tensor
    penalty: Tensor
    a: Tensor
    b: Tensor

    @property
    def total(self) -> Tensor:
        return self.loss + self.penalty


class GeneratorLoss(NamedTuple):
    """The generator loss: `loss` is a scalar; b: the logits (N,) of its generated samples, detached."""

    loss: Tensor
    b: Tensor

    @property
    def total(self) -> Tensor:
        return self.loss


def discriminator_loss(
    D: Player,
    x: Tensor,
    fake: Tensor,
    value: Value,
    penalty: Penalty | None = None,
    gamma: float | Tensor = 0.0,
    epsilon: Tensor | None = None,
    together: bool = True,
) -> DiscriminatorLoss:
    """The mean of value.d(a, b) over a minibatch, plus gamma/2 times the mean penalty at each place where it is taken.

    x, fake: (N, ...) real and generated samples; no gradient flows back through either. epsilon: (N,) in [0, 1], needed by a penalty
    between the two. together: D sees both as one batch of 2 N, real samples first, and at `between` as a batch of N; this is the same
    mathematics unless D uses batch statistics. Raises ValueError without the epsilon that the penalty needs.
    """
    x, fake = x.detach(), fake.detach()
    inputs: list[Tensor] = []
    if penalty is not None and (penalty.real or penalty.fake):
        inputs = [x.requires_grad_(penalty.real), fake.requires_grad_(penalty.fake)]
    # A penalty at one side alone needs second derivatives of that side alone: the sides then go through D separately.
    if together and (not inputs or (x.requires_grad and fake.requires_grad)):
        both = torch.cat((x, fake))
        logits = D(both)
        a, b = logits.chunk(2)
        squares = list(squared_gradient_norm(logits, both).chunk(2)) if inputs else []
    else:
        a, b = D(x), D(fake)
        squares = [squared_gradient_norm(logits, y) for logits, y in ((a, x), (b, fake)) if y.requires_grad]
    if penalty is not None and penalty.between:
        if epsilon is None:
            raise ValueError("a penalty between real and generated samples needs one epsilon a sample")
        middle = between(x, fake, epsilon).requires_grad_()
        squares.append(squared_gradient_norm(D(middle), middle))
    loss = value.d(a, b).mean()
    total_penalty = loss.new_zeros(())
    if penalty is not None:
        for square in squares:
            total_penalty = total_penalty + gamma / 2 * penalty.of_square(square).mean()
    return DiscriminatorLoss(loss, total_penalty, a.detach(), b.detach())


def generator_loss(D: Player, fake: Tensor, value: Value, x: Tensor | None = None) -> GeneratorLoss:
    """The mean of value.g(a, b) with b = D(fake); gradients flow to G through `fake`.

    x: the real samples (N, ...). Only a paired value function needs them; a = D(x) then enters as a constant. Raises ValueError where
    they are needed and missing.
    """
    b = D(fake)
    if value.paired:
        if x is None:
            raise ValueError("a paired value function needs the real samples in G's step too")
        with torch.no_grad():
            a = D(x)
    else:
        a = torch.zeros_like(b)
    return GeneratorLoss(value.g(a, b).mean(), b.detach())
