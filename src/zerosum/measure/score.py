"""What a measure returns (Reading), what is reported (Score: a reading with its provenance), and the intervals that measures share."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any, Literal

import torch
from torch import Tensor

from zerosum.chance import generator

Better = Literal["lower", "higher", "floor"]

Z95 = 1.959964  # Phi(Z95) = .975: two-sided 95 %
Z95_ONE_SIDED = 1.644854  # Phi = .95


@dataclass(frozen=True)
class Reading:
    """A measure's value with the ends of its 95 % interval, in the measure's own unit; `note` is for users.

    low, high: None where no interval is known to hold.
    """

    name: str
    value: float
    low: float | None
    high: float | None
    note: str = ""


@dataclass(frozen=True)
class Score:
    """A measure's value with its provenance.

    value: the number; None where the measure was refused, and then `note` is the sentence that says why. low, high: its 95 % interval;
    None where there is none. floor: the reference score, which real samples get against real samples; None where there are too few.
    floor_low, floor_high: its 95 % interval, None where there is none. n, n_real: how many generated and real samples the value was
    computed from. split: the part of the real ones. features: the features' name and hash, or "raw". better: which direction is better;
    "floor": best at the reference score, worse on either side.
    """

    name: str
    value: float | None
    low: float | None
    high: float | None
    floor: float | None
    n: int
    n_real: int
    split: str
    features: str
    better: Better
    note: str = ""
    floor_low: float | None = None
    floor_high: float | None = None

    @property
    def refused(self) -> bool:
        return self.value is None

    def to_json(self) -> dict[str, Any]:
        """Plain values, without NaN or infinity."""
        return asdict(self)


@dataclass(frozen=True)
class Refused:
    """A reading that is impossible on these inputs, and the sentence that says why."""

    name: str
    why: str


def wilson(share: float, n: float) -> tuple[float, float]:
    """95 % interval of a share observed among n independent samples (Wilson 1927, JASA 22, 209-212)."""
    z2 = Z95**2 / n
    half = math.sqrt(share * (1 - share) * z2 + z2**2 / 4)
    low, high = (share + z2 / 2 - half) / (1 + z2), (share + z2 / 2 + half) / (1 + z2)
    # Rounding may put an end on the wrong side of the share itself.
    return max(0.0, min(low, share)), min(1.0, max(high, share))


def normal(value: float, variance: float) -> tuple[float, float]:
    """95 % interval of an estimate with this sampling variance, taken as normal."""
    half = Z95 * math.sqrt(max(variance, 0.0))
    return value - half, value + half


def percentiles(draws: Tensor, value: float, biased: bool = False) -> tuple[float, float]:
    """The 2.5 % and 97.5 % points of bootstrap draws (B,), widened to contain the value itself.

    biased: resampling increases a non-negative statistic on average; the draws are shifted back to have the value as their mean.
    """
    if biased:
        draws = (draws - draws.mean() + value).clamp(min=0)
    low, high = torch.quantile(draws.double(), torch.tensor([0.025, 0.975], dtype=torch.float64)).tolist()
    return min(low, value), max(high, value)


def resamples(counts: Tensor, draws: int, seed: int, purpose: str) -> Tensor:
    """Multinomial bootstrap: `draws` sets of counts (draws, m), each of counts.sum() trials with the shares of `counts` (m,)."""
    n = int(counts.sum())
    edges = (counts.double().cumsum(0) / n)[:-1].contiguous()
    # Inverse-transform sampling of all draws at once; draw b counts its cells from b m onwards.
    u = torch.rand((draws, n), generator=generator(seed, purpose))
    cell = torch.bucketize(u, edges.float(), right=True) + len(counts) * torch.arange(draws)[:, None]
    return torch.bincount(cell.flatten(), minlength=draws * len(counts)).reshape(draws, len(counts)).double()
