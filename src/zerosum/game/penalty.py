"""Gradient penalties: functions of the gradient of D at one sample, shape (N,), for x of any rank.

The sum runs over all axes but the first, so points and images share one code. The factor gamma/2 is applied in losses.py, and in
engine/closed_form.py for the gradients that it writes out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Penalty:
    """One gradient penalty: where D's gradient is taken, and which function of its squared norm is penalised.

    real, fake, between: taken at x, at G(z), and at eps x + (1 - eps) G(z) with one eps ~ U(0, 1) a sample.
    of_square: from the squared gradient norms (N,) to the penalty before its weight gamma/2, (N,).
    slope: the derivative of `of_square`, at the same (N,).
    """

    of_square: Callable[[Tensor], Tensor]
    slope: Callable[[Tensor], Tensor]
    source: str
    real: bool = False
    fake: bool = False
    between: bool = False


def squared_gradient_norm(logits: Tensor, x: Tensor) -> Tensor:
    """||grad_x D(x)||^2 for each sample, shape (N,), itself differentiable. logits: (N,) computed from x: (N, ...).

    One gradient of the sum gives the gradient of every sample, as long as D treats samples separately: batch statistics would couple them.
    """
    (gradient,) = torch.autograd.grad(logits.sum(), x, create_graph=True)
    # bf16 squares are summed in float32; float64, which theory/ uses, stays float64.
    return gradient.to(torch.promote_types(gradient.dtype, torch.float32)).square().flatten(1).sum(1)


def between(x: Tensor, fake: Tensor, epsilon: Tensor) -> Tensor:
    """eps x + (1 - eps) G(z): one eps (N,) for each pair of samples (N, ...). Gulrajani et al. 2017, Algorithm 1, line 6."""
    weight = epsilon.reshape(-1, *[1] * (x.ndim - 1)).to(x.dtype)
    return weight * x + (1 - weight) * fake


def _square(s: Tensor) -> Tensor:
    return s


def _distance_to_one(s: Tensor) -> Tensor:
    # The norm has no gradient at zero; an offset far below float32's resolution of 1 gives it a finite one.
    return ((s + 1e-12).sqrt() - 1) ** 2


def _slope_of_distance(s: Tensor) -> Tensor:
    return 1 - (s + 1e-12).rsqrt()


_R1 = "Mescheder et al. 2018, arXiv 1801.04406, eq. 9"
_R1R2 = "Huang et al. 2024, arXiv 2501.05441, section 2.2"
_GP = "Gulrajani et al. 2017, arXiv 1704.00028, eq. 3"
PENALTIES: dict[str, Penalty | None] = {
    "none": None,
    "r1": Penalty(of_square=_square, slope=torch.ones_like, real=True, source=_R1),
    "r2": Penalty(of_square=_square, slope=torch.ones_like, fake=True, source=_R1),
    "r1r2": Penalty(of_square=_square, slope=torch.ones_like, real=True, fake=True, source=_R1R2),
    "gp": Penalty(of_square=_distance_to_one, slope=_slope_of_distance, between=True, source=_GP),
}
