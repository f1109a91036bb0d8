"""The two players' costs in one round of Algorithm 1 (Goodfellow et al. 2014).

D and G are any callables from a batch to a batch; the costs are means over the minibatch, with gradients left for the caller to take.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import torch
from torch import Tensor

from zerosum.game.penalty import Penalty, between, squared_gradient_norm
from zerosum.game.value import Value

Player = Callable[[Tensor], Tensor]
Gradients = Mapping[Tensor, Tensor]  # by the very tensor that a cost is differentiated by


class DiscriminatorLoss(NamedTuple):
    """What D pays: `cost` and `price` (gamma/2 times the penalty) are scalars; a, b are the logits (N,), detached.

    gradients: of the whole in D's weights, where they are known already and hang on no graph.
    """

    cost: Tensor
    price: Tensor
    a: Tensor
    b: Tensor
    gradients: Gradients | None = None

    @property
    def whole(self) -> Tensor:
        return self.cost + self.price


class GeneratorLoss(NamedTuple):
    """What G pays: `cost` is a scalar; b the logits (N,) of its fakes, detached. gradients: at the fakes, where known already."""

    cost: Tensor
    b: Tensor
    gradients: Gradients | None = None

    @property
    def whole(self) -> Tensor:
        return self.cost


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
    """D's cost on a minibatch: mean of value.d(a, b), and gamma/2 times the mean penalty of each place where it is taken.

    x, fake: (N, ...) reals and fakes; no gradient flows back through fake. epsilon: (N,) in [0, 1], for a penalty between the two.
    together: D sees reals and fakes as one batch, which is the same mathematics unless D looks at batch statistics.
    """
    x, fake = x.detach(), fake.detach()
    inputs: list[Tensor] = []
    if penalty is not None and (penalty.real or penalty.fake):
        inputs = [x.requires_grad_(penalty.real), fake.requires_grad_(penalty.fake)]
    # A gradient at one side alone needs a graph of that side alone: the sides then go through D apart.
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
            raise ValueError("a penalty between reals and fakes needs one epsilon a sample")
        middle = between(x, fake, epsilon).requires_grad_()
        squares.append(squared_gradient_norm(D(middle), middle))
    cost = value.d(a, b).mean()
    price = cost.new_zeros(())
    if penalty is not None:
        for square in squares:
            price = price + gamma / 2 * penalty.cost(square).mean()
    return DiscriminatorLoss(cost, price, a.detach(), b.detach())


def generator_loss(D: Player, fake: Tensor, value: Value, x: Tensor | None = None) -> GeneratorLoss:
    """G's cost on a minibatch: mean of value.g(a, b) with b = D(fake), and gradients flowing to G through fake.

    x: the reals (N, ...), needed by a paired value alone, where a = D(x) enters as a number.
    """
    b = D(fake)
    if value.paired:
        if x is None:
            raise ValueError("a paired value function needs the reals in G's step too")
        with torch.no_grad():
            a = D(x)
    else:
        a = torch.zeros_like(b)
    return GeneratorLoss(value.g(a, b).mean(), b.detach())
