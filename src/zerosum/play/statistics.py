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
    """The step's numbers in the order of STATISTICS; V, D(x) and D(G(z)) are NaN where sigmoid of the logit is no probability."""
    a, b = d.a, d.b
    std, mean = torch.std_mean(torch.stack((a, b)), 1, correction=0)
    if value.probability:
        probabilities = torch.stack([-softplus(-a).mean() - softplus(b).mean(), a.sigmoid().mean(), b.sigmoid().mean()])
    else:
        probabilities = a.new_full((3,), float("nan"))
    right = a > b if value.paired else torch.stack((a > 0, b < 0))
    accuracy = right.mean(dtype=a.dtype)
    return torch.cat([torch.stack([d.loss, g.loss, d.penalty]), mean, std, probabilities, torch.stack([accuracy, norm_d, norm_g])])


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
