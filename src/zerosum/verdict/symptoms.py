"""Symptoms: what the checks may show, each a condition on one kind of number and the sentence that reports it.

A symptom is present when several checks in a row show it (`THRESHOLDS["checks in a row"]`, one exception allowed): one odd check is noise.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from statistics import mean, median, pstdev
from typing import NamedTuple

from zerosum.verdict.thresholds import limit
from zerosum.verdict.trend import (
    CheckViews,
    fell_back,
    flat,
    hot,
    improving,
    recent,
    recent_median,
    sized,
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


def _at_most(name: str, threshold: str) -> Callable[[CheckViews], bool]:
    def shown(views: CheckViews) -> bool:
        value = getattr(views[-1], name)
        return value is not None and bool(value <= limit(threshold))

    return shown


def _at_least(name: str, threshold: str) -> Callable[[CheckViews], bool]:
    def shown(views: CheckViews) -> bool:
        value = getattr(views[-1], name)
        return value is not None and bool(value >= limit(threshold))

    return shown


# -- how far G is from the data ---------------------------------------------------------------------------------------------


def covers_ahead_of_ema(views: CheckViews) -> bool:
    """Whether G itself covers the data where its EMA does not: the EMA only lags, and will follow."""
    coverage, ema = views[-1].coverage, views[-1].ema_coverage
    return coverage is not None and coverage >= limit("G covers the data") and (ema is None or coverage > ema + limit("G ahead of its EMA"))


def _far_by_itself(views: CheckViews) -> bool:
    """Whether the last check's distance alone is far: at a fine scale clearly, or less so, flat, and at a coarse scale too."""
    d, coarse = views[-1].distance, views[-1].ema_missing
    if d is None:
        return False
    if hot(views):
        return d >= limit("far at high rates")
    if views[-1].images:  # In so many dimensions even a good sample is further from its nearest real one.
        return d >= limit("far on images")
    both_scales = d >= limit("far at both scales") and coarse is not None and coarse >= limit("missing at the coarse scale")
    return d >= limit("far") or (both_scales and flat(views))


def far(views: CheckViews) -> bool:
    """Whether the last check is far from the data: by itself, or compared with the first check (the untrained G), or with its best.

    The distance is that of the averaged G.
    """
    d = views[-1].distance
    first = next((view.distance for view in views if view.distance is not None), 1.0)
    if d is None or covers_ahead_of_ema(views):
        return False
    allowance = sized("distance noise", views) - limit("distance noise")  # With few samples the first distance is noisy as well.
    return (
        _far_by_itself(views) or d >= max(limit("not near"), limit("share of the first distance") * first + allowance) or fell_back(views)
    )


def _not_near(views: CheckViews) -> bool:
    d = views[-1].distance
    return far(views) if hot(views) else d is not None and d > limit("near")


def _worse_than_best(views: CheckViews) -> bool:
    d = smoothed_distances(views)
    return len(d) > window() and d[-1] >= min(d) + sized("worse than its best", views)


# -- what G does ------------------------------------------------------------------------------------------------------------

_parts_missing = _at_least("missing", "parts missing")


def _precise_but_incomplete(views: CheckViews) -> bool:
    last = views[-1]
    return last.coverage is not None and last.precision is not None and last.coverage <= limit("half of the reference") <= last.precision


def _coverage_fell(views: CheckViews) -> bool:
    found = [view.coverage for view in views if view.coverage is not None]
    if len(found) < window() or views[-1].coverage is None:
        return False
    best = max(median(found[i : i + 3]) for i in range(len(found) - 2))
    return best >= 0.3 and views[-1].coverage <= limit("half of the reference") * best


def _has_moved(views: CheckViews) -> bool:
    """Whether G has ever changed: one that stays as it was initialised has lost nothing."""
    return any(view.change is not None and view.change > limit("G unchanged") for view in views)


