"""A record's rows -> a verdict: one diagnosis, since when, the evidence, what to do, how sure; and the diagnosis at every check."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from html import escape
from typing import Any

from zerosum.verdict.advice import advice
from zerosum.verdict.check_view import CheckView, Row, check_views, number
from zerosum.verdict.conditions import far
from zerosum.verdict.diagnoses import CONVERGED, DIAGNOSES, EARLY, IMPROVING, PLATEAUED, TROUBLES, Diagnosis
from zerosum.verdict.symptoms import SYMPTOMS, how_far, percent, present
from zerosum.verdict.thresholds import limit
from zerosum.verdict.trend import CheckViews, as_good_as_real, before_decay, falls, flat, hot, improving, recent, smoothed_distances, window

DISTANCES = ("noise_share", "frechet_corrected")
"""Scores whose value for real samples is 0, so that the low end of an interval can be compared with it."""

SHARES = ("precision", "recall", "coverage")
"""Scores that are higher the better, and at most what real samples get."""


@dataclass(frozen=True)
class Verdict:
    """How a run is going.

    state: the name of a diagnosis, a key of DIAGNOSES. since: samples seen when it began, None before the first check. meaning: the
    diagnosis in a sentence. evidence: sentences with numbers. advice: what to change. confidence: low, medium or high. others: further
    troubles, in order of precedence. trouble: whether the user should do something. history: round, samples, state and distance of every
    check.
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
        """Plain values for `json.dumps`."""
        return asdict(self)

    @property
    def paragraph(self) -> str:
        """The verdict in a few sentences."""
        since = f" since {self.since:,} samples" if self.since else ""
        shown = "".join(f" {sentence[0].upper()}{sentence[1:].rstrip('.')}." for sentence in self.evidence)
        others = f" Also: {', '.join(self.others)}." if self.others else ""
        name = self.state[0].upper() + self.state[1:]
        return f"{name}{since} (confidence: {self.confidence}). {self.meaning}{shown}{others} {self.advice}".rstrip()

    def _repr_html_(self) -> str:
        evidence = "".join(f"<li>{escape(sentence)}</li>" for sentence in self.evidence)
        since = f" since {self.since:,} samples" if self.since else ""
        also = f"<p>Also: {escape(', '.join(self.others))}.</p>" if self.others else ""
        told = f"<p><b>{escape(self.state)}</b>{since} (confidence: {escape(self.confidence)}). {escape(self.meaning)}</p>"
        return f"{told}<ul>{evidence}</ul>{also}<p>{escape(self.advice)}</p>"

    @property
    def line(self) -> str:
        """The state and the first of the evidence, for a line of a display."""
        return self.state + (f": {self.evidence[0]}" if self.evidence else "")


def verdict(rows: Sequence[Row], config: Mapping[str, Any] | None = None) -> Verdict:
    """Judge a run by its record's rows alone, finished or not.

    config: the run's options as in run.json, with which the advice can name present values.
    """
    views = check_views(rows)
    named = [troubles(views[: i + 1]) for i in range(len(views))]
    diagnoses = [found[0] if found else without_trouble(views[: i + 1]) for i, found in enumerate(named)]
    history = [
        {"round": view.round, "samples": view.samples, "state": diagnosis.name, "distance": view.distance}
        for view, diagnosis in zip(views, diagnoses, strict=True)
    ]
    stop = next((row for row in reversed(rows) if row.get("type") in ("stop", "start")), None)
    if stop is not None and stop.get("reason") == "not finite":
        return _not_finite(stop, config, history)
    if not views:
        return Verdict(EARLY.name, None, EARLY.meaning, ["no check is recorded yet"], "", "low", [], False, [])
    diagnosis = diagnoses[-1]
    if not diagnosis.trouble and views[-1].images and scored_as_real(rows):
        diagnosis = CONVERGED
        history[-1]["state"] = CONVERGED.name
        diagnoses[-1] = CONVERGED
    stretch = _stretch([d.name for d in diagnoses])
    return Verdict(
        diagnosis.name,
        _since(views, diagnosis, stretch),
        diagnosis.meaning,
        evidence(diagnosis, views),
        advice(diagnosis, config),
        _confidence(diagnosis, views, stretch),
        [other.name for other in named[-1][1:]],
        diagnosis.trouble,
        history,
    )


def plateaued(rows: Sequence[Row]) -> bool:
    """Whether a run has plateaued for so many checks that it may stop, or begin its decay (`--until-plateau`)."""
    views = check_views(rows)
    n = int(limit("plateau checks"))
    if len(views) < n:
        return False
    return all(_no_longer_improves(views[: len(views) - back]) for back in range(n))


def _no_longer_improves(views: CheckViews) -> bool:
    if troubles(views):
        return False
    if before_decay(views):  # How far it is there says little of how near the decay will bring it.
        return not improving(views)
    return without_trouble(views) in (PLATEAUED, CONVERGED)


def scored_as_real(rows: Sequence[Row]) -> bool:
    """Whether the scores at a run's end say that its samples are within noise of real ones. A check of a few hundred images cannot.

    The interval of each distance (`DISTANCES`) must reach down to its reference score, and that of each share (`SHARES`), twice as wide
    since the reference score varies as well, up to it. False without scores.
    """
    last = next((row for row in reversed(rows) if row.get("type") in ("score", "check")), {})
    scores = [row for row in rows if row.get("type") == "score" and row.get("samples") == last.get("samples")]
    found = [_as_real(row) for row in scores if row.get("name") in (*DISTANCES, *SHARES)]
    return bool(found) and all(found)


