"""Goodfellow et al. 2014, section 4.1, measured: D* (Proposition 1), V(D, G) for any D, and V(D*, G) = -log 4 + 2 JSD (Theorem 1).

Everything is a sum over the nodes of a `Pair`, with the loss functions of game/value.py broadcast over them, in float64 and nats.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.special import xlogy

from zerosum.chance import generator
from zerosum.data.density import Density
from zerosum.errors import Refusal
from zerosum.game.value import VALUES, Loss, Value
from zerosum.theory.pair import LineDensity, Pair, line, plane

LOG4 = math.log(4)


def jsd(pair: Pair) -> float:
    """JSD(p_data, p_g) = H(M) - (H(P) + H(Q)) / 2 with M = (P + Q) / 2, in nats, in [0, log 2] (Lin 1991, eq. 4.1)."""
    # xlogy is 0 at 0, so nodes without mass need no special case.
    M = (pair.P + pair.Q) / 2
    return float((xlogy(pair.P, pair.P) / 2 + xlogy(pair.Q, pair.Q) / 2 - xlogy(M, M)).sum())


def line_jsd(p_data: LineDensity, p_g: LineDensity) -> tuple[float, float]:
    """JSD of two 1-D densities in nats, and the quadrature's error: the change from half as many nodes per interval, plus the mass lost."""
    # The error of Gauss-Legendre falls so fast that halving the nodes shows it.
    fine, coarse = line(p_data, p_g, nodes=4), line(p_data, p_g, nodes=2)
    lost = abs(float(fine.P.sum()) - 1) + abs(float(fine.Q.sum()) - 1)
    return jsd(fine), abs(jsd(fine) - jsd(coarse)) + lost


@dataclass(frozen=True)
class PlaneJSD:
    """A 2-D JSD in nats with its provenance.

    jsd: of both densities, each smoothed by a kernel of `bandwidth`. error: one standard error, by a jackknife over ten parts of the
    samples. floor: the reference score, of n samples of p_data with the same kernel; a perfect G has this, not 0. n: samples of p_g.
    """

    jsd: float
    error: float
    floor: float
    bandwidth: float
    n: int


def plane_jsd(p_data: Density, samples: Tensor, bandwidth: float | None = None, cells: int = 256, seed: int = 0) -> PlaneJSD:
    """The JSD of a 2-D density and samples (n, 2), n >= 10, by quadrature against a kernel estimate of p_g: see `PlaneJSD` and `plane`.

    Raises Refusal for fewer samples or another shape.
    """
    parts = 10
    n = len(samples)
    if n < parts or samples.ndim != 2 or samples.shape[1] != 2:
        raise Refusal(f"A 2-D divergence needs at least {parts} samples of shape (N, 2), not {tuple(samples.shape)}.")
    grid = plane(p_data, n, bandwidth, cells)
    # The estimate is linear in the samples: that of all but one part is the whole minus the part, so no kernel is applied twice.
    share = torch.stack([torch.arange(n) % parts == i for i in range(parts)]).double().mean(1)
    Q = torch.stack([grid.masses(samples[i::parts]) for i in range(parts)])
    whole = share @ Q
    rest = [jsd(Pair(grid.x, grid.P, (whole - w * q).clamp(min=0) / (1 - w))) for w, q in zip(share, Q, strict=True)]
    # Jackknife: (parts - 1) / parts times the sum of squares, of which var() has taken 1 / (parts - 1).
    error = math.sqrt((parts - 1) ** 2 / parts * float(torch.tensor(rest).var()))
    real = p_data.sample(n, generator(seed, "theory-floor"))
    return PlaneJSD(jsd(Pair(grid.x, grid.P, whole)), error, jsd(grid.pair(real)), grid.bandwidth, n)


