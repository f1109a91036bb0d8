"""Gradient penalties: costs of one sample's gradient of D, shape (N,), for x of any rank.

The sum runs over all axes but the first, so 2-D points and images are one code. The factor gamma/2 stands in play.py, and nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Penalty:
    """Where D's gradient is taken, and what is paid for it.

    real, fake, between: taken at x, at G(z), and at eps x + (1 - eps) G(z) with one eps ~ U(0, 1) a sample.
    cost: from the squared gradient norms (N,) to the unscaled cost (N,); play.py multiplies it by gamma/2.
    slope: the derivative of `cost`, at the same (N,).
    """

    cost: Callable[[Tensor], Tensor]
    slope: Callable[[Tensor], Tensor]
    source: str
    real: bool = False
    fake: bool = False
    between: bool = False


def squared_gradient_norm(logits: Tensor, x: Tensor) -> Tensor:
    """||grad_x D(x)||^2 for each sample, shape (N,), itself differentiable. logits: (N,) computed from x: (N, ...).

    One gradient of the sum gives every sample's own, as long as D treats samples apart: batch statistics would couple them.
    """
    (gradient,) = torch.autograd.grad(logits.sum(), x, create_graph=True)
    # bf16 squares are summed in float32; theory's float64 stays what it is.
    return gradient.to(torch.promote_types(gradient.dtype, torch.float32)).square().flatten(1).sum(1)


def between(x: Tensor, fake: Tensor, epsilon: Tensor) -> Tensor:
    """eps x + (1 - eps) G(z): one eps (N,) for each pair of samples (N, ...). Gulrajani et al. 2017, Algorithm 1, line 6."""
    weight = epsilon.reshape(-1, *[1] * (x.ndim - 1)).to(x.dtype)
    return weight * x + (1 - weight) * fake


def _square(s: Tensor) -> Tensor:
    return s


def _distance_to_one(s: Tensor) -> Tensor:
    # The norm has no gradient at zero; a floor far below float32's resolution of 1 gives it a finite one.
    return ((s + 1e-12).sqrt() - 1) ** 2


def _slope_of_distance(s: Tensor) -> Tensor:
    return 1 - (s + 1e-12).rsqrt()


_R1 = "Mescheder et al. 2018, arXiv 1801.04406, eq. 9"
PENALTIES: dict[str, Penalty | None] = {
    "none": None,
    "r1": Penalty(cost=_square, slope=torch.ones_like, real=True, source=_R1),
    "r2": Penalty(cost=_square, slope=torch.ones_like, fake=True, source=_R1),
    "r1r2": Penalty(cost=_square, slope=torch.ones_like, real=True, fake=True, source="Huang et al. 2024, arXiv 2501.05441, section 2.2"),
    "gp": Penalty(cost=_distance_to_one, slope=_slope_of_distance, between=True, source="Gulrajani et al. 2017, arXiv 1704.00028, eq. 3"),
}
