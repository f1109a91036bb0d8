"""Known densities p_data in one and two dimensions, with exact samples, log_prob, modes and moments: mixtures of isotropic Gaussians
(curves such as the spiral are mixtures of many), and uniform densities on boxes."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np
import torch
from torch import Tensor

from zerosum.errors import Refusal

# The largest (points x components) table that log_prob builds at once: 32 MB in float64.
_TABLE = 2**22


class Density(Protocol):
    """A distribution of x in R^dim with a known log density."""

    @property
    def dim(self) -> int: ...

    @property
    def modes(self) -> Tensor | None:
        """Means (m, dim) of the components, float64, where they are separate modes; None for curves and uniform densities."""

    @property
    def mode_std(self) -> Tensor | None:
        """Standard deviation an axis of each mode, (m,); None as for modes."""

    @property
    def mode_weights(self) -> Tensor | None:
        """Mass of each mode, (m,), summing to 1; None as for modes."""

    @property
    def mean(self) -> Tensor:
        """E x, (dim,), float64."""

    @property
    def std(self) -> Tensor:
        """Standard deviation of each coordinate, (dim,), float64."""

    @property
    def support(self) -> tuple[Tensor, Tensor]:
        """Lower and upper corner, each (dim,), of a box that contains all but 1e-9 of the mass."""

    def knots(self, axis: int = 0) -> Tensor:
        """Sorted positions on an axis, from one end of the support to the other, for a quadrature of a few points an interval."""

    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        """n independent draws, (n, dim), float32."""

    def log_prob(self, x: Tensor) -> Tensor:
        """log p(x) in nats, (N,), in x's dtype. x: (N, dim), or (N,) where dim is 1. -inf outside the support of a uniform density."""


def _rows(x: Tensor, dim: int) -> Tensor:
    if x.ndim == 1 and dim == 1:
        return x[:, None]
    if x.ndim != 2 or x.shape[1] != dim:
        raise Refusal(
            f"This density has {dim} dimension{'s' if dim > 1 else ''}, and the points have shape {tuple(x.shape)}: give points (N, {dim})."
        )
    return x


def _components(weights: Tensor, n: int, generator: torch.Generator) -> Tensor:
    """n indices k with probability weights[k], by inverting the cumulative sum of the weights."""
    u = torch.rand(n, generator=generator, dtype=torch.float64)
    return torch.searchsorted(weights.cumsum(0), u, right=True).clamp(max=len(weights) - 1)


