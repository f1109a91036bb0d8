"""The classifier two-sample test: can a logistic regression separate generated from real samples that it was not fitted on?

Lopez-Paz and Oquab 2017, arXiv 1610.06545. The regression sees each feature and its square (in up to 16 dimensions the products of two as
well), so it separates distributions by their means and covariances; it is convex, so there is nothing to tune and one optimum.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import softplus

from zerosum.chance import generator
from zerosum.measure.inputs import MeasureInputs, check_pair
from zerosum.measure.score import Reading, wilson

LIMIT = 10_000
MIN_FOR_TEST = 100  # rows a side
RIDGE = 1e-3
_STEPS = 50


def logistic(real: Tensor, fake: Tensor, ridge: float = RIDGE) -> tuple[Tensor, Tensor]:
    """Weights (d,) and intercept () of the logit of "real" on rows (n, d) and (m, d), float64, by Newton's method.

    Minimises (mean softplus(-a) + mean softplus(b)) / 2 + ridge/2 |w|^2: each set has weight one half, whatever its size.
    """
    # Rows of generated samples change sign, so that one formula, softplus(-x.w), is the loss of either set.
    ones = [torch.ones(len(t), 1, dtype=torch.float64) for t in (real, fake)]
    x = torch.cat([torch.cat([real.double(), ones[0]], 1), torch.cat([-fake.double(), -ones[1]], 1)])
    weight = torch.cat([ones[0] / (2 * len(real)), ones[1] / (2 * len(fake))]).squeeze(1)
    penalty = torch.full((x.shape[1],), ridge, dtype=torch.float64)
    penalty[-1] = 0

    def loss(w: Tensor) -> Tensor:
        return weight @ softplus(-(x @ w)) + (penalty * w * w).sum() / 2

    w = torch.zeros(x.shape[1], dtype=torch.float64)
    best = loss(w)
    for _ in range(_STEPS):
        miss = torch.sigmoid(-(x @ w))
        slope = penalty * w - x.T @ (weight * miss)
        curve = (x * (weight * miss * (1 - miss))[:, None]).T @ x
        # MeasureInputs that an intercept alone separates have no curvature left there; 1e-9 keeps the step finite.
        step = torch.linalg.solve(curve + torch.diag(penalty + 1e-9), slope)
        # Halve a step that would raise the loss: Newton overshoots only far from the optimum.
        size = 1.0
        while size > 1e-6 and not loss(w - size * step) <= best:
            size /= 2
        w, before = w - size * step, best
        best = loss(w)
        if before - best < 1e-12:
            break
    return w[:-1], w[-1]


def expanded(x: Tensor) -> Tensor:
    """Features (N, d) with their squares, and up to d = 16 with all products of two: float64."""
    x = x.double()
    if x.shape[1] > 16:
        return torch.cat([x, x.square()], 1)
    i, j = torch.triu_indices(x.shape[1], x.shape[1])
    return torch.cat([x, x[:, i] * x[:, j]], 1)


def two_sample(fake: Tensor, real: Tensor, seed: int = 0) -> Reading:
    """Accuracy on the second half of a regression fitted on the first: 0.5 (chance) for equal distributions.

    As many of each are used. Raises Refusal below MIN_FOR_TEST rows a side.
    """
    check_pair(fake, real, least=MIN_FOR_TEST)
    n = min(len(fake), len(real), LIMIT)
    both = ((fake, "fakes"), (real, "reals"))
    picked = [t[torch.randperm(len(t), generator=generator(seed, f"two-sample: {who}"))[:n]] for t, who in both]
    # Standardise by both sets together, so that scaling does not separate them.
    pooled = torch.cat(picked).double()
    f, r = (expanded((t - pooled.mean(0)) / pooled.std(0).clamp(min=1e-12)) for t in picked)
    half = n // 2
    w, c = logistic(r[:half], f[:half])
    a, b = r[half:] @ w + c, f[half:] @ w + c
    accuracy = (float((a > 0).double().mean()) + float((b <= 0).double().mean())) / 2
    return Reading("two_sample", accuracy, *wilson(accuracy, 2 * (n - half)), f"fitted on {half} of each, tested on {n - half}")


def measure_two_sample(sets: MeasureInputs) -> tuple[Reading, ...]:
    """Row of MEASURES."""
    return (two_sample(sets.fake.rows, sets.real.rows, sets.seed),)
