"""How a run's distance from the data moves from check to check: whether it falls, stays, or has risen again; and what is noise."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import mean, median, variance

from zerosum.verdict.check_view import CheckView
from zerosum.verdict.thresholds import limit

CheckViews = Sequence[CheckView]


def window() -> int:
    """How many checks in a row make a symptom."""
    return int(limit("checks in a row"))


def recent(views: CheckViews) -> int:
    """How many of the last checks are recent: a third of them, and at least a window."""
    return max(window(), round(limit("recent share") * len(views)))


def recent_median(views: CheckViews, name: str) -> float:
    """Median of a number over the last window of checks; NaN where none of them has it."""
    found = [v for view in views[-window() :] if (v := getattr(view, name)) is not None]
    return median(found) if found else float("nan")


def smoothed_distances(views: CheckViews) -> list[float]:
    """The smoothed distances of the checks that have one."""
    return [view.smoothed for view in views if view.smoothed is not None]


def sized(name: str, views: CheckViews) -> float:
    """A threshold that allows for noise, at the last check's number of samples n: it grows as 1/sqrt(n) where n is small."""
    n = views[-1].n if views else None
    return limit(name) * max(1.0, math.sqrt(limit("full sample count") / n)) if n else limit(name)


def noise(views: CheckViews) -> float:
    """What a fall of the distance must exceed: two standard errors of a check, or twice the recent distances' median residual."""
    d, smoothed = [view.distance for view in views if view.distance is not None], smoothed_distances(views)
    residuals = [abs(a - b) for a, b in zip(d, smoothed, strict=True)][-recent(views) :]
    return max(sized("distance noise", views), 2 * median(residuals)) if residuals else sized("distance noise", views)


def improving(views: CheckViews) -> bool:
    """Whether the least recent distance is below all earlier ones by more than noise, and has not been lost again."""
    d, n = smoothed_distances(views), recent(views)
    if len(d) <= n:
        return bool(d) and d[-1] < d[0] - sized("distance noise", views)
    best = min(d[:-n])
    return min(d[-n:]) < best - max(noise(views), limit("relative gain") * best) and recent_median(views, "smoothed") < best


def second_half(views: CheckViews) -> list[float]:
    """The distances since half of the samples were seen. The stretch grows with the run, so longer runs are judged by more checks."""
    return [view.distance for view in views if view.distance is not None and 2 * view.samples >= views[-1].samples]


def fall(views: CheckViews) -> tuple[float, float] | None:
    """By how much the distance fell within the run's second half, and the standard error of that; None where there are few checks."""
    d = second_half(views)
    if len(d) < limit("checks before a trouble"):
        return None
    earlier, later = d[: len(d) // 2], d[len(d) // 2 :]
    return mean(earlier) - mean(later), math.sqrt(variance(earlier) / len(earlier) + variance(later) / len(later))


def flat(views: CheckViews) -> bool:
    """Whether the distance is known not to have fallen in the run's second half: its fall plus one standard error is within noise."""
    fell = fall(views)
    return fell is not None and sum(fell) <= sized("distance noise", views)


def falls(views: CheckViews) -> bool:
    """Whether the distance is known to have fallen in the run's second half, by two standard errors, even if to no record.

    A run that is further from the data than its untrained G was is none that improves.
    """
    fell, d = fall(views), smoothed_distances(views)
    return fell is not None and fell[0] >= max(sized("distance noise", views), 2 * fell[1]) and d[-1] < d[0]


def hot(views: CheckViews) -> bool:
    """Whether learning rates or the penalty still have far to decay: until then G swings widely around what it will reach."""
    return views[-1].decay_left > limit("decay left")


def before_decay(views: CheckViews) -> bool:
    """Whether learning rates and penalty are constant so far, and will decay later (`--decay` below 1)."""
    return len(views) > 1 and all(view.decay_left == 1 for view in views)


def as_good_as_real(views: CheckViews) -> bool:
    """Whether the distance is within noise of what real samples score."""
    d = smoothed_distances(views)
    return bool(d) and d[-1] <= views[-1].real_distance + sized("distance noise", views)


def fell_back(views: CheckViews) -> bool:
    """Whether the distance is well above its own best and not near. Never while learning rates are high.

    At high rates a swing away from an early best is normal, and `far` has a higher limit there. Without this guard the default
    ring8 run is called broken for a third of its length: it comes near early, then swings, then ends near.
    """
    d = smoothed_distances(views)
    return bool(d) and not hot(views) and d[-1] >= max(limit("not near"), min(d) + sized("above best", views))