@dataclass(frozen=True, eq=False)
class Mixture:
    """p(x) = sum_k w_k N(x; mu_k, sigma_k^2 I).

    weights: (m,), summing to 1. means: (m, dim). stds: (m,), positive. All float64.
    curve: whether the components are steps along a curve rather than modes.
    """

    weights: Tensor
    means: Tensor
    stds: Tensor
    curve: bool = False

    @property
    def dim(self) -> int:
        return self.means.shape[1]

    @property
    def modes(self) -> Tensor | None:
        return None if self.curve else self.means

    @property
    def mode_std(self) -> Tensor | None:
        return None if self.curve else self.stds

    @property
    def mode_weights(self) -> Tensor | None:
        return None if self.curve else self.weights

    @property
    def mean(self) -> Tensor:
        return self.weights @ self.means

    @property
    def std(self) -> Tensor:
        # Var x = E Var(x | k) + Var E(x | k)
        return (self.weights @ (self.stds[:, None] ** 2 + (self.means - self.mean) ** 2)).sqrt()

    @property
    def support(self) -> tuple[Tensor, Tensor]:
        # Outside each side is at most 1 - Phi(7) = 1.3e-12 of the mass.
        reach = 7 * self.stds[:, None]
        return (self.means - reach).amin(0), (self.means + reach).amax(0)

    def knots(self, axis: int = 0) -> Tensor:
        steps = torch.arange(-7.0, 7.5, 0.5, dtype=torch.float64)
        places = (self.means[:, axis, None] + self.stds[:, None] * steps).flatten().sort().values
        # Components on a curve give thousands of places. One for each quarter of the smallest sigma is enough.
        bucket = ((places - places[0]) / self.stds.min() * 4).round()
        return torch.cat([places[:1], places[:-1][(bucket.diff() > 0) & (bucket[:-1] > 0)], places[-1:]])

    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        k = _components(self.weights, n, generator)
        noise = torch.randn(n, self.dim, generator=generator, dtype=torch.float64)
        return (self.means[k] + self.stds[k, None] * noise).float()

    def log_prob(self, x: Tensor) -> Tensor:
        rows = _rows(x, self.dim)
        step = max(1, _TABLE // len(self.weights))
        return torch.cat([self._log_prob(rows[i : i + step]) for i in range(0, max(1, len(rows)), step)])

    def _log_prob(self, x: Tensor) -> Tensor:
        weights, means, stds = (t.to(x) for t in (self.weights, self.means, self.stds))
        # One axis at a time, so that the table is (N, m) rather than (N, m, dim).
        squares = (x[:, :1] - means[:, 0]) ** 2
        for i in range(1, self.dim):
            squares = squares + (x[:, i, None] - means[:, i]) ** 2
        return torch.logsumexp(weights.log() - self.dim * (stds.log() + math.log(2 * math.pi) / 2) - squares / (2 * stds**2), 1)


@dataclass(frozen=True, eq=False)
class Boxes:
    """The uniform density on disjoint boxes. low, high: opposite corners, (m, dim), float64; boxes are half-open, [low, high)."""

    low: Tensor
    high: Tensor
    modes: ClassVar[None] = None
    mode_std: ClassVar[None] = None
    mode_weights: ClassVar[None] = None

    @property
    def dim(self) -> int:
        return self.low.shape[1]

    @property
    def weights(self) -> Tensor:
        """Mass of each box, (m,)."""
        volume = (self.high - self.low).prod(1)
        return volume / volume.sum()

    @property
    def mean(self) -> Tensor:
        return self.weights @ ((self.low + self.high) / 2)

    @property
    def std(self) -> Tensor:
        inside = (self.high - self.low) ** 2 / 12
        return (self.weights @ (inside + ((self.low + self.high) / 2 - self.mean) ** 2)).sqrt()

    @property
    def support(self) -> tuple[Tensor, Tensor]:
        return self.low.amin(0), self.high.amax(0)

    def knots(self, axis: int = 0) -> Tensor:
        ends = torch.cat([self.low[:, axis], self.high[:, axis]]).sort().values
        return torch.cat([ends[:1], ends[1:][ends.diff() > 0]])

    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        k = _components(self.weights, n, generator)
        u = torch.rand(n, self.dim, generator=generator, dtype=torch.float64)
        x = (self.low[k] + (self.high - self.low)[k] * u).float()
        # Rounding to float32 can give `high` itself, which is outside the box.
        return torch.minimum(x, torch.nextafter(self.high[k].float(), self.low[k].float()))

    def log_prob(self, x: Tensor) -> Tensor:
        rows = _rows(x, self.dim)[:, None]
        inside = ((rows >= self.low.to(x)) & (rows < self.high.to(x))).all(2).any(1)
        flat = torch.full(inside.shape, -math.log(float((self.high - self.low).prod(1).sum())), dtype=x.dtype, device=x.device)
        return flat.where(inside, torch.full_like(flat, -math.inf))


def mixture(weights: list[float], means: list[float], stds: list[float]) -> Mixture:
    """A 1-D Mixture from plain numbers, m of each."""
    w, mu, sigma = (torch.tensor(t, dtype=torch.float64) for t in (weights, means, stds))
    return Mixture(w, mu[:, None], sigma)


def _equal(means: Tensor, std: float, curve: bool = False) -> Mixture:
    m = len(means)
    return Mixture(torch.full((m,), 1 / m, dtype=torch.float64), means, torch.full((m,), std, dtype=torch.float64), curve)


def _midpoints(m: int) -> Tensor:
    """m midpoints of equal steps of [0, 1]."""
    return (torch.arange(m, dtype=torch.float64) + 0.5) / m


def gaussian() -> Mixture:
    """N(0, 1)."""
    return mixture([1.0], [0.0], [1.0])


def bimodal() -> Mixture:
    """N(-2, .5^2) and N(2, .5^2) in equal parts."""
    return mixture([0.5, 0.5], [-2.0, 2.0], [0.5, 0.5])


def uniform() -> Boxes:
    """U(-1, 1)."""
    return Boxes(torch.tensor([[-1.0]], dtype=torch.float64), torch.tensor([[1.0]], dtype=torch.float64))


def ring8() -> Mixture:
    """Eight Gaussians on the unit circle, sigma .01 an axis (PacGAN, arXiv 1712.04086, section 4.1)."""
    angle = 2 * math.pi * torch.arange(8, dtype=torch.float64) / 8
    return _equal(torch.stack([angle.cos(), angle.sin()], 1), 0.01)


def grid25() -> Mixture:
    """Twenty-five Gaussians at {-4, -2, 0, 2, 4}^2, sigma .05 an axis (PacGAN, arXiv 1712.04086, section 4.1)."""
    axis = torch.arange(-4.0, 5.0, 2.0, dtype=torch.float64)
    return _equal(torch.cartesian_prod(axis, axis), 0.05)


def spiral() -> Mixture:
    """Two turns of Archimedes' spiral r = t, angle 4 pi t, t from 1/4 to 1, uniform in arc length, thickened by noise of sigma .02."""
    fine = torch.linspace(0.25, 1, 20_001, dtype=torch.float64)
    speed = (1 + (4 * math.pi * fine) ** 2).sqrt()
    length = torch.cat([torch.zeros(1, dtype=torch.float64), ((speed[1:] + speed[:-1]) / 2 * fine.diff()).cumsum(0)])
    # With 256 steps of 1.15 sigma each, the density varies along the curve by less than 1e-5 of its value.
    s = _midpoints(256) * length[-1]
    t = torch.from_numpy(np.interp(s.numpy(), length.numpy(), fine.numpy()))
    return _equal(torch.stack([t * (4 * math.pi * t).cos(), t * (4 * math.pi * t).sin()], 1), 0.02, curve=True)


def moons() -> Mixture:
    """Two interleaved half circles of radius 1, centred on the origin, uniform in arc length, thickened by noise of sigma .1."""
    t = math.pi * _midpoints(32)
    upper = torch.stack([t.cos() - 0.5, t.sin() - 0.25], 1)
    return _equal(torch.cat([upper, -upper]), 0.1, curve=True)


def checkerboard() -> Boxes:
    """The eight dark unit squares of a 4 x 4 board on [-2, 2]^2, uniform."""
    low = torch.tensor([[i - 2, j - 2] for i in range(4) for j in range(4) if (i + j) % 2 == 0], dtype=torch.float64)
    return Boxes(low, low + 1)


def circle() -> Mixture:
    """A circle of radius 1, uniform in angle, thickened by noise of sigma .05."""
    angle = 2 * math.pi * _midpoints(128)
    return _equal(torch.stack([angle.cos(), angle.sin()], 1), 0.05, curve=True)


def segment() -> Mixture:
    """The straight line from (-1, -.6) to (1, .6), uniform, thickened by noise of sigma .05."""
    t = 2 * _midpoints(64) - 1
    return _equal(torch.stack([t, 0.6 * t], 1), 0.05, curve=True)


def clusters() -> Mixture:
    """Two round Gaussians in the plane, sigma .15 an axis."""
    return _equal(torch.tensor([[-0.7, -0.4], [0.7, 0.4]], dtype=torch.float64), 0.15)


def blobs() -> Mixture:
    """Three separate round Gaussians in the plane, sigma .08 an axis."""
    return _equal(torch.tensor([[-0.8, -0.5], [0.0, 0.8], [0.8, -0.5]], dtype=torch.float64), 0.08)


DENSITIES: dict[str, Callable[[], Density]] = {
    "gaussian": gaussian,
    "bimodal": bimodal,
    "uniform": uniform,
    "ring8": ring8,
    "grid25": grid25,
    "spiral": spiral,
    "moons": moons,
    "checkerboard": checkerboard,
    "line": segment,
    "circle": circle,
    "clusters": clusters,
    "blobs": blobs,
}
