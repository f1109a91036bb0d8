"""Every threshold of the verdict, with its source.

"provisional": set from what the numbers mean; the runs of benchmarks/verdict.py that were examined gave no reason to change it.
"calibration": set on the calibration half of those runs.
"""

from __future__ import annotations

from typing import NamedTuple


class Threshold(NamedTuple):
    """value, in the unit that `what` says; source: a paper, arithmetic, or the calibration."""

    value: float
    what: str
    source: str


PROVISIONAL = "provisional"

THRESHOLDS: dict[str, Threshold] = {
    # When
    "checks before a trouble": Threshold(6, "checks before a trouble is named", "several checks, against the run's own past"),
    "checks in a row": Threshold(4, "checks in a row at which a symptom must be present, one exception allowed", "several checks"),
    "plateau checks": Threshold(12, "plateaued checks in a row after which --until-plateau stops", "a quarter of a run"),
    "recent share": Threshold(1 / 3, "share of the checks that counts as recent", "between a quarter and a third of the run"),
    # How far, how fast
    "decay left": Threshold(
        0.03,
        "share of the decay of learning rates and penalty still to come, above which a run may improve more than its checks show",
        "digits: constant at .04 for half of a run, then .007 as the learning rates decayed",
    ),
    "distance noise": Threshold(0.03, "fall of the distance that exceeds its noise", "two standard errors of 512 samples: .02 to .03"),
    "full sample count": Threshold(
        256,
        "samples a side, below which thresholds for noise grow as one over their square root",
        "a standard error; images have as many",
    ),
    "relative gain": Threshold(0.1, "share of the distance by which it must fall as well", "calibration: a G one unit wide: .93 to .87"),
    "near": Threshold(0.12, "distance up to which a run is near the data", PROVISIONAL),
    "far": Threshold(
        0.4,
        "distance from which a run without progress has stalled, or D may be weak",
        "calibration: .28 to .39 on spirals that then improved, .46 and more where D stayed weak",
    ),
    "far on images": Threshold(
        0.5,
        "the same on images",
        "calibration: good runs ended at up to .47, those harmed otherwise than by D's overfitting at .55 and more",
    ),
    "far at high rates": Threshold(
        0.6,
        "the same while learning rates have far to decay",
        "a default run on ring8 swung between .4 and .5 for half of its length, with all modes, and ended at .02",
    ),
    "far at both scales": Threshold(
        0.3,
        "distance that is far where whole parts of the data are missing too",
        "calibration: .31 and more where D separated nothing; good runs on thin lines were as far, and missed no parts",
    ),
    "missing at the coarse scale": Threshold(
        0.2, "total variation of the averaged G's cells, above the reference", "calibration: .25 and more; .13 and less on thin lines"
    ),
    "share of the first distance": Threshold(
        0.75,
        "share of the distance at the first check from which a run is far",
        "calibration: a G that did not train kept .88; a spiral that paused at .6 to .7 improved later",
    ),
    "not near": Threshold(0.18, "distance from which that share counts", PROVISIONAL),
    "G covers the data": Threshold(
        0.8, "share of the reference coverage from which G itself is near, wherever its EMA is", "digits: .85 and more, EMA .13"
    ),
    "G ahead of its EMA": Threshold(
        0.1, "coverage of G above that of its EMA, from which the EMA lags", "two standard errors of 512 samples: .04"
    ),
    "EMA lags": Threshold(0.2, "coverage of G above that of its EMA, from which users are told that the EMA lags", PROVISIONAL),
    "above best": Threshold(0.15, "rise of the distance above its own best from which a flat run has not plateaued", "calibration"),
    # mode collapse
    "low diversity": Threshold(0.5, "mean distance of generated samples over that of real ones", "rule of thumb: one half"),
    "parts missing": Threshold(0.35, "total variation of the cells' shares, above the reference", PROVISIONAL),
    "half of the reference": Threshold(0.5, "coverage below it while precision is above it, as shares of their references", PROVISIONAL),
    # D
    "D separates little": Threshold(
        0.06, "nats by which D separates held-out from generated samples: log 2 - its cross-entropy", "two standard errors of 256 pairs"
    ),
    "share of the separable": Threshold(
        0.2, "what D separates over what nearest neighbours do, up to which it is little", "calibration: .15 where D saw half of the image"
    ),
    "D's logits are flat": Threshold(
        0.01,
        "standard deviation of D's logits over that at the first check",
        "65 recorded runs on points: .009 and less with a penalty 10,000 times too strong, .03 and more otherwise",
    ),
    "D is fooled": Threshold(0.6, "chance that D scores a held-out sample higher than a generated one", PROVISIONAL),
    "separable": Threshold(0.15, "nats by which nearest neighbours separate, above the reference", PROVISIONAL),
    "D separates nearly all": Threshold(0.98, "chance that D scores a held-out sample higher than a generated one", PROVISIONAL),
    "D's loss is near 0": Threshold(0.6, "nats by which D separates, of log 2 = .693", PROVISIONAL),
    "gradient vanished": Threshold(
        0.1, "norm of G's gradient over its own largest early one", "a tenth: Goodfellow et al. 2014, section 3, describes the effect"
    ),
    "G unchanged": Threshold(
        0.03, "total variation between G's cells at two checks in a row, up to which G does not change", "0: both checks use the same noise"
    ),
    # oscillation
    "G keeps changing": Threshold(0.25, "total variation between G's cells at two checks in a row", PROVISIONAL),
    "G is far from its EMA": Threshold(0.25, "total variation between the cells of G and of its EMA", PROVISIONAL),
    "distance jumps": Threshold(0.1, "standard deviation of the differences between recent distances in a row", PROVISIONAL),
    # overfitting, memorisation
    "D overfits": Threshold(0.1, "chance above 1/2 that D scores a training sample higher than a held-out one", "and 3 standard errors"),
    "D overfits strongly": Threshold(0.2, "the same, from which it does harm", "calibration: .25 on 200 digits; .1 and less on 600 points"),
    "D separates some": Threshold(
        0.1, "nats by which D separates held-out samples, from which generated ones are not good", "calibration: .2 and more at 31 held out"
    ),
    "r_t is high": Threshold(0.6, "E sign D(training sample)", "Karras et al. 2020, arXiv 2006.06676, section 3.1"),
    "worse than its best": Threshold(0.05, "rise of the distance above its own best", "two standard errors"),
    "nearest is held out": Threshold(
        0.6, "share of generated samples whose nearest real one is held out, over the share expected by size", PROVISIONAL
    ),
    "copies": Threshold(
        0.2, "share of generated samples nearer to a training sample than its own neighbour is, above that of real samples", PROVISIONAL
    ),
    # diverged
    "spread exploded": Threshold(5.0, "diversity", "no generator that learns is five times as spread out as its data"),
}


def limit(name: str) -> float:
    """The value of a threshold."""
    return THRESHOLDS[name].value
