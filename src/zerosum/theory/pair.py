"""p_data and p_g on one quadrature grid: two vectors of masses, from which D*, V and the JSD are sums.

A node carries the masses P = w p_data(x) and Q = w p_g(x). The weight w cancels in D* = P / (P + Q) and in every divergence, so an
atom of p_g is an ordinary node with Q > 0 and P = 0.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from zerosum.data.density import Density
from zerosum.errors import Refusal
from zerosum.theory.pushforward import Pushforward


class LineDensity(Protocol):
    """What a 1-D quadrature needs of a density: the points where it is not smooth, and its logarithm."""

    @property
    def dim(self) -> int: ...

    def knots(self, axis: int = 0) -> Tensor: ...

    def log_prob(self, x: Tensor) -> Tensor: ...


@dataclass(frozen=True, eq=False)
class Pair:
    """p_data and p_g on nodes x (K, dim): masses P, Q (K,), float64, each summing to 1 within the quadrature's error."""

    x: Tensor
    P: Tensor
    Q: Tensor

    @property
    def logit(self) -> Tensor:
        """The logit of D* at each node, (K,): log p_data - log p_g, infinite where one of them is 0, NaN where both are."""
        return self.P.log() - self.Q.log()

    @property
    def d_star(self) -> Tensor:
        """D*(x) = p_data / (p_data + p_g), (K,): Goodfellow et al. 2014, Proposition 1. NaN where both are 0."""
        return self.P / (self.P + self.Q)

    def thinned(self, bins: int) -> Pair:
        """At most `bins` nodes, each the mass-weighted mean of neighbours (1-D); makes sums over pairs of nodes affordable."""
        if len(self.x) <= bins:
            return self
        order = self.x[:, 0].argsort()
        weight = (self.P + self.Q)[order]
        # Bins of equal mass, not of equal width: peaks keep their resolution.
        bin_ = (weight.cumsum(0) / weight.sum() * bins).long().clamp(max=bins - 1)
        x, P, Q, total = (torch.zeros(bins, dtype=torch.float64).index_add(0, bin_, t[order]) for t in self._columns())
        kept = total > 0
        return Pair((x / total)[kept, None], P[kept], Q[kept])

    def _columns(self) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        return self.x[:, 0] * (self.P + self.Q), self.P, self.Q, self.P + self.Q


def line(p_data: LineDensity, p_g: LineDensity, nodes: int = 4) -> Pair:
    """The Pair of two 1-D densities, by Gauss-Legendre with `nodes` nodes on each interval between the knots of both.

    p_g may be a Pushforward: its atoms become nodes at the end of the list. Raises Refusal for a density of another dimension.
    """
    for density in (p_data, p_g):
        if density.dim != 1:
            raise Refusal(f"This is a {density.dim}-D density: the exact line needs a 1-D one, such as gaussian, bimodal or uniform.")
    knots = torch.cat([p_data.knots(), p_g.knots()]).sort().values
    knots = torch.cat([knots[:1], knots[1:][knots.diff() > 0]])
    # Between two knots both densities are smooth, where a few Gauss-Legendre nodes are nearly exact.
    s, weight = (torch.from_numpy(t) for t in np.polynomial.legendre.leggauss(nodes))
    half = knots.diff() / 2
    x = ((knots[:-1] + half)[:, None] + half[:, None] * s).flatten()
    w = (half[:, None] * weight).flatten()
    P, Q = w * p_data.log_prob(x).exp(), w * p_g.log_prob(x).exp()
    if isinstance(p_g, Pushforward) and p_g.singular > 0:
        place, mass = p_g.atoms
        x, P, Q = torch.cat([x, place]), torch.cat([P, torch.zeros_like(mass)]), torch.cat([Q, mass])
    return Pair(x[:, None], P, Q)


@dataclass(frozen=True, eq=False)
class Plane:
    """Equal cells over a 2-D p_data's support and a margin, on which p_g is estimated by a Gaussian kernel of `bandwidth`.

    x: (K, 2) cells' centres. P: (K,) p_data's masses, smoothed by the same kernel: equal densities stay equal, and no JSD increases.
    low, step: (2,), the first cell's corner and a cell's sides. bandwidth: an axis, in x's unit. cells: an axis, K = cells^2.
    """

    x: Tensor
    P: Tensor
    low: Tensor
    step: Tensor
    bandwidth: float
    cells: int

    def masses(self, samples: Tensor) -> Tensor:
        """Q (K,): a kernel estimate of the density of samples (n, 2), summing to 1. Samples off the grid count at its edge."""
        # Clamp samples off the grid to its edge cells, so that no mass disappears from p_g.
        index = ((samples.double() - self.low) / self.step).clamp(0, self.cells - 1).long()
        counts = torch.bincount(index[:, 0] * self.cells + index[:, 1], minlength=self.cells**2).double()
        return _smooth(counts / len(samples), self.step, self.bandwidth)

    def pair(self, samples: Tensor) -> Pair:
        """p_data and the estimate of p_g from samples (n, 2)."""
        return Pair(self.x, self.P, self.masses(samples))


def plane(p_data: Density, n: int, bandwidth: float | None = None, cells: int = 256) -> Plane:
    """The Plane of a 2-D density for n samples.

    bandwidth: None takes n^(-1/6) (Scott's rate in two dimensions) of the narrowest spread: a mode's sigma, or an eighth of the
    standard deviation where the density has no separate modes; at least a cell, since the grid resolves no less.
    Raises Refusal for a density of another dimension.
    """
    if p_data.dim != 2:
        raise Refusal(f"This is a {p_data.dim}-D density: the plane needs a 2-D one, such as ring8 or spiral.")
    low, high = p_data.support
    low, high = low - 0.1 * (high - low), high + 0.1 * (high - low)
    step = (high - low) / cells
    if bandwidth is None:
        spread = float(p_data.mode_std.min()) if p_data.mode_std is not None else float(p_data.std.min()) / 8
        bandwidth = max(spread * n ** (-1 / 6), float(step.max()))
    x = torch.cartesian_prod(*(low[i] + step[i] * (torch.arange(cells, dtype=torch.float64) + 0.5) for i in range(2)))
    P = p_data.log_prob(x).exp()
    return Plane(x, _smooth(P / P.sum(), step, bandwidth), low, step, bandwidth, cells)


def _smooth(mass: Tensor, step: Tensor, bandwidth: float) -> Tensor:
    """mass (K,) spread by a Gaussian along both axes of the grid. Each kernel is normalised on the grid, so no mass is lost at the edge."""
    cells = math.isqrt(len(mass))
    i = torch.arange(cells, dtype=torch.float64)
    # The Gaussian is separable: a matrix product per axis.
    across, along = (torch.exp(-((float(h) / bandwidth * (i[:, None] - i)) ** 2) / 2) for h in step)
    return (across / across.sum(0) @ mass.reshape(cells, cells) @ (along / along.sum(0)).T).flatten()
