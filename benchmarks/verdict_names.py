"""Which names a recorded run deserves, by the facts of verdict_truth.py alone.

A name is a condition on facts, each above or below a line. Lines are drawn by hand, and a run may lie on one by a hair: every condition is
asked with its lines moved by `slack` either way. A run is *broken* if it deserves a name with all lines a quarter further out, *sound* if
it deserves none with all a quarter further in, and *border* between the two: it counts neither way, and is counted.
"""

from __future__ import annotations

import math
from statistics import mean, median
from typing import Any

SLACK = 1.25
LATE = 4  # looks over which a number of a moment is taken as a median

Facts = dict[str, Any]
Series = list[Facts]


def names(series: Series, slack: float = 1.0) -> list[str]:
    """The names that the last of these looks deserves, [] for a run that is not harmed. Each is judged by itself: any of them is right.

    slack: by how much every line is moved outwards; below 1 a name is deserved more easily.
    """
    found = ["diverged"] if not series[-1]["finite"] or series[-1]["burst"] > 30 * slack else []
    if "jsd" not in series[-1]:
        return found
    whole = [f for f in series if "jsd" in f]
    f = {name: _late(whole, name) for name in whole[-1]}
    if f["gap"] > 0.1 * slack and f["jsd_G"] > 0.08 * slack:
        found.append("discriminator overfitting")
    if (f.get("memory_held_out") or 1.0) < 0.6 / slack and (f.get("memory_copies") or 0.0) > 0.6 * slack:
        found.append("memorisation")
    # What comes nearer is in no other trouble.
    return found if nearer([g["jsd"] for g in whole], slack) else found + _stuck(whole, f, slack)


def _stuck(whole: Series, f: Facts, slack: float) -> list[str]:
    """The names of a run that does not come nearer."""
    found: list[str] = []
    # A few kinds: fakes close together, or many of them where reals are.
    few = f["spread"] < 0.5 / slack or (f["kinds"] < 0.4 / slack and f["likely"] > 0.3 * slack)
    if f["lost"] > 0.4 * slack and f["jsd_G"] > 0.15 * slack and f["jsd"] > 0.1 * slack and few:
        found.append("mode collapse")
    # Samples are the average's: what G does while its average is good harms nobody.
    fooled = 0.5 + (0.25 if f["jsd_G"] > 0.25 else 0.1) / slack
    if f["jsd_G"] > 0.15 * slack and f["jsd"] > 0.08 * slack and (f["own"] < 0.2 * f["jsd_G"] / slack or f["auc"] < fooled):
        found.append("weak discriminator")
    if 1 - f["auc"] < 0.03 / slack and f["jsd"] > 0.25 * slack:
        found.append("vanishing gradients")
    # A run in circles comes near at times: its mean counts, not its median.
    wander, swings = (mean(g[name] or 0.0 for g in whole[-LATE:]) for name in ("wander", "jsd_G"))
    if swings > 0.15 * slack and f["jsd"] > 0.08 * slack and wander > 0.3 * slack:
        found.append("oscillation")
    if away(f["jsd"], whole[0]["jsd"], slack):
        found.append("stalled")
    return found


def away(d: float, began: float, slack: float = 1.0) -> bool:
    """Whether a run at JSD d is far from the data: by itself, or beside where it began."""
    return d > 0.2 * slack or d > slack * max(0.08, 0.6 * began)


def nearer(d: list[float], slack: float = 1.0) -> bool:
    """Whether the last third of the looks came nearer than any before, by more than noise and a tenth of the way.

    Of three looks in a row the middle one counts, so that a run in circles does not come nearer by luck.
    """
    smooth = [median(d[max(0, i - 2) : i + 1]) for i in range(len(d))]
    n = max(LATE, len(d) // 3)
    best = min(smooth[:-n]) if len(d) > n else d[0]
    return min(smooth[-n:] if len(d) > n else smooth[-1:]) < best - max(0.02, 0.1 * best) / slack


def _late(series: Series, name: str) -> float:
    found = [v for f in series[-LATE:] if (v := f.get(name)) is not None]
    return median(found) if found else 0.0


# -- a recorded run ---------------------------------------------------------------------------------------------------------


def deserved(truth: dict[str, Any], slack: float = 1.0) -> list[str]:
    """The names that a recorded run deserves at its end."""
    return ["diverged"] if truth["reason"] == "not finite" else names(truth["series"], slack)


def deserved_then(series: Series, samples: int, slack: float = 1.0) -> list[str]:
    """The names that the run deserved when it had seen so many samples, by the looks so far."""
    return names([f for f in series if f["samples"] <= samples], slack)


def began(series: Series, name: str) -> int:
    """Samples seen when the run came to deserve the name that it has at its end: it may have lost it for one look, no longer.

    It stalled when it was as near as it ever came, or went away from there.
    """
    d = [f.get("jsd", math.log(2)) for f in series]
    if name == "stalled":
        stands = [away(x, d[0]) and min(d[: i + 1]) < min(d) + 0.02 for i, x in enumerate(d)]
    else:
        stands = [name in names(series[: i + 1]) for i in range(len(series))]
    first = len(stands) - 1
    while first > 0 and (stands[first - 1] or (first > 1 and stands[first - 2])):
        first -= 1
    return int(series[first]["samples"])


def harmed(series: Series) -> bool:
    """Whether the run deserved a name at any time: at two looks in a row, once a sixth of it was over."""
    stands = [bool(names(series[: i + 1])) for i in range(len(series))]
    late = [i for i in range(1, len(series)) if series[i]["samples"] * 6 > series[-1]["samples"]]
    return any(stands[i] and stands[i - 1] for i in late)


def kind(truth: dict[str, Any]) -> str:
    """broken, border, recovered (harmed on its way, and no longer) or healthy."""
    if deserved(truth, SLACK):
        return "broken"
    if deserved(truth, 1 / SLACK):
        return "border"
    return "recovered" if harmed(truth["series"]) else "healthy"