def _parts_lost(views: CheckViews) -> bool:
    """Parts that G reached, or might have reached, are missing. While learning rates are high they must be missing from its EMA as well.

    At high rates G swings: at one check it is here, at the next there, as in healthy runs. Its EMA covers what it swings over.
    """
    ema = views[-1].ema_missing
    steady = not hot(views) or ema is None or ema >= limit("parts missing")
    return _parts_missing(views) and steady and _has_moved(views)


def _unchanged(views: CheckViews) -> bool:
    return recent_median(views, "change") <= limit("G unchanged")


def _keeps_changing(views: CheckViews) -> bool:
    """At this check, or on the mean of many: a G on a wide cycle hardly moves at the cycle's turning points."""
    changes = [view.change or 0.0 for view in views[-2 * window() :]]
    threshold = limit("G keeps changing")
    return changes[-1] >= threshold or (len(changes) == 2 * window() and mean(changes) >= threshold)


def _distance_jumps(views: CheckViews) -> bool:
    d = [view.distance for view in views[-recent(views) :] if view.distance is not None]
    steps = [later - earlier for earlier, later in pairwise(d)]
    return len(steps) >= 3 and pstdev(steps) >= sized("distance jumps", views)


def _distance_reverses(views: CheckViews) -> bool:
    """Whether the distance goes up and down by more than noise, again and again."""
    d = [view.distance for view in views[-recent(views) :] if view.distance is not None]
    big = [s for s in (b - a for a, b in pairwise(d)) if abs(s) > sized("distance noise", views)]
    return len(big) >= 3 and sum(a * b < 0 for a, b in pairwise(big)) >= len(big) // 2


# -- what D does ------------------------------------------------------------------------------------------------------------


