"""Symptoms: what the checks may show, each a condition on one kind of number and the sentence that reports it.

A symptom is present when several checks in a row show it (`THRESHOLDS["checks in a row"]`, one exception allowed): one odd check is noise.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from zerosum.verdict.conditions import (
    at_least,
    at_most,
    copies,
    coverage_fell,
    distance_jumps,
    distance_reverses,
    far,
    gradient_vanished,
    keeps_changing,
    largest_gradient,
    logits_are_flat,
    not_near,
    overfits,
    overfits_strongly,
    parts_lost,
    parts_missing,
    precise_but_incomplete,
    separable,
    separates_little,
    unchanged,
    worse_than_best,
)
from zerosum.verdict.trend import (
    CheckViews,
    improving,
    recent,
    recent_median,
    smoothed_distances,
    window,
)


class Symptom(NamedTuple):
    """shown: whether the last of these checks shows it; says: the sentence, with numbers, for checks where it is present."""

    shown: Callable[[CheckViews], bool]
    says: Callable[[CheckViews], str]


def percent(share: float, digits: int = 0) -> str:
    """A share as people write it: 40 %."""
    return f"{100 * share:.{digits}f} %"


def present(symptom: Symptom, views: CheckViews) -> bool:
    """Whether the last check shows the symptom, and all but one of the last several do."""
    n = window()
    if len(views) < n:
        return False
    shown = [symptom.shown(views[: len(views) - back]) for back in range(n)]
    return shown[0] and sum(shown) >= n - 1


# -- sentences --------------------------------------------------------------------------------------------------------------

SCALE = "lower is better; 0: as close as real samples, 1: nothing in common"


def how_far(views: CheckViews, distance: float) -> str:
    """The distance in words. Images have a unit that can be pictured, the same as the measure noise_share of `evaluate`."""
    last = views[-1]
    if last.noise_share is None:
        return f"the distance from held-out real samples is {distance:.2f} ({SCALE})"
    return (
        f"generated images are as far from real ones as real ones of which noise replaces {percent(distance)}"
        f" (noise share {distance:.2f}; lower is better; real images: {last.real_distance:.2f})"
    )


def _says_distance(views: CheckViews) -> str:
    return how_far(views, recent_median(views, "distance"))


def _says_worse(views: CheckViews) -> str:
    d = smoothed_distances(views)
    return f"{how_far(views, d[-1])}; at its best it was {min(d):.2f}"


def _says_missing(views: CheckViews) -> str:
    modes = views[-1].modes
    known = f"; modes reached: {modes[0]} of {modes[1]}" if modes is not None else ""
    return (
        f"{percent(recent_median(views, 'missing'))} of G's samples would have to move to match the data's distribution (real samples: 0 %)"
        + known
    )


def _says_incomplete(views: CheckViews) -> str:
    precision, coverage = percent(recent_median(views, "precision")), percent(recent_median(views, "coverage"))
    return f"G's samples score {precision} of the precision of real samples, but only {coverage} of their coverage"


def _says_gradient(views: CheckViews) -> str:
    most = largest_gradient(views)
    return (
        f"G's gradient is {percent(recent_median(views, 'grad_g') / most, 1)} of its largest early value" if most else "G has no gradient"
    )


def _says_scored(views: CheckViews, digits: int = 0) -> str:
    return (
        f"D scores a held-out real sample above a generated one in {percent(recent_median(views, 'auc'), digits)} of pairs (chance: 50 %)"
    )


SYMPTOMS: dict[str, Symptom] = {
    "spread exploded": Symptom(
        at_least("diversity", "spread exploded"), lambda s: f"generated samples are {s[-1].diversity:.3g} times as spread out as real ones"
    ),
    "off the data": Symptom(
        lambda s: s[-1].precision is not None and s[-1].precision < 0.1,
        lambda s: f"only {percent(s[-1].precision or 0)} of G's samples are near real ones (real samples: 100 %)",
    ),
    "low diversity": Symptom(
        at_most("diversity", "low diversity"),
        lambda s: f"generated samples are {recent_median(s, 'diversity'):.2f} times as far apart as real ones (real samples: 1)",
    ),
    "parts missing": Symptom(parts_missing, _says_missing),
    "parts lost": Symptom(parts_lost, _says_missing),
    "precise but incomplete": Symptom(precise_but_incomplete, _says_incomplete),
    "coverage fell": Symptom(
        coverage_fell,
        lambda s: f"G's coverage is {percent(recent_median(s, 'coverage'))} of that of real samples, less than half of its own best",
    ),
    "D separates little": Symptom(separates_little, _says_scored),
    "D's logits are flat": Symptom(
        logits_are_flat,
        lambda s: (
            f"D's logits hardly differ: their standard deviation is {recent_median(s, 'logit_std'):.1g},"
            f" and was {s[0].logit_std:.1g} before the first step"
        ),
    ),
    "separable": Symptom(
        separable,
        lambda s: (
            f"a nearest-neighbour classifier separates the same samples by {recent_median(s, 'separable'):.2f} nats"
            " (0: not at all, 0.69: completely)"
        ),
    ),
    "D separates nearly all": Symptom(at_least("auc", "D separates nearly all"), lambda s: _says_scored(s, 1)),
    "D's loss is near 0": Symptom(
        at_least("separated", "D's loss is near 0"),
        lambda s: f"D separates the two by {recent_median(s, 'separated'):.2f} nats (0: not at all, 0.69: completely)",
    ),
    "gradient vanished": Symptom(gradient_vanished, _says_gradient),
    "G unchanged": Symptom(
        unchanged, lambda s: f"G hardly changes: {percent(recent_median(s, 'change'), 1)} of its samples move between two checks"
    ),
    "G keeps changing": Symptom(
        keeps_changing,
        lambda s: f"{percent(recent_median(s, 'change'))} of G's samples move to another part of the data between two checks",
    ),
    "G is far from its EMA": Symptom(
        at_least("ema_gap", "G is far from its EMA"),
        lambda s: f"{percent(recent_median(s, 'ema_gap'))} of G's samples are in other parts of the data than those of its EMA",
    ),
    "distance jumps": Symptom(distance_jumps, lambda s: "the distance from the data jumps from check to check"),
    "distance reverses": Symptom(distance_reverses, lambda s: "the distance from the data falls and rises again"),
    "D overfits": Symptom(
        overfits,
        lambda s: f"D scores a training sample above a held-out one in {percent(0.5 + recent_median(s, 'overfit'))} of pairs (fair: 50 %)",
    ),
    "D overfits strongly": Symptom(overfits_strongly, _says_scored),
    "r_t is high": Symptom(
        at_least("r_t", "r_t is high"),
        lambda s: f"the mean sign of D on training samples (r_t) is {recent_median(s, 'r_t'):.2f} (above 0.6: overfitting)",
    ),
    "worse than its best": Symptom(worse_than_best, _says_worse),
    "nearest is a training sample": Symptom(
        at_most("held_out", "nearest is held out"),
        lambda s: (
            f"held-out samples are the nearest real ones {percent(recent_median(s, 'held_out'))} as often as expected (no copies: 100 %)"
        ),
    ),
    "copies": Symptom(
        copies,
        lambda s: (
            f"{percent(recent_median(s, 'copies'))} of generated samples are nearer to a training sample than its own nearest neighbour is"
            f" (of real samples: {percent(s[-1].copies_of_real) if s[-1].copies_of_real is not None else 'about 50 %'})"
        ),
    ),
    "far": Symptom(far, _says_distance),
    "not near": Symptom(not_near, _says_distance),
    "no progress": Symptom(
        lambda s: len(s) > recent(s) and not improving(s), lambda s: f"the distance has reached no new low in the last {recent(s)} checks"
    ),
}
