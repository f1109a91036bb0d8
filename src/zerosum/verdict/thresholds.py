"""Every threshold of the verdict, with where it comes from.

"provisional": set from what the numbers mean; the runs of benchmarks/verdict.py that were looked at gave no reason to move it.
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
    "first": Threshold(6, "checks before a trouble is named", "several checks, against the run's own past"),
    "several": Threshold(4, "checks in a row, of which one may be missing, at which a sign must stand", "several checks"),
    "settled": Threshold(12, "settled checks in a row after which --until-settled stops", "a quarter of a run: one that rests may go on"),
    "recent": Threshold(1 / 3, "share of the checks that counts as recent", "within a quarter to a third of the run"),
    # How far, how fast
    "left": Threshold(
        0.03,
        "share of the fall of rates and penalty still to come, from which a run may have more to gain than its checks show",
        "digits: at rest at .04 for half of a run, and then .007 as the rates fell",
    ),
    "move": Threshold(0.03, "fall of the distance that is more than its noise", "two standard errors of 512 samples: .02 to .03"),
    "enough": Threshold(
        256,
        "samples a side, below which what stands for noise grows as one over their square root",
        "a standard error; images have as many",
    ),
    "gain": Threshold(0.1, "and the share of the distance by which it must fall", "calibration: a G one unit wide fell from .93 to .87"),
    "near": Threshold(0.12, "distance up to which a run is near the floor", PROVISIONAL),
    "far": Threshold(
        0.4,
        "distance from which a run that no longer moves has stalled, or D may be blind",
        "calibration: D told little at .28 to .39 on spirals that then improved, and at .46 and more where it stayed blind",
    ),
    "far on images": Threshold(
        0.5,
        "the same on images, at whatever scale cells are missing",
        "calibration: fair runs ended at up to .47, those harmed otherwise than by D's memory at .55 and more",
    ),
    "far while hot": Threshold(
        0.6,
        "the same while rates have far to fall",
        "a run of the preset on ring8 swung at .4 to .5 for half of its length, with all modes, and ended at .02",
    ),
    "far at both scales": Threshold(
        0.3,
        "distance that is far where cells are missing too",
        "calibration: .31 and more where D told nothing; good runs on thin lines stood as far, and missed no cells",
    ),
    "coarse": Threshold(
        0.2, "total variation of the average's cells, above the floor", "calibration: .25 and more; .13 and less on thin lines"
    ),
    "as it began": Threshold(
        0.75,
        "share of the distance at the first check from which a run is far",
        "calibration: a G that stood still kept .88; a spiral that stood at .6 to .7 went on",
    ),
    "still away": Threshold(0.18, "distance from which that share counts", PROVISIONAL),
    "G reaches": Threshold(
        0.8, "share of the floor's coverage from which G itself is near, wherever its average is", "digits: .85 and more, average .13"
    ),
    "ahead": Threshold(
        0.1, "coverage of G above that of its average, from which the average lags", "two standard errors of 512 samples: .04"
    ),
    "lags": Threshold(0.2, "coverage of G above that of its average, from which it is told that the average lags", PROVISIONAL),
    "lost": Threshold(0.15, "rise of the distance above its own best from which a run that rests has not settled", "calibration"),
    # collapsing
    "diversity": Threshold(0.5, "mean distance of two fakes over that of two reals", "the issue's rule of thumb: one half"),
    "missing": Threshold(0.35, "total variation of the cells' shares, above the floor", PROVISIONAL),
    "part": Threshold(0.5, "share of the floor: coverage below it while precision is above it", PROVISIONAL),
    # D
    "tells little": Threshold(
        0.06, "nats that D tells of held-out reals and fakes: log 2 - its cross-entropy", "two standard errors of 256 pairs"
    ),
    "a part": Threshold(
        0.2, "what D tells over what a fresh D tells, up to which it tells little", "calibration: .15 where D saw half of the image"
    ),
    "fooled": Threshold(0.6, "chance that D scores a held-out real above a fake", PROVISIONAL),
    "fresh": Threshold(0.15, "nats that a fresh D tells, above the floor", PROVISIONAL),
    "wins": Threshold(0.98, "chance that D scores a held-out real above a fake", PROVISIONAL),
    "tells all": Threshold(0.6, "nats that D tells, of log 2 = .693", PROVISIONAL),
    "vanished": Threshold(
        0.1, "norm of G's gradient over its own largest early one", "a tenth: Goodfellow et al. 2014, section 3, names the effect"
    ),
    "still": Threshold(
        0.03, "total variation between G's cells at two checks in a row, below which it does not move", "the same noise is used"
    ),
    # oscillating
    "drift": Threshold(0.25, "total variation between G's cells at two checks in a row", PROVISIONAL),
    "apart": Threshold(0.25, "total variation between the cells of G and of its average", PROVISIONAL),
    "jumps": Threshold(0.1, "standard deviation of the recent distances", PROVISIONAL),
    # overfitting, memorising
    "knows": Threshold(0.1, "chance above 1/2 that D scores a training real above a held-out one", "and 3 standard errors"),
    "by heart": Threshold(
        0.2, "the same, from which D knows its reals by heart", "calibration: .25 on 200 digits; .1 and less on 600 points"
    ),
    "tells some": Threshold(
        0.1, "nats that D tells of held-out reals, from which the fakes are not good", "calibration: .2 and more at 31 held-out reals"
    ),
    "heuristic r_t": Threshold(0.6, "E sign D(train)", "Karras et al. 2020, arXiv 2006.06676, section 3.1"),
    "worse": Threshold(0.05, "rise of the distance above its own best", "two standard errors"),
    "held out": Threshold(0.6, "share of fakes whose nearest real is held out, over the share by size", PROVISIONAL),
    "copies": Threshold(
        0.7, "share of fakes nearer to a training item than that item's own neighbour", "an honest G has about one half or less"
    ),
    # diverged
    "burst": Threshold(5.0, "diversity", "no generator that learns is five times as spread out as its data"),
}


def limit(name: str) -> float:
    """The value of a threshold."""
    return THRESHOLDS[name].value
