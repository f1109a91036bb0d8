"""Conditions on the checks of a run: what a symptom is made of. Each is a function of the checks so far, and of the last one above all."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from statistics import mean, median, pstdev

from zerosum.verdict.thresholds import limit
from zerosum.verdict.trend import CheckViews, fell_back, flat, hot, recent, recent_median, sized, smoothed_distances, window


def at_most(name: str, threshold: str) -> Callable[[CheckViews], bool]:
    def shown(views: CheckViews) -> bool:
        value = getattr(views[-1], name)
        return value is not None and bool(value <= limit(threshold))

    return shown


def at_least(name: str, threshold: str) -> Callable[[CheckViews], bool]:
    def shown(views: CheckViews) -> bool:
        value = getattr(views[-1], name)
        return value is not None and bool(value >= limit(threshold))

    return shown


# -- how far G is from the data ---------------------------------------------------------------------------------------------


def covers_ahead_of_ema(views: CheckViews) -> bool:
    """Whether G itself covers the data where its EMA does not: the EMA only lags, and will follow."""
    coverage, ema = views[-1].coverage, views[-1].ema_coverage
    return coverage is not None and coverage >= limit("G covers the data") and (ema is None or coverage > ema + limit("G ahead of its EMA"))


def far_by_itself(views: CheckViews) -> bool:
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
    return far_by_itself(views) or d >= max(limit("not near"), limit("share of the first distance") * first + allowance) or fell_back(views)


def not_near(views: CheckViews) -> bool:
    d = views[-1].distance
    return far(views) if hot(views) else d is not None and d > limit("near")


def worse_than_best(views: CheckViews) -> bool:
    d = smoothed_distances(views)
    return len(d) > window() and d[-1] >= min(d) + sized("worse than its best", views)


# -- what G does ------------------------------------------------------------------------------------------------------------

parts_missing = at_least("missing", "parts missing")


def precise_but_incomplete(views: CheckViews) -> bool:
    last = views[-1]
    return last.coverage is not None and last.precision is not None and last.coverage <= limit("half of the reference") <= last.precision


def coverage_fell(views: CheckViews) -> bool:
    found = [view.coverage for view in views if view.coverage is not None]
    if len(found) < window() or views[-1].coverage is None:
        return False
    best = max(median(found[i : i + 3]) for i in range(len(found) - 2))
    return best >= 0.3 and views[-1].coverage <= limit("half of the reference") * best


def has_moved(views: CheckViews) -> bool:
    """Whether G has ever changed: one that stays as it was initialised has lost nothing."""
    return any(view.change is not None and view.change > limit("G unchanged") for view in views)


def parts_lost(views: CheckViews) -> bool:
    """Parts that G reached, or might have reached, are missing. While learning rates are high they must be missing from its EMA as well.

    At high rates G swings: at one check it is here, at the next there, as in healthy runs. Its EMA covers what it swings over.
    """
    ema = views[-1].ema_missing
    steady = not hot(views) or ema is None or ema >= limit("parts missing")
    return parts_missing(views) and steady and has_moved(views)


def unchanged(views: CheckViews) -> bool:
    return recent_median(views, "change") <= limit("G unchanged")


def keeps_changing(views: CheckViews) -> bool:
    """At this check, or on the mean of many: a G on a wide cycle hardly moves at the cycle's turning points."""
    changes = [view.change or 0.0 for view in views[-2 * window() :]]
    threshold = limit("G keeps changing")
    return changes[-1] >= threshold or (len(changes) == 2 * window() and mean(changes) >= threshold)


def distance_jumps(views: CheckViews) -> bool:
    d = [view.distance for view in views[-recent(views) :] if view.distance is not None]
    steps = [later - earlier for earlier, later in pairwise(d)]
    return len(steps) >= 3 and pstdev(steps) >= sized("distance jumps", views)


def distance_reverses(views: CheckViews) -> bool:
    """Whether the distance goes up and down by more than noise, again and again."""
    d = [view.distance for view in views[-recent(views) :] if view.distance is not None]
    big = [s for s in (b - a for a, b in pairwise(d)) if abs(s) > sized("distance noise", views)]
    return len(big) >= 3 and sum(a * b < 0 for a, b in pairwise(big)) >= len(big) // 2


def copies(views: CheckViews) -> bool:
    """More copies of training samples than among real samples; in records without that number, than among half of them."""
    last = views[-1]
    real = 0.5 if last.copies_of_real is None else last.copies_of_real
    return last.copies is not None and last.copies >= real + limit("copies")


# -- what D does ------------------------------------------------------------------------------------------------------------


def largest_gradient(views: CheckViews) -> float:
    """The largest median of three of G's gradient norms in a row, in the first half of the checks; NaN where there are none."""
    norms = [view.grad_g for view in views[: max(3, len(views) // 2)] if view.grad_g is not None]
    return max((median(norms[i : i + 3]) for i in range(max(1, len(norms) - 2))), default=float("nan")) if norms else float("nan")


def gradient_vanished(views: CheckViews) -> bool:
    now = views[-1].grad_g
    return now is not None and now <= limit("gradient vanished") * largest_gradient(views)


def overfits(views: CheckViews) -> bool:
    gap, error = views[-1].overfit, views[-1].overfit_error
    return gap is not None and error is not None and gap >= max(limit("D overfits"), 3 * error)


def overfits_strongly(views: CheckViews) -> bool:
    """A D that overfits so much teaches G little else. That harms nobody while generated samples are good, which no D could separate.

    D itself is asked as well: where only a few dozen samples are held out, the distance shows little.
    """
    gap, d, separated = views[-1].overfit, views[-1].distance, views[-1].separated
    bad = (d is not None and d > limit("near")) or (separated is not None and separated >= limit("D separates some"))
    return gap is not None and gap >= limit("D overfits strongly") and bad


def separates_little(views: CheckViews) -> bool:
    separated, auc, separable = views[-1].separated, views[-1].auc, views[-1].separable
    if separated is None or auc is None:
        return False
    little = max(limit("D separates little"), limit("share of the separable") * (separable or 0.0))
    return separated <= little or auc <= limit("D is fooled")


def logits_are_flat(views: CheckViews) -> bool:
    """Whether D's logits hardly differ, as under far too strong a penalty, although nearest neighbours separate the samples."""
    first, now, value = views[0].logit_std, views[-1].logit_std, views[-1].separable
    if not first or now is None or value is None:
        return False
    return now <= limit("D's logits are flat") * first and value >= limit("separable")


def separable(views: CheckViews) -> bool:
    """Nearest neighbours separate the EMA's samples, and D sees G's own: the two differ where the EMA lags behind a good G.

    Nearest neighbours also see thin lines and narrow modes before a net can: no D is called weak while the distance is not far.
    """
    value = views[-1].separable
    return value is not None and value >= limit("separable") and far_by_itself(views) and not covers_ahead_of_ema(views)
