"""Value functions: the loss of each player, as elementwise functions of D's logits.

a = D(x) on real and b = D(G(z)) on generated samples, of any shapes that broadcast. The losses are unreduced and always minimised.
They are written with logits and softplus, -log sigmoid(a) = softplus(-a), because log(sigmoid(a) + eps) loses its gradient where D is
certain, which is where it matters. Because the functions only broadcast, theory/ evaluates the same lines on a quadrature grid.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn.functional import relu, softplus

from zerosum.errors import Refusal

Loss = Callable[[Tensor, Tensor], Tensor]
Slopes = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]


@dataclass(frozen=True)
class Value:
    """One game: the discriminator loss and the generator loss.

    d, g: elementwise losses of the logits (a, b).
    d_slopes: the derivatives of d by a and by b, for a, b of one shape. g_slope: that of g by b.
    probability: whether sigmoid(a) is D's probability that x is real, so that V(D, G) and D(x) can be stated.
    paired: whether a loss couples a real with a generated sample (then a and b must have the same shape).
    smoothable: whether D's target for real samples can be moved from 1 to 1 - s (`smoothed`).
    equilibrium: the losses of D and of G where p_g = p_data and D is optimal, None for G where the optimal logit is not one number; None
        as a whole where they are not known.
    boundary: the logit (in a paired game, the difference a - b) above which D says "real": where the optimal D finds real and generated
        samples equally likely. None where a logit's level has no meaning.
    source: where the game was published.
    """

    d: Loss
    g: Loss
    d_slopes: Slopes
    g_slope: Loss
    probability: bool
    equilibrium: tuple[float, float | None] | None
    source: str
    boundary: float | None
    paired: bool = False
    smoothable: bool = False


def _logistic_d(a: Tensor, b: Tensor) -> Tensor:
    """-V(D, G), Goodfellow et al. 2014, eq. 1: -log sigmoid(a) - log(1 - sigmoid(b))."""
    return softplus(-a) + softplus(b)


def _logistic_slopes(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    return -torch.sigmoid(-a), torch.sigmoid(b)


def _relativistic_slopes(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    slope = torch.sigmoid(b - a)
    return -slope, slope


VALUES: dict[str, Value] = {
    # G minimises E log(1 - D(G(z))); the term in a is left out, because G does not affect it.
    "minimax": Value(
        d=_logistic_d,
        g=lambda a, b: -softplus(b),
        d_slopes=_logistic_slopes,
        g_slope=lambda a, b: -torch.sigmoid(b),
        probability=True,
        equilibrium=(2 * math.log(2), -math.log(2)),
        boundary=0.0,
        smoothable=True,
        source="Goodfellow et al. 2014, arXiv 1406.2661, eq. 1 and Algorithm 1",
    ),
    # G maximises E log D(G(z)): the same fixed point, a strong gradient early.
    "non_saturating": Value(
        d=_logistic_d,
        g=lambda a, b: softplus(-b),
        d_slopes=_logistic_slopes,
        g_slope=lambda a, b: -torch.sigmoid(-b),
        probability=True,
        equilibrium=(2 * math.log(2), math.log(2)),
        boundary=0.0,
        smoothable=True,
        source="Goodfellow et al. 2014, arXiv 1406.2661, section 3",
    ),
    "least_squares": Value(
        d=lambda a, b: ((a - 1) ** 2 + b**2) / 2,
        g=lambda a, b: (b - 1) ** 2 / 2,
        d_slopes=lambda a, b: (a - 1, b),
        g_slope=lambda a, b: b - 1,
        probability=False,
        equilibrium=(0.25, 0.125),  # at a = b = 1/2
        boundary=0.5,
        smoothable=True,
        source="Mao et al. 2017, arXiv 1611.04076, eq. 2 with labels 0, 1, 1",
    ),
    "wasserstein": Value(
        d=lambda a, b: b - a,
        g=lambda a, b: -b,
        d_slopes=lambda a, b: (torch.full_like(a, -1), torch.ones_like(b)),
        g_slope=lambda a, b: torch.full_like(b, -1),
        probability=False,
        equilibrium=(0.0, None),  # any constant logit is optimal
        boundary=None,
        source="Arjovsky et al. 2017, arXiv 1701.07875, eq. 2",
    ),
    "hinge": Value(
        d=lambda a, b: relu(1 - a) + relu(1 + b),
        g=lambda a, b: -b,
        d_slopes=lambda a, b: (-(a < 1).to(a.dtype), (b > -1).to(b.dtype)),
        g_slope=lambda a, b: torch.full_like(b, -1),
        probability=False,
        equilibrium=(2.0, None),  # any constant logit from -1 to 1 is optimal
        boundary=0.0,
        source="Lim and Ye 2017, arXiv 1705.02894; Miyato et al. 2018, arXiv 1802.05957, eq. 16 and 17",
    ),
    # sigmoid(a - b) is D's probability that, of the two samples, the first is the real one; sigmoid(a) is not a probability.
    "relativistic": Value(
        d=lambda a, b: softplus(b - a),
        g=lambda a, b: softplus(a - b),
        d_slopes=_relativistic_slopes,
        g_slope=lambda a, b: -torch.sigmoid(a - b),
        probability=False,
        equilibrium=(math.log(2), math.log(2)),
        boundary=0.0,
        paired=True,
        source="Jolicoeur-Martineau 2018, arXiv 1807.00734; Huang et al. 2024, arXiv 2501.05441, eq. 2",
    ),
}


def smoothed(value: Value, s: float) -> Value:
    """The same game with one-sided label smoothing: D's target for real samples is 1 - s (Salimans et al. 2016, arXiv 1606.03498, 3.4).

    For the logistic loss, (1 - s) softplus(-a) + s softplus(a) = softplus(-a) + s a; for least squares,
    (a - 1 + s)^2 / 2 = (a - 1)^2 / 2 + s a + const. So both are D's loss plus s a (for least squares, up to a constant). s in [0, 1/2).

    Raises Refusal where D has no target for real samples (wasserstein, hinge, relativistic) or s is out of range.
    """
    if s == 0:
        return value
    if not value.smoothable:
        able = ", ".join(name for name, row in VALUES.items() if row.smoothable)
        raise Refusal(f"Label smoothing needs a game whose D has a target for real samples: use one of {able}.")
    if not 0 < s < 0.5:
        raise Refusal(f"Label smoothing must lie in [0, 0.5), not {s}: at one half the label of a real sample says nothing.")

    def slopes(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
        by_a, by_b = value.d_slopes(a, b)
        return by_a + s, by_b

    # The optimal D is 1 - s times the one of the game without smoothing; the boundary is where that one is 1/2.
    boundary = math.log((1 - s) / (1 + s)) if value.probability else (1 - s) / 2
    return replace(value, d=lambda a, b: value.d(a, b) + s * a, d_slopes=slopes, equilibrium=None, boundary=boundary)
