"""How the distance of a run moves from check to check: whether it falls, rests, or has gone up again; and what is noise."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import mean, median, variance

from zerosum.verdict.check_view import Look
from zerosum.verdict.thresholds import limit

Looks = Sequence[Look]


def window() -> int:
    return int(limit("several"))


def recent(looks: Looks) -> int:
    """How many of the last checks are recent: a third, at least as many as make a sign."""
    return max(window(), round(limit("recent") * len(looks)))


def middle(looks: Looks, name: str, n: int | None = None) -> float:
    """Median of a number over the last n (several) checks that have it; NaN where none has."""
    found = [v for look in looks[-(n or window()) :] if (v := getattr(look, name)) is not None]
    return median(found) if found else float("nan")


def smooth_distances(looks: Looks) -> list[float]:
    """The smoothed distances of the checks that have one."""
    return [look.smooth for look in looks if look.smooth is not None]


def sized(name: str, looks: Looks) -> float:
    """A threshold that stands for noise, at the last check's number of samples: it grows as a standard error does."""
    n = looks[-1].n if looks else None
    return limit(name) * max(1.0, math.sqrt(limit("enough") / n)) if n else limit(name)


def noise(looks: Looks) -> float:
    """What a fall of the distance must exceed: two standard errors of a check, or twice what the recent checks leave their medians."""
    d, smooth = [look.distance for look in looks if look.distance is not None], smooth_distances(looks)
    left = [abs(a - b) for a, b in zip(d, smooth, strict=True)][-recent(looks) :]
    return max(sized("move", looks), 2 * median(left)) if left else sized("move", looks)


def improving(looks: Looks) -> bool:
    """Whether the least distance of the recent checks is below all earlier ones by more than noise, and has not been lost again."""
    d, n = smooth_distances(looks), recent(looks)
    if len(d) <= n:
        return bool(d) and d[-1] < d[0] - sized("move", looks)
    best = min(d[:-n])
    return min(d[-n:]) < best - max(noise(looks), limit("gain") * best) and middle(looks, "smooth") < best


def lately(looks: Looks) -> list[float]:
    """The distances since half of the samples were seen: a stretch that grows with the run, in which it doubled."""
    return [look.distance for look in looks if look.distance is not None and 2 * look.samples >= looks[-1].samples]


def fall(looks: Looks) -> tuple[float, float] | None:
    """By how much the distance fell while the run doubled, with the standard error of that; None before there are checks enough."""
    d = lately(looks)
    if len(d) < limit("first"):
        return None
    earlier, later = d[: len(d) // 2], d[len(d) // 2 :]
    return mean(earlier) - mean(later), math.sqrt(variance(earlier) / len(earlier) + variance(later) / len(later))


def rests(looks: Looks) -> bool:
    """Whether the distance is known not to have fallen while the run doubled: its fall and that fall's standard error are no movement."""
    fell = fall(looks)
    return fell is not None and sum(fell) <= sized("move", looks)


def falls(looks: Looks) -> bool:
    """Whether the distance is known to have fallen while the run doubled, by two standard errors, if to no record."""
    fell = fall(looks)
    return fell is not None and fell[0] >= max(sized("move", looks), 2 * fell[1])


def hot(looks: Looks) -> bool:
    """Whether learning rates or the penalty still have far to fall: until then G swings widely around what it will reach."""
    return looks[-1].left > limit("left")


def fell_back(looks: Looks) -> bool:
    """Whether the distance is well above its own best and not near. Never while rates are high.

    At high rates a swing away from an early best is normal, and `far` has a higher limit there. Without this guard the default
    ring8 run is called broken for a third of its length: it comes near early, then swings, then ends near.
    """
    d = smooth_distances(looks)
    return bool(d) and not hot(looks) and d[-1] >= max(limit("still away"), min(d) + sized("lost", looks))
