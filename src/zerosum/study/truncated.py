"""A 1-D density restricted to an interval.

G of a uniform z has a bounded range, so it cannot reach the tails of a Gaussian. The teaching figure therefore restricts p_data to where
nearly all of it is, and there p_g = p_data is possible.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import torch
from torch import Tensor

from zerosum.data.density import Density

SIGMAS = 1.8
"""The interval's ends, in standard deviations of the outermost components beyond their means.

p_g at the ends is p_z over G's slope. At 1.8 the slope has to be 5 times that in the middle, which a small network learns. At 2 it is
7.4 times, and p_g at the ends came out a quarter too high.
"""

_CELLS = 4096  # of the table of the distribution function


@dataclass(frozen=True, eq=False)
class Truncated:
    """p(x) = base(x) / base([low, high]) on [low, high), 0 elsewhere: a `Density` of one dimension, without separate modes."""

    base: Density
    low: float
    high: float
    dim: ClassVar[int] = 1
    modes: ClassVar[None] = None
    mode_std: ClassVar[None] = None
    mode_weights: ClassVar[None] = None

    @cached_property
    def _table(self) -> tuple[Tensor, Tensor]:
        """Positions (K,) and the mass of base below each, (K,)."""
        x = torch.linspace(self.low, self.high, _CELLS + 1, dtype=torch.float64)
        middle = (x[:-1] + x[1:]) / 2
        # Simpson's rule on each cell.
        p, pm = self.base.log_prob(x).exp(), self.base.log_prob(middle).exp()
        mass = (p[:-1] + 4 * pm + p[1:]) / 6 * x.diff()
        return x, torch.cat([mass.new_zeros(1), mass.cumsum(0)])

    @property
    def mass(self) -> float:
        """Share of base's mass in the interval."""
        return float(self._table[1][-1])

    def _moment(self, power: int) -> Tensor:
        x, below = self._table
        middle = (x[:-1] + x[1:]) / 2
        return ((below.diff() / below[-1]) @ middle**power)[None]

    @property
    def mean(self) -> Tensor:
        return self._moment(1)

    @property
    def std(self) -> Tensor:
        return (self._moment(2) - self.mean**2).sqrt()

    @property
    def support(self) -> tuple[Tensor, Tensor]:
        return torch.tensor([self.low], dtype=torch.float64), torch.tensor([self.high], dtype=torch.float64)

    def knots(self, axis: int = 0) -> Tensor:
        inside = self.base.knots(axis)
        inside = inside[(inside > self.low) & (inside < self.high)]
        ends = torch.tensor([self.low, self.high], dtype=torch.float64)
        return torch.cat([ends[:1], inside, ends[1:]])

    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        """n independent draws, (n, 1), float32, by inverting the distribution function."""
        x, below = self._table
        u = torch.rand(n, generator=generator, dtype=torch.float64) * below[-1]
        k = torch.searchsorted(below, u, right=True).clamp(1, len(x) - 1)
        share = (u - below[k - 1]) / (below[k] - below[k - 1]).clamp(min=1e-300)
        drawn = (x[k - 1] + share * (x[k] - x[k - 1])).float()
        # Rounding to float32 can give `high` itself, which is outside.
        return drawn.clamp(max=math.nextafter(self.high, self.low) if self.high > 0 else self.high)[:, None]

    def log_prob(self, x: Tensor) -> Tensor:
        at = x.reshape(-1)
        inside = (at >= self.low) & (at < self.high)
        return torch.where(inside, self.base.log_prob(x) - math.log(self.mass), torch.full_like(at, -math.inf))


def reachable(p_data: Density) -> Density:
    """p_data on the interval that a G with a bounded range can cover; p_data itself where that is already so (a uniform density)."""
    if p_data.dim != 1 or p_data.modes is None or p_data.mode_std is None:
        return p_data
    means, stds = p_data.modes[:, 0], p_data.mode_std
    return Truncated(p_data, float((means - SIGMAS * stds).min()), float((means + SIGMAS * stds).max()))