def _as_real(row: Row) -> bool:
    value, low, high, floor = (number(row, name) for name in ("value", "low", "high", "floor"))
    if value is None or low is None or high is None or floor is None:
        return False
    return low <= max(0.0, floor) if row.get("name") in DISTANCES else value + 2 * (high - value) >= floor


def applies(diagnosis: Diagnosis, views: CheckViews) -> bool:
    """Whether a trouble's symptoms are present at the last of these checks."""
    if diagnosis.instead and all(present(SYMPTOMS[name], views) for name in diagnosis.instead):
        return True
    if diagnosis.unless_improving and (improving(views) or falls(views)):
        return False
    if not all(present(SYMPTOMS[name], views) for name in diagnosis.needs):
        return False
    return not diagnosis.some or any(present(SYMPTOMS[name], views) for name in diagnosis.some)


def _count_not_finite(views: CheckViews) -> int:
    return sum(not view.finite for view in views[-window() :])


def troubles(views: CheckViews) -> list[Diagnosis]:
    """The troubles at the last of these checks and at the one before it, in order of precedence: one check alone names none."""
    if not views:
        return []
    if _count_not_finite(views) >= 2:
        return [DIAGNOSES["diverged"]]
    if len(views) < limit("checks before a trouble"):
        return []
    found = [trouble for trouble in TROUBLES if applies(trouble, views) and applies(trouble, views[:-1])]
    return [trouble for trouble in found if not trouble.alone or len(found) == 1]


def without_trouble(views: CheckViews) -> Diagnosis:
    """The diagnosis of a run that is in no trouble."""
    d = smoothed_distances(views)
    if len(d) < limit("checks in a row"):
        return EARLY
    if not hot(views) and as_good_as_real(views) and not views[-1].images:
        return CONVERGED
    if improving(views):
        return IMPROVING
    if not hot(views) and flat(views) and not far(views) and d[-1] < min(d) + limit("above best"):
        return PLATEAUED
    # Near 0 a check of a few hundred samples hardly shows what is still gained.
    return IMPROVING if d[-1] <= limit("near") or falls(views) else EARLY


def symptom_names(diagnosis: Diagnosis) -> list[str]:
    """The symptoms that a diagnosis mentions, each once, in order."""
    return list(dict.fromkeys([*diagnosis.needs, *diagnosis.instead, *diagnosis.some, *diagnosis.also]))


def evidence(diagnosis: Diagnosis, views: CheckViews) -> list[str]:
    """What supports the diagnosis, in sentences; for a run in no trouble, how far it is from the data and how it got there."""
    if not diagnosis.trouble:
        return _progress(views)
    names = [name for name in symptom_names(diagnosis) if present(SYMPTOMS[name], views)]
    if "worse than its best" in names and "far" in names:
        names.remove("far")  # Both sentences say the distance; the other one says its best as well.
    return list(dict.fromkeys(SYMPTOMS[name].says(views) for name in names)) or [
        f"{_count_not_finite(views)} of the last {window()} checks found numbers that are not finite"
    ]


def _progress(views: CheckViews) -> list[str]:
    d, last = smoothed_distances(views), views[-1]
    if not d:
        return ["there are too few samples to compare with"]
    best = f", and {min(d):.2f} at its best" if d[-1] >= min(d) + limit("worse than its best") else ""
    said = [f"{how_far(views, d[-1])}; at the first check it was {d[0]:.2f}{best}"]
    if last.ema_coverage is not None:
        said.append(f"the averaged generator's coverage is {percent(last.ema_coverage)} of that of real samples (higher is better)")
        if last.coverage is not None and last.coverage > last.ema_coverage + limit("EMA lags"):
            said.append(f"G itself scores {percent(last.coverage)}: the average lags while learning rates are high")
    if last.modes is not None:
        said.append(f"modes reached: {last.modes[0]} of {last.modes[1]}")
    if last.decay_left > limit("decay left"):
        said.append(f"{percent(last.decay_left)} of the decay of learning rates or penalty is still to come, and may bring more")
    return said


def _not_finite(stop: Row, config: Mapping[str, Any] | None, history: list[dict[str, Any]]) -> Verdict:
    diagnosis = DIAGNOSES["diverged"]
    what = str(stop.get("message") or "a number was not finite")
    return Verdict(diagnosis.name, stop.get("samples"), diagnosis.meaning, [what], advice(diagnosis, config), "high", [], True, history)


def _stretch(names: Sequence[str]) -> int:
    """For how many checks the last state has lasted, breaks of single checks allowed."""
    n, last = 1, names[-1]
    for i in range(len(names) - 2, -1, -1):
        if names[i] == last or (i > 0 and names[i - 1] == last and names[i] != last):
            n += 1
        else:
            break
    return n


def _since(views: CheckViews, diagnosis: Diagnosis, stretch: int) -> int:
    """Samples seen when the state began: a trouble was there for several checks before it could be named."""
    before = window() - 1 if diagnosis.trouble else 0
    return views[max(0, len(views) - stretch - before)].samples


def _confidence(diagnosis: Diagnosis, views: CheckViews, stretch: int) -> str:
    if diagnosis.name == EARLY.name:
        return "low"
    if not diagnosis.trouble:
        return "high" if stretch >= recent(views) else "medium"
    n = sum(present(SYMPTOMS[name], views) for name in symptom_names(diagnosis))
    return "high" if n >= 3 and stretch >= window() else "medium" if n >= 3 or stretch >= window() else "low"


__all__ = ["CheckView", "Verdict", "plateaued", "verdict"]
