"""Mode counts: known modes of a density (modes, high_quality, mode_kl, sigma_ratio), and the classes that a classifier sees (class_kl).

Protocol of PacGAN (Lin et al. 2018, arXiv 1712.04086, section 4.1) and VEEGAN (Srivastava et al. 2017, arXiv 1705.07761): a sample is of
high quality within 3 sigma of the nearest mode; a mode is captured by one high-quality sample.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from zerosum.chance import generator
from zerosum.errors import Refusal
from zerosum.measure.inputs import GENERATED, MeasureInputs, Modes, check_pair, check_rows
from zerosum.measure.score import Reading, Refused, percentiles, resamples, wilson

REACH = 3.0  # sigmas
DRAWS = 200  # of the bootstrap


@dataclass(frozen=True, eq=False)
class Census:
    """High-quality samples by nearest mode. counts: (m,) how many. squares: (m,) their summed squared distance from their own mean. n:
    samples."""

    counts: Tensor
    squares: Tensor
    n: int


def census(x: Tensor, modes: Modes) -> Census:
    """The census of points x (N, d) over known modes; nearest is by distance in sigmas of each mode. Takes float64 N x m numbers."""
    x, c = x.double(), modes.centres.double()
    z, nearest = (torch.cdist(x, c, compute_mode="donot_use_mm_for_euclid_dist") / modes.std).min(1)
    good = z <= REACH
    # Moments of the high-quality samples alone: a stray far from all modes must not widen the nearest one.
    x, nearest = x[good], nearest[good]
    m = len(c)
    counts = torch.bincount(nearest, minlength=m).double()
    means = torch.zeros_like(c).index_add_(0, nearest, x) / counts.clamp(min=1)[:, None]
    squares = torch.zeros(m, dtype=torch.float64).index_add_(0, nearest, (x - means[nearest]).square().sum(1))
    return Census(counts, squares, len(good))


def kl(q: Tensor, p: Tensor) -> Tensor:
    """sum q log(q / p) over the last axis, nats, of counts or weights; each is normalised first, and q = 0 adds nothing."""
    q, p = q / q.sum(-1, keepdim=True), p / p.sum(-1, keepdim=True)
    return torch.where(q > 0, q * (q / p).clamp(min=1e-300).log(), torch.zeros_like(q)).sum(-1)


def read_modes(x: Tensor, modes: Modes, seed: int = 0) -> tuple[Reading | Refused, ...]:
    """modes, high_quality, mode_kl and sigma_ratio of points x (N, d).

    sigma_ratio: median over modes with two samples or more of the high-quality samples' spread an axis about their own mean, over sigma.
    In two dimensions a perfect sampler, cut at 3 sigma, has 0.974; below that the samples are under-dispersed.
    """
    check_rows(x, GENERATED, spread=False)
    if x.shape[1] != modes.centres.shape[1]:
        raise Refusal(
            f"The modes have {modes.centres.shape[1]} dimensions and the samples {x.shape[1]}: give samples of the density's dimension."
        )
    found = census(x, modes)
    total, m = float(found.counts.sum()), len(modes.centres)
    # The last cell counts samples near no mode, so that resamples vary in how many are of high quality too.
    draws = resamples(torch.cat([found.counts, torch.tensor([found.n - total])]), DRAWS, seed, "modes: bootstrap")[:, :-1]
    captured = float((found.counts > 0).sum())
    readings: list[Reading | Refused] = [
        Reading("modes", captured, *percentiles((draws > 0).sum(1), captured), f"of {m}"),
        Reading("high_quality", total / found.n, *wilson(total / found.n, found.n)),
    ]
    if total == 0:
        why = f"None of the {found.n} generated samples is within {REACH:g} sigma of a mode, so there is no"
        return (*readings, Refused("mode_kl", f"{why} histogram of modes."), Refused("sigma_ratio", f"{why} spread to compare."))
    value = float(kl(found.counts, modes.weights))
    readings.append(Reading("mode_kl", value, *percentiles(kl(draws[draws.sum(1) > 0], modes.weights), value, biased=True)))
    return (*readings, _sigma_ratio(found, modes, seed))


def _sigma_ratio(found: Census, modes: Modes, seed: int) -> Reading | Refused:
    enough = found.counts >= 2
    if not bool(enough.any()):
        return Refused("sigma_ratio", "No mode has two high-quality samples, so there is no spread to compare: draw more samples.")
    d = modes.centres.shape[1]
    # A mode's mean is estimated from its own samples, which leaves d (n - 1) degrees of freedom.
    freedom = d * (found.counts[enough] - 1)
    ratios = (found.squares[enough] / freedom).sqrt() / modes.std[enough]
    # A standard deviation from nu degrees of freedom varies by 1 / sqrt(2 nu) of itself.
    noise = torch.randn(DRAWS, len(ratios), generator=generator(seed, "sigma ratio: bootstrap"), dtype=torch.float64)
    draws = (ratios * (1 + noise / (2 * freedom).sqrt())).quantile(0.5, 1)
    value = float(ratios.quantile(0.5))
    return Reading("sigma_ratio", value, *percentiles(draws, value), f"{int(enough.sum())} modes")


def class_balance(fake: Tensor, real: Tensor, names: tuple[str, ...], seed: int = 0) -> Reading:
    """KL of the generated samples' class histogram from the real ones', nats, by a classifier's guesses (N,) and (M,); the note has counts.

    Half a sample is added to each class of the real ones, so that a class they lack adds much to the divergence, but not infinitely much.
    Raises Refusal where all real samples are of one class.
    """
    counts, reals = (torch.bincount(t, minlength=len(names)).double() for t in (fake, real))
    if int((reals > 0).sum()) < 2:
        raise Refusal(
            "All real samples are in one class, so there is no class balance to compare: give real samples of two classes or more."
        )
    value = float(kl(counts, reals + 0.5))
    low, high = percentiles(kl(resamples(counts, DRAWS, seed, "classes: bootstrap"), reals + 0.5), value, biased=True)
    said = ", ".join(f"{name}: {int(c)}" for name, c in zip(names, counts.tolist(), strict=True))
    return Reading(
        "class_kl",
        value,
        low,
        high,
        f"generated samples of class {said}" if len(names) <= 20 else f"{int((counts > 0).sum())} of {len(names)} classes",
    )


def stacked_mnist(guesses: Tensor, classes: int = 10) -> tuple[int, float]:
    """Stacked-MNIST: modes hit, and KL(p-hat, uniform) = sum q log(1000 q), nats, from the guesses (N, 3) of the three channels' digits."""
    place = torch.tensor([classes**2, classes, 1])
    counts = torch.bincount(guesses @ place, minlength=classes**3).double()
    return int((counts > 0).sum()), float(kl(counts, torch.ones_like(counts)))


def measure_modes(sets: MeasureInputs) -> tuple[Reading | Refused, ...]:
    """Row of MEASURES: the generated samples themselves, against the density's own modes."""
    assert sets.modes is not None
    return read_modes(sets.fake.samples, sets.modes, sets.seed)


def measure_classes(sets: MeasureInputs) -> tuple[Reading, ...]:
    """Row of MEASURES."""
    assert sets.classes is not None
    assert sets.fake.classes is not None
    assert sets.real.classes is not None
    check_pair(sets.fake.rows, sets.real.rows, spread=False)
    return (class_balance(sets.fake.classes, sets.real.classes, sets.classes, sets.seed),)
