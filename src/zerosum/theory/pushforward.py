"""p_g in one dimension, by change of variables from G itself: p_g(x) = sum over z with G(z) = x of p_z(z) / |G'(z)|.

G is replaced by its linear interpolant on a grid in z, refined wherever the slope changes: exact between the kinks of a ReLU network,
and second-order in the step for a smooth one. Every piece has exactly its prior mass, so p_g integrates to one by construction. Folds
are several pieces over one x. A flat piece is an atom of p_g, and reported as such.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor, nn
from torch.special import ndtr

from zerosum.errors import Refusal

PriorName = Literal["normal", "uniform"]

# |z| > 8 has 1.2e-15 of a normal prior's mass.
_REACH: dict[PriorName, float] = {"normal": 8.0, "uniform": 1.0}
# A slope below this share of the largest |x| is flat: in float64 it is indistinguishable from rounding over the finest step.
_FLAT = 1e-8


def _density(prior: PriorName, z: Tensor) -> Tensor:
    """p_z(z)."""
    if prior == "normal":
        return torch.exp(-(z**2) / 2) / math.sqrt(2 * math.pi)
    return torch.full_like(z, 0.5)


def _mass(prior: PriorName, z: Tensor) -> Tensor:
    """Prior mass of each interval between neighbours of z (n+1,): (n,), summing to 1."""
    if prior == "normal":
        # Differences of the smaller tail keep their relative precision.
        low, high = z[:-1], z[1:]
        mass = torch.where(low > 0, ndtr(-low) - ndtr(-high), ndtr(high) - ndtr(low))
    else:
        mass = z.diff() / 2
    return mass / mass.sum()


@dataclass(frozen=True, eq=False)
class Pushforward:
    """The distribution p_g of G(z), z ~ p_z, as linear pieces.

    z, x = G(z): (n+1,), float64, z rising. mass: (n,), each piece's share of p_z.

    dim, log_prob and knots are those of a Density, so p_g can be used as one; log_prob is of the part without the atoms.
    """

    z: Tensor
    x: Tensor
    mass: Tensor
    prior: PriorName

    @property
    def dim(self) -> int:
        return 1

    @property
    def slope(self) -> Tensor:
        """G'(z) on each piece, (n,)."""
        return self.x.diff() / self.z.diff()

    @property
    def flat(self) -> Tensor:
        """Which pieces G maps to one point, (n,), bool."""
        return self.slope.abs() <= _FLAT * self.x.abs().max()

    @property
    def atoms(self) -> tuple[Tensor, Tensor]:
        """Places (A,) and masses (A,) of the points that have mass of their own: each run of flat pieces is one."""
        flat = self.flat
        if not bool(flat.any()):
            return self.x.new_zeros(0), self.x.new_zeros(0)
        first = flat & ~torch.cat([flat.new_zeros(1), flat[:-1]])
        run = first.long().cumsum(0)[flat] - 1
        count = int(first.sum())
        mass = self.x.new_zeros(count).index_add(0, run, self.mass[flat])
        middle = (self.x[:-1] + self.x[1:])[flat] / 2
        place = self.x.new_zeros(count).index_add(0, run, self.mass[flat] * middle) / mass.clamp(min=1e-300)
        # Two runs at one level, such as both ends of a saturated G, are one atom.
        order = place.argsort()
        place, mass = place[order], mass[order]
        level = torch.cat([place.new_zeros(1), (place.diff() > 1e-6 * (1 + place.abs().max())).to(place)]).cumsum(0).long()
        total = place.new_zeros(int(level[-1]) + 1).index_add(0, level, mass)
        return place.new_zeros(len(total)).index_add(0, level, mass * place) / total.clamp(min=1e-300), total

    @property
    def singular(self) -> float:
        """Mass of all atoms: 0 where p_g has a density."""
        return float(self.mass[self.flat].sum())

    def describe(self) -> str | None:
        """A sentence that says where p_g has atoms and how much mass they have; None where it has none."""
        if self.singular < 1e-6:
            return None
        places, masses = self.atoms
        kept = masses.argsort(descending=True)[:3]
        where = ", ".join(f"{masses[i]:.2%} at x = {places[i]:.4g}" for i in kept.tolist())
        return f"G is flat on {self.singular:.2%} of the prior, so p_g has no density there but atoms: {where}."

    def knots(self, axis: int = 0) -> Tensor:
        """The sorted ends of the pieces: between two of them p_g is smooth."""
        ends = self.x.sort().values
        return torch.cat([ends[:1], ends[1:][ends.diff() > 0]])

    def density(self, x: Tensor) -> Tensor:
        """p_g(x) without its atoms, (N,), for x: (N,) or (N, 1)."""
        at = x.reshape(-1).to(self.x)
        total = torch.zeros_like(at)
        sign = self.slope.sign().masked_fill(self.flat, 0)
        # Runs of one sign are the branches of G's inverse: p_g is the sum over them.
        edges = [0, *(torch.nonzero(sign.diff()).flatten() + 1).tolist(), len(sign)]
        for i, j in pairwise(edges):
            if sign[i] != 0:
                total += self._branch(at, i, j)
        return total

    def _branch(self, at: Tensor, i: int, j: int) -> Tensor:
        """p_z(z) / |G'(z)| on the pieces i to j, over which G is monotone: (N,), zero off its range."""
        z, x, slope = self.z[i : j + 1], self.x[i : j + 1], self.slope[i:j]
        rising = bool(x[-1] > x[0])
        # G is monotone here, so its inverse is a search among the ends of its pieces.
        k = torch.searchsorted(x if rising else -x, at if rising else -at, right=True) - 1
        inside = (k >= 0) & (k < j - i)
        k = k.clamp(0, j - i - 1)
        there = z[k] + (at - x[k]) / slope[k]
        return torch.where(inside, _density(self.prior, there) / slope[k].abs(), torch.zeros_like(at))

    def log_prob(self, x: Tensor) -> Tensor:
        """log of `density`, in nats; -inf where G does not reach."""
        return self.density(x).log()