def largest_gradient(views: CheckViews) -> float:
    """The largest median of three of G's gradient norms in a row, in the first half of the checks; NaN where there are none."""
    norms = [view.grad_g for view in views[: max(3, len(views) // 2)] if view.grad_g is not None]
    return max((median(norms[i : i + 3]) for i in range(max(1, len(norms) - 2))), default=float("nan")) if norms else float("nan")


def _gradient_vanished(views: CheckViews) -> bool:
    now = views[-1].grad_g
    return now is not None and now <= limit("gradient vanished") * largest_gradient(views)


def _overfits(views: CheckViews) -> bool:
    gap, error = views[-1].overfit, views[-1].overfit_error
    return gap is not None and error is not None and gap >= max(limit("D overfits"), 3 * error)


def _overfits_strongly(views: CheckViews) -> bool:
    """A D that overfits so much teaches G little else. That harms nobody while generated samples are good, which no D could separate.

    D itself is asked as well: where only a few dozen samples are held out, the distance shows little.
    """
    gap, d, separated = views[-1].overfit, views[-1].distance, views[-1].separated
    bad = (d is not None and d > limit("near")) or (separated is not None and separated >= limit("D separates some"))
    return gap is not None and gap >= limit("D overfits strongly") and bad


def _separates_little(views: CheckViews) -> bool:
    separated, auc, separable = views[-1].separated, views[-1].auc, views[-1].separable
    if separated is None or auc is None:
        return False
    little = max(limit("D separates little"), limit("share of the separable") * (separable or 0.0))
    return separated <= little or auc <= limit("D is fooled")


def _separable(views: CheckViews) -> bool:
    """Nearest neighbours separate the EMA's samples, and D sees G's own: the two differ where the EMA lags behind a good G.

    Nearest neighbours also see thin lines and narrow modes before a net can: no D is called weak while the distance is not far.
    """
    value = views[-1].separable
    return value is not None and value >= limit("separable") and _far_by_itself(views) and not covers_ahead_of_ema(views)


# -- sentences --------------------------------------------------------------------------------------------------------------

SCALE = "lower is better; 0: as close as real samples, 1: nothing in common"


def _says_distance(views: CheckViews) -> str:
    return f"the distance from held-out real samples is {recent_median(views, 'distance'):.2f} ({SCALE})"


def _says_worse(views: CheckViews) -> str:
    d = smoothed_distances(views)
    return f"the distance from held-out real samples is {d[-1]:.2f} ({SCALE}); it was {min(d):.2f} at its best"


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
        _at_least("diversity", "spread exploded"), lambda s: f"generated samples are {s[-1].diversity:.3g} times as spread out as real ones"
    ),
    "off the data": Symptom(
        lambda s: s[-1].precision is not None and s[-1].precision < 0.1,
        lambda s: f"only {percent(s[-1].precision or 0)} of G's samples are near real ones (real samples: 100 %)",
    ),
    "low diversity": Symptom(
        _at_most("diversity", "low diversity"),
        lambda s: f"generated samples are {recent_median(s, 'diversity'):.2f} times as far apart as real ones (real samples: 1)",
    ),
    "parts missing": Symptom(_parts_missing, _says_missing),
    "parts lost": Symptom(_parts_lost, _says_missing),
    "precise but incomplete": Symptom(_precise_but_incomplete, _says_incomplete),
    "coverage fell": Symptom(
        _coverage_fell,
        lambda s: f"G's coverage is {percent(recent_median(s, 'coverage'))} of that of real samples, less than half of its own best",
    ),
    "D separates little": Symptom(_separates_little, _says_scored),
    "separable": Symptom(
        _separable,
        lambda s: (
            f"a nearest-neighbour classifier separates the same samples by {recent_median(s, 'separable'):.2f} nats"
            " (0: not at all, 0.69: completely)"
        ),
    ),
    "D separates nearly all": Symptom(_at_least("auc", "D separates nearly all"), lambda s: _says_scored(s, 1)),
    "D's loss is near 0": Symptom(
        _at_least("separated", "D's loss is near 0"),
        lambda s: f"D separates the two by {recent_median(s, 'separated'):.2f} nats (0: not at all, 0.69: completely)",
    ),
    "gradient vanished": Symptom(_gradient_vanished, _says_gradient),
    "G unchanged": Symptom(
        _unchanged, lambda s: f"G hardly changes: {percent(recent_median(s, 'change'), 1)} of its samples move between two checks"
    ),
    "G keeps changing": Symptom(
        _keeps_changing,
        lambda s: f"{percent(recent_median(s, 'change'))} of G's samples move to another part of the data between two checks",
    ),
    "G is far from its EMA": Symptom(
        _at_least("ema_gap", "G is far from its EMA"),
        lambda s: f"{percent(recent_median(s, 'ema_gap'))} of G's samples are in other parts of the data than those of its EMA",
    ),
    "distance jumps": Symptom(_distance_jumps, lambda s: "the distance from the data jumps from check to check"),
    "distance reverses": Symptom(_distance_reverses, lambda s: "the distance from the data falls and rises again"),
    "D overfits": Symptom(
        _overfits,
        lambda s: f"D scores a training sample above a held-out one in {percent(0.5 + recent_median(s, 'overfit'))} of pairs (fair: 50 %)",
    ),
    "D overfits strongly": Symptom(_overfits_strongly, _says_scored),
    "r_t is high": Symptom(
        _at_least("r_t", "r_t is high"),
        lambda s: f"the mean sign of D on training samples (r_t) is {recent_median(s, 'r_t'):.2f} (above 0.6: overfitting)",
    ),
    "worse than its best": Symptom(_worse_than_best, _says_worse),
    "nearest is a training sample": Symptom(
        _at_most("held_out", "nearest is held out"),
        lambda s: (
            f"held-out samples are the nearest real ones {percent(recent_median(s, 'held_out'))} as often as expected (no copies: 100 %)"
        ),
    ),
    "copies": Symptom(
        _at_least("copies", "copies"),
        lambda s: (
            f"{percent(recent_median(s, 'copies'))} of generated samples are nearer to a training sample than its own nearest neighbour is"
            " (no copies: about 50 %)"
        ),
    ),
    "far": Symptom(far, _says_distance),
    "not near": Symptom(_not_near, _says_distance),
    "no progress": Symptom(
        lambda s: len(s) > recent(s) and not improving(s), lambda s: f"the distance has reached no new low in the last {recent(s)} checks"
    ),
}