def expected(cost: Loss, pair: Pair, logit: Tensor, paired: bool = False) -> Tensor:
    """E cost(D(x), D(y)), x ~ p_data and y ~ p_g independent: a scalar, differentiable in the logits (K,) of any D at the nodes.

    Where the loss couples a real with a generated sample (paired) it is broadcast over every pair of nodes, K^2 terms. Elsewhere it is a
    sum of a term in a and one in b, so one row and one column of that table suffice. Nodes without mass are ignored, infinite logits too.
    """
    if paired:
        total = logit.new_zeros(())
        reals, fakes = pair.P > 0, pair.Q > 0
        a, P, b, Q = logit[reals], pair.P[reals], logit[fakes], pair.Q[fakes]
        step = max(1, 2**22 // max(1, len(b)))  # rows at a time: 32 MB in float64
        for i in range(0, len(a), step):
            total = total + P[i : i + step] @ cost(a[i : i + step, None], b[None]) @ Q
        return total
    # cost(a, b) = f(a) + g(b) = cost(a, 0) + cost(0, b) - cost(0, 0).
    zero = logit.new_zeros(())
    return _weighted(pair.P, cost(logit, zero.expand_as(logit))) + _weighted(pair.Q, cost(zero.expand_as(logit), logit)) - cost(zero, zero)


def _weighted(mass: Tensor, cost: Tensor) -> Tensor:
    return torch.where(mass > 0, mass * cost, torch.zeros_like(cost)).sum()


def average_losses(value: Value, pair: Pair, logit: Tensor) -> tuple[float, float]:
    """The expected discriminator and generator loss in any game, for any D given by its logits (K,) at the pair's nodes."""
    return float(expected(value.d, pair, logit, value.paired)), float(expected(value.g, pair, logit, value.paired))


def v(pair: Pair, logit: Tensor) -> float:
    """V(D, G) = E log D(x) + E log(1 - D(G(z))) in nats (eq. 1), for the logits (K,) of any D at the nodes."""
    return -float(expected(VALUES["minimax"].d, pair, logit))


def v_star(pair: Pair) -> float:
    """max_D V(D, G): V at the logits of D*, log p_data - log p_g."""
    return v(pair, pair.logit)


def logits_of(D: Callable[[Tensor], Tensor], pair: Pair) -> Tensor:
    """The logits (K,), float64, of a D on (N, dim). D is evaluated in its parameters' dtype, or in float64 where it has none."""
    parameters = getattr(D, "parameters", None)
    first = next(iter(parameters()), None) if callable(parameters) else None
    with torch.no_grad():
        return D(pair.x.to(first if first is not None else pair.x)).reshape(-1).double().cpu()


def refuse_unbounded(value: Value) -> None:
    """Raise Refusal for a game in which an unrestricted D can lower its loss without bound: it has no optimum on a grid."""
    # A loss bounded below stays moderate even for absurd logits.
    far = torch.tensor([-1e9, 0.0, 1e9], dtype=torch.float64)
    if float(value.d(far[:, None], far[None]).min()) < -1e6:
        raise Refusal(
            "This game has no finite optimum over all D (Wasserstein without a penalty): choose another game, or add a gradient penalty."
        )


def free_discriminator(value: Value, pair: Pair, steps: int = 1000, rate: float = 4.0) -> Tensor:
    """Minimise D's loss over all D, without a network: the logits (K,) after gradient descent from D = 1/2.

    The gradient at a node is divided by the node's mass P + Q, so that rare places move as fast as common ones. The second derivative of
    the logistic loss is then at most 1/4: rate (in logits) below 8 is stable there, below 2 for least squares.
    Raises Refusal where D's loss has no minimum.
    """
    refuse_unbounded(value)
    mass = pair.P + pair.Q
    scale = torch.where(mass > 0, rate / mass, torch.zeros_like(mass))
    a = torch.zeros_like(mass)
    for _ in range(steps):
        a = a.detach().requires_grad_()
        (gradient,) = torch.autograd.grad(expected(value.d, pair, a, value.paired), a)
        a = a - scale * gradient
    return a.detach()
