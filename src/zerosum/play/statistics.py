"""The numbers that one training step leaves behind: losses, logits, probabilities and gradient norms."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import softplus

from zerosum.game.losses import DiscriminatorLoss, GeneratorLoss
from zerosum.game.value import Value
from zerosum.play.distributed import Processes

# The order of a step's statistics, which are also keys of the record's rows of type "signals".
STATISTICS = ("loss_d", "loss_g", "penalty", "a", "b", "a_std", "b_std", "V", "D_real", "D_fake", "accuracy", "grad_d", "grad_g")


@torch.no_grad()
def statistics(value: Value, d: DiscriminatorLoss, g: GeneratorLoss, norm_d: Tensor, norm_g: Tensor) -> Tensor:
    """The step's numbers in the order of STATISTICS; NaN for V, D(x) and D(G(z)) where sigmoid of the logit is no probability, and for
    the accuracy where the game has no boundary between real and generated samples."""
    a, b = d.a, d.b
    std, mean = torch.std_mean(torch.stack((a, b)), 1, correction=0)
    if value.probability:
        probabilities = torch.stack([-softplus(-a).mean() - softplus(b).mean(), a.sigmoid().mean(), b.sigmoid().mean()])
    else:
        probabilities = a.new_full((3,), float("nan"))
    accuracy = _accuracy(value, a, b)
    return torch.cat([torch.stack([d.loss, g.loss, d.penalty]), mean, std, probabilities, torch.stack([accuracy, norm_d, norm_g])])


def _accuracy(value: Value, a: Tensor, b: Tensor) -> Tensor:
    """The share of samples, in a paired game of pairs, on the right side of the game's boundary."""
    if value.boundary is None:
        return a.new_full((), float("nan"))
    right = a - b > value.boundary if value.paired else torch.stack((a > value.boundary, b < value.boundary))
    return right.mean(dtype=a.dtype)


@torch.no_grad()
def pooled(numbers: Tensor, processes: Processes) -> Tensor:
    """The step's numbers over all processes: means are averaged, standard deviations through their second moments."""
    if processes.size == 1:
        return numbers
    mean, std = ([STATISTICS.index(name) for name in names] for names in (("a", "b"), ("a_std", "b_std")))
    moments = numbers.clone()
    moments[std] = numbers[std].square() + numbers[mean].square()
    processes.average([moments])
    moments[std] = (moments[std] - moments[mean].square()).clamp_min(0).sqrt()
    return moments
