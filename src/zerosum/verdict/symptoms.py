"""Signs: what may be seen in the checks, each a condition on one kind of number and the sentence that tells it.

A sign stands when it was seen at several checks in a row (`THRESHOLDS["several"]`, of which one may be missing): one odd check is noise.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from statistics import mean, median, pstdev
from typing import NamedTuple

from zerosum.verdict.thresholds import limit
from zerosum.verdict.trend import Looks, fell_back, hot, improving, middle, recent, rests, sized, smooth_distances, window


class Sign(NamedTuple):
    """seen: whether it is seen at the last of these checks; says: the sentence, numbers and all, for the checks where it stands."""

    seen: Callable[[Looks], bool]
    says: Callable[[Looks], str]


def percent(share: float, digits: int = 0) -> str:
    """A share as people write it: 40 %."""
    return f"{100 * share:.{digits}f} %"


def stands(sign: Sign, looks: Looks) -> bool:
    """Whether the sign was seen at the last check and at all but one of the last several."""
    n = window()
    if len(looks) < n:
        return False
    seen = [sign.seen(looks[: len(looks) - back]) for back in range(n)]
    return seen[0] and sum(seen) >= n - 1


def _below(name: str, threshold: str) -> Callable[[Looks], bool]:
    def seen(looks: Looks) -> bool:
        value = getattr(looks[-1], name)
        return value is not None and bool(value <= limit(threshold))

    return seen


def _above(name: str, threshold: str) -> Callable[[Looks], bool]:
    def seen(looks: Looks) -> bool:
        value = getattr(looks[-1], name)
        return value is not None and bool(value >= limit(threshold))

    return seen


def _only_a_part(looks: Looks) -> bool:
    last = looks[-1]
    return last.cover is not None and last.precise is not None and last.cover <= limit("part") <= last.precise


def _fell(looks: Looks) -> bool:
    covers = [look.cover for look in looks if look.cover is not None]
    if len(covers) < window() or looks[-1].cover is None:
        return False
    best = max(median(covers[i : i + 3]) for i in range(len(covers) - 2))
    return best >= 0.3 and looks[-1].cover <= limit("part") * best


def strongest(looks: Looks) -> float:
    """The largest median of three of G's gradient norms in a row, over the first half of the checks; NaN where there are none."""
    norms = [look.grad_g for look in looks[: max(3, len(looks) // 2)] if look.grad_g is not None]
    return max((median(norms[i : i + 3]) for i in range(max(1, len(norms) - 2))), default=float("nan")) if norms else float("nan")


def _vanished(looks: Looks) -> bool:
    now = looks[-1].grad_g
    return now is not None and now <= limit("vanished") * strongest(looks)


def _wanders(looks: Looks) -> bool:
    """At this check, or on the mean of many: a G in wide circles stands still at their far ends."""
    drifts = [look.drift or 0.0 for look in looks[-2 * window() :]]
    return drifts[-1] >= limit("drift") or (len(drifts) == 2 * window() and mean(drifts) >= limit("drift"))


def _says_vanished(looks: Looks) -> str:
    most = strongest(looks)
    return f"G's gradient is {percent(middle(looks, 'grad_g') / most, 1)} of what it was at its strongest" if most else "G has no gradient"


def _jumps(looks: Looks) -> bool:
    d = [look.distance for look in looks[-recent(looks) :] if look.distance is not None]
    steps = [later - earlier for earlier, later in pairwise(d)]
    return len(steps) >= 3 and pstdev(steps) >= sized("jumps", looks)


def _turns(looks: Looks) -> bool:
    """Whether the distance goes up and down by more than noise, again and again."""
    d = [look.distance for look in looks[-recent(looks) :] if look.distance is not None]
    big = [s for s in (b - a for a, b in pairwise(d)) if abs(s) > sized("move", looks)]
    return len(big) >= 3 and sum(a * b < 0 for a, b in pairwise(big)) >= len(big) // 2


def _knows(looks: Looks) -> bool:
    gap, error = looks[-1].gap, looks[-1].gap_error
    return gap is not None and error is not None and gap >= max(limit("knows"), 3 * error)


def _by_heart(looks: Looks) -> bool:
    """Knowing its reals that well D tells G of little else; while the fakes are good, so that no D tells them, that harms nobody.

    D itself is asked as well: where a few dozen reals are held out, the distance sees little.
    """
    gap, d, told = looks[-1].gap, looks[-1].distance, looks[-1].told
    bad = (d is not None and d > limit("near")) or (told is not None and told >= limit("tells some"))
    return gap is not None and gap >= limit("by heart") and bad


def _worse(looks: Looks) -> bool:
    d = smooth_distances(looks)
    return len(d) > window() and d[-1] >= min(d) + sized("worse", looks)


def near(looks: Looks) -> bool:
    """Whether G itself reaches the reals, where its average does not: it only lags behind, and comes after."""
    cover, average = looks[-1].cover, looks[-1].cover_average
    return cover is not None and cover >= limit("G reaches") and (average is None or cover > average + limit("ahead"))


def _tells_little(looks: Looks) -> bool:
    told, auc, fresh = looks[-1].told, looks[-1].auc, looks[-1].fresh
    if told is None or auc is None:
        return False
    return told <= max(limit("tells little"), limit("a part") * (fresh or 0.0)) or auc <= limit("fooled")


def _fresh(looks: Looks) -> bool:
    """A fresh D is asked about the average's fakes and D about G's own: the two are at odds where the average lags behind a good G.

    And a fresh D by nearest neighbours sees thin lines and narrow modes before a net can: no D is blind while the distance is not far.
    """
    fresh = looks[-1].fresh
    return fresh is not None and fresh >= limit("fresh") and _away(looks) and not near(looks)


def _away(looks: Looks) -> bool:
    """Whether the last check is far by itself: at a fine scale beyond doubt, or less so, at rest, and at a coarse one too."""
    d, coarse = looks[-1].distance, looks[-1].missing_average
    if d is None:
        return False
    if hot(looks):
        return d >= limit("far while hot")
    if looks[-1].images:  # In so many dimensions a fair fake lies further from its nearest real.
        return d >= limit("far on images")
    return d >= limit("far") or (d >= limit("far at both scales") and coarse is not None and coarse >= limit("coarse") and rests(looks))


def _not_near(looks: Looks) -> bool:
    d = looks[-1].distance
    return far(looks) if hot(looks) else d is not None and d > limit("near")


def far(looks: Looks) -> bool:
    """Whether the last check is far from the data: by itself, or beside the first one, that of the untrained G, or beside its best.

    The distance is that of G's average.
    """
    d = looks[-1].distance
    began = next((look.distance for look in looks if look.distance is not None), 1.0)
    if d is None or near(looks):
        return False
    moved = sized("move", looks) - limit("move")  # Of few samples the distance is as noisy at the start as now.
    return _away(looks) or d >= max(limit("still away"), limit("as it began") * began + moved) or fell_back(looks)


def _still(looks: Looks) -> bool:
    return middle(looks, "drift") <= limit("still")


def _moved(looks: Looks) -> bool:
    """Whether G has ever moved: one that stands where it was made has lost nothing."""
    return any(look.drift is not None and look.drift > limit("still") for look in looks)


def _modes(looks: Looks) -> str:
    last = looks[-1].modes
    return f"; {last[0]} of the {last[1]} modes are reached" if last is not None else ""


_missing = _above("missing", "missing")


def _says_missing(looks: Looks) -> str:
    return f"{percent(middle(looks, 'missing'))} of the fakes are in the wrong parts of the data, beyond what chance makes" + _modes(looks)


SIGNS: dict[str, Sign] = {
    "burst": Sign(_above("diversity", "burst"), lambda s: f"fakes lie {s[-1].diversity:.3g} times as far apart as reals"),
    "off the data": Sign(
        lambda s: s[-1].precise is not None and s[-1].precise < 0.1, lambda s: f"{percent(s[-1].precise or 0)} of fakes lie where reals do"
    ),
    "narrow": Sign(
        _below("diversity", "diversity"), lambda s: f"two fakes lie on average {middle(s, 'diversity'):.2f} times as far apart as two reals"
    ),
    "missing": Sign(_missing, _says_missing),
    "parts lost": Sign(lambda s: _missing(s) and _moved(s), _says_missing),
    "only a part": Sign(
        _only_a_part,
        lambda s: (
            f"{percent(middle(s, 'precise'))} of fakes lie where reals do, but they reach {percent(middle(s, 'cover'))} of the reals"
            " (100 % is what real samples would get)"
        ),
    ),
    "fell": Sign(_fell, lambda s: f"G reaches {percent(middle(s, 'cover'))} of the reals, less than half of what it once reached"),
    "D tells little": Sign(
        _tells_little,
        lambda s: f"D scores a real above a fake in {percent(middle(s, 'auc'))} of pairs (50 % is guessing)",
    ),
    "a fresh D tells": Sign(
        _fresh,
        lambda s: f"a fresh D tells {middle(s, 'fresh'):.2f} nats between the same samples (0 at best, at most 0.69)",
    ),
    "D is sure": Sign(_above("auc", "wins"), lambda s: f"D scores a held-out real above a fake in {percent(middle(s, 'auc'), 1)} of pairs"),
    "D tells all": Sign(_above("told", "tells all"), lambda s: f"D tells {middle(s, 'told'):.2f} of at most 0.69 nats"),
    "G's gradient": Sign(_vanished, _says_vanished),
    "G stands": Sign(
        _still, lambda s: f"what G makes does not move: {percent(middle(s, 'drift'), 1)} of its samples change place from check to check"
    ),
    "G wanders": Sign(_wanders, lambda s: f"{percent(middle(s, 'drift'))} of G's samples change place from check to check"),
    "G leaves its average": Sign(
        _above("apart", "apart"), lambda s: f"{percent(middle(s, 'apart'))} of G's samples lie where its average has none"
    ),
    "jumps": Sign(_jumps, lambda s: "the distance from the data jumps from check to check"),
    "turns": Sign(_turns, lambda s: "the distance from the data goes down and up again"),
    "D knows its reals": Sign(
        _knows, lambda s: f"D scores a training real above a held-out one in {percent(0.5 + middle(s, 'gap'))} of pairs (50 % is fair)"
    ),
    "by heart": Sign(
        _by_heart,
        lambda s: (
            f"the distance from held-out reals is {middle(s, 'distance'):.2f} (0 is the floor, 1 the far end), and D scores one"
            f" above a fake in {percent(middle(s, 'auc'))} of pairs"
        ),
    ),
    "D is sure of training reals": Sign(
        _above("r_t", "heuristic r_t"), lambda s: f"r_t, the mean sign of D on training reals, is {middle(s, 'r_t'):.2f}"
    ),
    "worse than it was": Sign(
        _worse,
        lambda s: f"the distance from held-out reals is {smooth_distances(s)[-1]:.2f}, and was {min(smooth_distances(s)):.2f} at its best",
    ),
    "near training items": Sign(
        _below("held_out", "held out"),
        lambda s: f"fakes are nearest to a held-out real {percent(middle(s, 'held_out'))} as often as they should be (100 %: no copies)",
    ),
    "copies": Sign(
        _above("copies", "copies"),
        lambda s: f"{percent(middle(s, 'copies'))} of fakes are nearer to a training item than that item's own neighbour is",
    ),
    "far": Sign(far, lambda s: f"the distance from held-out reals is {middle(s, 'distance'):.2f} (0 is the floor, 1 the far end)"),
    "not near": Sign(
        _not_near,
        lambda s: f"the distance from held-out reals is {middle(s, 'distance'):.2f} (0 is the floor, 1 the far end)",
    ),
    "does not move": Sign(
        lambda s: len(s) > recent(s) and not improving(s), lambda s: f"it has not come nearer over the last {recent(s)} checks"
    ),
}
