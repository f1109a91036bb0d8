"""Measures: numbers about samples, each with its provenance. MEASURES holds them all; evaluation.py wires them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from zerosum.measure.divergence import measure_divergence
from zerosum.measure.diversity import measure_diversity
from zerosum.measure.frechet import measure_frechet
from zerosum.measure.inputs import Sets
from zerosum.measure.kid import measure_kernel
from zerosum.measure.memorisation import measure_memory
from zerosum.measure.modes import measure_classes, measure_modes
from zerosum.measure.prdc import measure_manifold
from zerosum.measure.score import Better, Reading, Refused
from zerosum.measure.twosample import measure_two_sample


@dataclass(frozen=True)
class Named:
    """One number that a measure gives: which way is better, and what it means in a sentence."""

    better: Better
    meaning: str


@dataclass(frozen=True)
class Measure:
    """function: from Sets to readings, one for each name in `scores`; it raises Refusal where it cannot be had.

    needs: fields of Sets that must be given ("train", "modes", "classes"). limit: how many samples a side it reads, None for all. on:
    whether it looks at features or at the samples themselves. shrinks: whether its floor falls as 1/n, as a plug-in distance's bias does.
    """

    function: Callable[[Sets], tuple[Reading | Refused, ...]]
    scores: dict[str, Named]
    source: str
    needs: tuple[str, ...] = ()
    limit: int | None = None
    on: str = "features"
    shrinks: bool = False


MEASURES: dict[str, Measure] = {
    "frechet": Measure(
        measure_frechet,
        {"frechet": Named("lower", "Distance between fakes and reals as if both were Gaussian in the features.")},
        source="Heusel et al. 2017, arXiv 1706.08500, eq. 6",
        shrinks=True,
    ),
    "kernel": Measure(
        measure_kernel,
        {"kid": Named("lower", "Squared distance between fakes and reals under a cubic kernel, unbiased: zero when the laws agree.")},
        source="Binkowski et al. 2018, arXiv 1801.01401",
        limit=10_000,
    ),
    "manifold": Measure(
        measure_manifold,
        {
            "precision": Named("higher", "Share of fakes that lie among the reals: quality."),
            "recall": Named("higher", "Share of reals that lie among the fakes: variety."),
            "density": Named(
                "floor", "How deep among the reals the fakes lie; 1 when the laws agree, more when fakes huddle where reals are dense."
            ),
            "coverage": Named("higher", "Share of reals with a fake in their neighbourhood: variety, robust to outliers."),
        },
        source="Kynkaanniemi et al. 2019, arXiv 1904.06991; Naeem et al. 2020, arXiv 2002.09797",
        limit=10_000,
    ),
    "modes": Measure(
        measure_modes,
        {
            "modes": Named("higher", "Known modes with at least one fake within 3 sigma."),
            "high_quality": Named("floor", "Share of fakes within 3 sigma of a known mode; more than the floor means huddled fakes."),
            "mode_kl": Named("lower", "KL divergence of the fakes' share of each mode from the true weights, nats."),
            "sigma_ratio": Named("floor", "Spread of the fakes within a mode over the true one, median over modes."),
        },
        source="Lin et al. 2018, arXiv 1712.04086, section 4.1",
        needs=("modes",),
        on="samples",
    ),
    "classes": Measure(
        measure_classes,
        {"class_kl": Named("lower", "KL divergence of the fakes' class histogram from the reals', by the features' classifier, nats.")},
        source="as in Srivastava et al. 2017, arXiv 1705.07761, section 4.2",
        needs=("classes",),
        shrinks=True,
    ),
    "diversity": Measure(
        measure_diversity,
        {"diversity": Named("floor", "Mean distance between two fakes over that between two reals; well under 1 in a collapse.")},
        source="mean pairwise distance; docs/measures.md",
        limit=5_000,
    ),
    "memory": Measure(
        measure_memory,
        {
            "memory_distance": Named(
                "floor", "Distance to the nearest training sample over that to the nearest held-out one; under the floor: copying."
            ),
            "memory_held_out": Named(
                "floor", "Share of fakes whose nearest real is held out, over the share expected; under the floor: copying."
            ),
            "memory_copies": Named(
                "floor", "Share of fakes nearer to a training sample than its own nearest neighbour; over the floor: copying."
            ),
        },
        source="Alaa et al. 2022, arXiv 2102.08921, section 3.3; docs/measures.md",
        needs=("train",),
        limit=10_000,
        on="samples",
    ),
    "two_sample": Measure(
        measure_two_sample,
        {"two_sample": Named("lower", "Held-out accuracy of a logistic regression that tells fakes from reals; 0.5 when it cannot.")},
        source="Lopez-Paz and Oquab 2017, arXiv 1610.06545",
        limit=10_000,
    ),
    "divergence": Measure(
        measure_divergence,
        {"jsd": Named("lower", "Jensen-Shannon divergence that a fresh small D proves on held-out samples, nats, at most log 2 = 0.693.")},
        source="Goodfellow et al. 2014, arXiv 1406.2661, Theorem 1; Maurer and Pontil 2009, arXiv 0907.3740, Theorem 4",
        limit=10_000,
        on="samples",
    ),
}

# Every number's own row, by the name that its scores carry.
NAMED: dict[str, Named] = {name: named for measure in MEASURES.values() for name, named in measure.scores.items()}
