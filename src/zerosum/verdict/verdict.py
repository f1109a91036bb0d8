"""Record rows -> a verdict: one named state, since when, the evidence, what to do, how sure; and the history of every check."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from zerosum.verdict.advice import advice
from zerosum.verdict.check_view import Look, Row, looks
from zerosum.verdict.diagnoses import EARLY, IMPROVING, SETTLED, STATES, TROUBLES, State
from zerosum.verdict.symptoms import SIGNS, far, percent, stands
from zerosum.verdict.thresholds import limit
from zerosum.verdict.trend import Looks, falls, hot, improving, recent, rests, smooth_distances, window


@dataclass(frozen=True)
class Verdict:
    """state: a name of STATES. since: samples seen when it began, None where nothing is said yet. meaning: the state in a sentence.

    evidence: sentences with numbers. advice: what to change. confidence: low, medium or high. others: further troubles that hold, in order
    of precedence. trouble: whether something should be done. history: round, samples, state and distance at every check.
    """

    state: str
    since: int | None
    meaning: str
    evidence: list[str]
    advice: str
    confidence: str
    others: list[str]
    trouble: bool
    history: list[dict[str, Any]]

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @property
    def paragraph(self) -> str:
        """The whole in a few sentences."""
        since = f" since {self.since:,} samples" if self.since else ""
        shown = f" Seen: {'; '.join(self.evidence)}." if self.evidence else ""
        others = f" Also: {', '.join(self.others)}." if self.others else ""
        name = self.state[0].upper() + self.state[1:]
        return f"{name}{since} (confidence {self.confidence}). {self.meaning}{shown}{others} {self.advice}".rstrip()

    @property
    def line(self) -> str:
        """The state and the first of the evidence, for a line of a display."""
        return self.state + (f": {self.evidence[0]}" if self.evidence else "")


def verdict(rows: Sequence[Row], config: Mapping[str, Any] | None = None) -> Verdict:
    """The verdict on a run from its record's rows alone, whole or so far.

    config: the run's knobs as in run.json, so that the advice can name present values.
    """
    seen = looks(rows)
    named = [troubles(seen[: i + 1]) for i in range(len(seen))]
    states = [found[0] if found else quiet(seen[: i + 1]) for i, found in enumerate(named)]
    history = [
        {"round": look.round, "samples": look.samples, "state": state.name, "distance": look.distance}
        for look, state in zip(seen, states, strict=True)
    ]
    stop = next((row for row in reversed(rows) if row.get("type") in ("stop", "start")), None)
    if stop is not None and stop.get("reason") == "not finite":
        return _burst(stop, config, history)
    if not seen:
        return Verdict(EARLY.name, None, EARLY.meaning, ["no check is recorded yet"], "", "low", [], False, [])
    state = states[-1]
    stretch = _stretch([s.name for s in states])
    return Verdict(
        state.name,
        _since(seen, state, stretch),
        state.meaning,
        evidence(state, seen),
        advice(state, config),
        _confidence(state, seen, stretch),
        [other.name for other in named[-1][1:]],
        state.trouble,
        history,
    )


def settled(rows: Sequence[Row]) -> bool:
    """Whether a run has been settled for so many checks that it may stop (--until-settled)."""
    seen = looks(rows)
    n = int(limit("settled"))
    if len(seen) < n:
        return False
    return all(not troubles(part) and quiet(part) is SETTLED for part in (seen[: len(seen) - back] for back in range(n)))


def holds(state: State, seen: Looks) -> bool:
    """Whether a trouble's signs stand at the last of these checks."""
    if state.unless_improving and improving(seen):
        return False
    if not all(stands(SIGNS[name], seen) for name in state.needs):
        return False
    return not state.some or any(stands(SIGNS[name], seen) for name in state.some)


def troubles(seen: Looks) -> list[State]:
    """The troubles that hold at the last of these checks, in order of precedence."""
    if not seen:
        return []
    if sum(not look.finite for look in seen[-window() :]) >= 2:
        return [STATES["diverged"]]
    found = [state for state in TROUBLES if len(seen) >= limit("first") and holds(state, seen)]
    return [state for state in found if not state.alone or len(found) == 1]


def quiet(seen: Looks) -> State:
    """The state of a run that is in no trouble."""
    d = smooth_distances(seen)
    if len(d) < limit("several"):
        return EARLY
    if improving(seen):
        return IMPROVING
    if not hot(seen) and rests(seen) and not far(seen) and d[-1] < min(d) + limit("lost"):
        return SETTLED
    # Near the floor a check of a few hundred samples sees little of what is gained still.
    return IMPROVING if d[-1] <= limit("near") or falls(seen) else EARLY


def evidence(state: State, seen: Looks) -> list[str]:
    """What is seen of the state, in sentences; of a run in no trouble, how far it is and how it got there."""
    if state.trouble:
        names = dict.fromkeys([*state.needs, *state.some, *state.told])
        found = [SIGNS[name].says(seen) for name in names if stands(SIGNS[name], seen)]
        return found or [
            f"{sum(not look.finite for look in seen[-window() :])} of the last {window()} checks found numbers that are not finite"
        ]
    d = smooth_distances(seen)
    if not d:
        return ["the data are too few to compare with"]
    best = f", and {min(d):.2f} at its best" if d[-1] >= min(d) + limit("worse") else ""
    said = [f"the distance from held-out reals is {d[-1]:.2f} (0 is the floor, 1 the far end), and was {d[0]:.2f} at the first check{best}"]
    last = seen[-1]
    if last.cover_average is not None:
        said.append(f"G's average reaches {percent(last.cover_average)} of the reals (100 % is what real samples would get)")
        if last.cover is not None and last.cover > last.cover_average + limit("lags"):
            said.append(f"G itself reaches {percent(last.cover)}: its average lags behind, as it does while G takes large steps")
    if last.modes is not None:
        said.append(f"{last.modes[0]} of {last.modes[1]} modes are reached")
    if last.left > limit("left"):
        said.append(f"{percent(last.left)} of the fall of learning rates or penalty is to come, and what that brings is seen as it comes")
    return said


def _burst(stop: Row, config: Mapping[str, Any] | None, history: list[dict[str, Any]]) -> Verdict:
    state = STATES["diverged"]
    what = str(stop.get("message") or "a number was not finite")
    return Verdict(state.name, stop.get("samples"), state.meaning, [what], advice(state, config), "high", [], True, history)


def _stretch(names: Sequence[str]) -> int:
    """How many checks the last state has stood without a break of more than one check."""
    n, last = 1, names[-1]
    for i in range(len(names) - 2, -1, -1):
        if names[i] == last or (i > 0 and names[i - 1] == last and names[i] != last):
            n += 1
        else:
            break
    return n


def _since(seen: Looks, state: State, stretch: int) -> int:
    """Samples seen when the state began: a trouble was there for several checks before it could be named."""
    before = window() - 1 if state.trouble else 0
    return seen[max(0, len(seen) - stretch - before)].samples


def _confidence(state: State, seen: Looks, stretch: int) -> str:
    if state.name == EARLY.name:
        return "low"
    if not state.trouble:
        return "high" if stretch >= recent(seen) else "medium"
    signs = sum(stands(SIGNS[name], seen) for name in dict.fromkeys([*state.needs, *state.some, *state.told]))
    return "high" if signs >= 3 and stretch >= window() else "medium" if signs >= 3 or stretch >= window() else "low"


__all__ = ["Look", "Verdict", "settled", "verdict"]
