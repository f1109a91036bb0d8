"""The measures: numbers about generated samples, each with its source. MEASURES lists them all; evaluation.py runs them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from zerosum.measure.divergence import measure_divergence
from zerosum.measure.diversity import measure_diversity
from zerosum.measure.frechet import measure_frechet
from zerosum.measure.inputs import MeasureInputs
from zerosum.measure.kid import measure_kid
from zerosum.measure.memorisation import measure_memorisation
from zerosum.measure.modes import measure_classes, measure_modes
from zerosum.measure.noise_share import measure_noise_share
from zerosum.measure.prdc import measure_prdc
from zerosum.measure.score import Better, Reading, Refused
from zerosum.measure.twosample import measure_two_sample


@dataclass(frozen=True)
class Quantity:
    """One number that a measure gives: which direction is better, and what it means in a sentence."""

    better: Better
    meaning: str


@dataclass(frozen=True)
class Measure:
    """One row of MEASURES.

    function: from MeasureInputs to readings, one for each name in `scores`; raises Refusal where the measure is impossible. needs: fields
    of MeasureInputs that must be given ("train", "modes", "classes", "images"). limit: the most samples a side that it reads, None for
    all. on: whether it compares "features" or the "samples" themselves. shrinks: whether the reference score falls as 1/n, as the bias of
    a plug-in distance does.
    """

    function: Callable[[MeasureInputs], tuple[Reading | Refused, ...]]
    scores: dict[str, Quantity]
    source: str
    needs: tuple[str, ...] = ()
    limit: int | None = None
    on: str = "features"
    shrinks: bool = False


MEASURES: dict[str, Measure] = {
    "frechet": Measure(
        measure_frechet,
        {
            "frechet": Quantity("lower", "Distance between the features of generated and real samples, both taken as Gaussian (FID)."),
            "frechet_corrected": Quantity("lower", "The same without the bias of few samples: about 0 for equal distributions."),
        },
        source="Heusel et al. 2017, arXiv 1706.08500, eq. 6; Quenouille 1956, Biometrika 43, 353-360",
        shrinks=True,
    ),
    "kid": Measure(
        measure_kid,
        {"kid": Quantity("lower", "Squared maximum mean discrepancy under a cubic kernel, unbiased: 0 for equal distributions.")},
        source="Binkowski et al. 2018, arXiv 1801.01401",
        limit=10_000,
    ),
    "prdc": Measure(
        measure_prdc,
        {
            "precision": Quantity("higher", "Share of generated samples within the real ones' neighbourhoods: quality."),
            "recall": Quantity("higher", "Share of real samples within the generated ones' neighbourhoods: variety."),
            "density": Quantity(
                "floor", "How many real neighbourhoods contain a generated sample, divided by k: 1 for equal distributions."
            ),
            "coverage": Quantity("higher", "Share of real samples with a generated one nearby: variety, robust to outliers."),
        },
        source="Kynkaanniemi et al. 2019, arXiv 1904.06991; Naeem et al. 2020, arXiv 2002.09797",
        limit=10_000,
    ),
    "modes": Measure(
        measure_modes,
        {
            "modes": Quantity("higher", "Known modes with at least one generated sample within 3 sigma."),
            "high_quality": Quantity(
                "floor", "Share of generated samples within 3 sigma of a known mode; too many means too little spread."
            ),
            "mode_kl": Quantity("lower", "KL divergence of the generated samples' share of each mode from the true weights, nats."),
            "sigma_ratio": Quantity("floor", "Spread of the generated samples within a mode over the true one, median over modes."),
        },
        source="Lin et al. 2018, arXiv 1712.04086, section 4.1",
        needs=("modes",),
        on="samples",
    ),
    "classes": Measure(
        measure_classes,
        {"class_kl": Quantity("lower", "KL divergence of the generated samples' class shares from the real ones', by a classifier, nats.")},
        source="as in Srivastava et al. 2017, arXiv 1705.07761, section 4.2",
        needs=("classes",),
        shrinks=True,
    ),
    "diversity": Measure(
        measure_diversity,
        {
            "diversity": Quantity(
                "floor", "Mean distance between two generated samples over that between two real ones; low in mode collapse."
            )
        },
        source="mean pairwise distance; docs/measures.md",
        limit=5_000,
    ),
    "memorisation": Measure(
        measure_memorisation,
        {
            "memory_distance": Quantity(
                "floor", "Distance to the nearest training sample over that to the nearest held-out one; below real data: copies."
            ),
            "memory_held_out": Quantity(
                "floor", "Share of generated samples nearest to a held-out sample, over the share expected; below real data: copies."
            ),
            "memory_copies": Quantity(
                "floor", "Share of generated samples nearer to a training sample than its own nearest neighbour; above real data: copies."
            ),
        },
        source="Alaa et al. 2022, arXiv 2102.08921, section 3.3; docs/measures.md",
        needs=("train",),
        limit=10_000,
        on="samples",
    ),
    "noise_share": Measure(
        measure_noise_share,
        {
            "noise_share": Quantity(
                "lower", "Share of real images that noise would have to replace to be as far from the data: 0 is real data, 1 is noise."
            )
        },
        source="Gretton et al. 2012, JMLR 13, section 2.2 and eq. 3; docs/measures.md",
        needs=("images",),
        limit=2_000,
        on="samples",
    ),
    "two_sample": Measure(
        measure_two_sample,
        {"two_sample": Quantity("lower", "Accuracy of a logistic regression at separating generated from real samples; 0.5 is chance.")},
        source="Lopez-Paz and Oquab 2017, arXiv 1610.06545",
        limit=10_000,
    ),
    "divergence": Measure(
        measure_divergence,
        {
            "jsd": Quantity(
                "lower",
                "The Jensen-Shannon divergence is at least this, with 95 % confidence, by a new classifier; nats, 0 to log 2 = 0.693.",
            )
        },
        source="Goodfellow et al. 2014, arXiv 1406.2661, Theorem 1; Maurer and Pontil 2009, arXiv 0907.3740, Theorem 4",
        limit=10_000,
        on="samples",
    ),
}

# Every number on its own, by the name that its scores carry.
QUANTITIES: dict[str, Quantity] = {name: quantity for measure in MEASURES.values() for name, quantity in measure.scores.items()}