def pushforward(
    G: Callable[[Tensor], Tensor], prior: PriorName = "normal", *, pieces: int = 4096, tolerance: float = 1e-8, rounds: int = 12
) -> Pushforward:
    """p_g of a G from one dimension to one: z (N, 1) -> x (N, 1) or (N,). A module is copied to float64 and evaluation mode first.

    pieces: equal intervals of z to start from. A piece is halved, at most `rounds` times, while its prior mass times the relative
    change of G's slope within it exceeds `tolerance`.
    Raises Refusal where G takes or gives more than one number a sample, or a value that is not finite.
    """
    # float32 slopes are too noisy to tell a kink from rounding.
    reach = _REACH[prior]
    g = copy.deepcopy(G).double().cpu().eval() if isinstance(G, nn.Module) else G
    z = torch.linspace(-reach, reach, pieces + 1, dtype=torch.float64)
    x = _evaluate(g, z)
    done = torch.zeros(pieces, dtype=torch.bool)
    for _ in range(rounds):
        open_ = torch.nonzero(~done).flatten()
        if not len(open_):
            break
        middle = (z[open_] + z[open_ + 1]) / 2
        at_middle = _evaluate(g, middle)
        # The change of slope within a piece, relative to the slope, is the relative error of its density.
        left, right = at_middle - x[open_], x[open_ + 1] - at_middle
        change = (left - right).abs() / (left.abs() + right.abs()).clamp(min=1e-12 * float(1 + x.abs().max()))
        split = _mass(prior, z)[open_] * change > tolerance
        done[open_[~split]] = True
        z, order = torch.cat([z, middle[split]]).sort()
        x = torch.cat([x, at_middle[split]])[order]
        # Both halves of a split piece are tested again: each starts at its old or its new left end.
        done = torch.cat([done, done.new_zeros(1 + int(split.sum()))])[order][:-1]
    return Pushforward(z, x, _mass(prior, z), prior)


def _evaluate(g: Callable[[Tensor], Tensor], z: Tensor) -> Tensor:
    with torch.no_grad():
        try:
            x = g(z[:, None])
        except RuntimeError as error:
            raise Refusal("p_g by change of variables needs a G whose prior has one dimension: this one takes more.") from error
    if x.numel() != len(z):
        raise Refusal(f"This G gives {x[0].numel()} numbers a sample: p_g by change of variables needs G from one dimension to one.")
    if not bool(x.isfinite().all()):
        raise Refusal("G gives values that are not finite, so p_g cannot be computed: use an earlier checkpoint.")
    return x.reshape(-1).double()
