"""The scores that `evaluate` returns: a list that prints as a table, as text and in a notebook."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from zerosum.measure import QUANTITIES
from zerosum.measure.by_class import ClassScore
from zerosum.measure.score import Score
from zerosum.report.text_table import columns, paragraph, text_table
from zerosum.report.words import BETTER, DIRECTIONS, REFERENCE

HEADS = ("measure", "value", "95 % interval", REFERENCE, "better", "samples")
NUMBERS = ("value", REFERENCE, "samples")


class Scores(list[Score]):
    """Scores in order; printed, a table with interval, reference score, direction and provenance of each, and what it means.

    classes: the scores within each class, of a conditional run; printed below.
    """

    def __init__(self, scores: Iterable[Score] = (), classes: Sequence[ClassScore] = ()) -> None:
        super().__init__(scores)
        self.classes = list(classes)

    def __repr__(self) -> str:
        text = table(self) if self else "no scores"
        return f"{text}\n\n{class_table(self.classes)}" if self.classes else text

    def _repr_html_(self) -> str:
        return html(self)


CLASS_HEADS = ("class", "read as it", "precision", "recall", "coverage", "held-out samples")


def class_table(classes: Sequence[ClassScore], width: int | None = None) -> str:
    """The scores within each class, one a line, and what they mean."""
    width = width or columns()
    rows = [(c.name, *map(_short, (c.right, c.precision, c.recall, c.coverage)), str(c.n_real)) for c in classes]
    notes = sorted({c.note for c in classes if c.note})
    meaning = "read as it: share of the samples of a class that the digit classifier reads as that class. The other scores compare the "
    meaning += f"samples of a class with held-out samples of the same class. {' '.join(f'-: {note}.' for note in notes)}"
    return f"{text_table(CLASS_HEADS, rows, CLASS_HEADS[1:], width)}\n\n{paragraph(meaning.strip(), '  ', '', width)}"


def cells(score: Score) -> tuple[str, ...]:
    """A score's cells, in the order of HEADS."""
    n = f"{score.n}/{score.n_real}" if score.n != score.n_real else str(score.n)
    interval = "none" if score.low is None else f"{_short(score.low)} to {_short(score.high)}"
    real = _short(score.floor) + ("" if score.floor_low is None else f" ({_short(score.floor_low)} to {_short(score.floor_high)})")
    return (score.name, _short(score.value), interval, real, BETTER[score.better], n)


def table(scores: Sequence[Score], hint: str = "", width: int | None = None) -> str:
    """The scores, one measure a line; below, what each means, details of the features, and why measures are missing, each sentence once.

    hint: a text after the details of the features. width: characters in a line; by default as many as fit.
    """
    width = width or columns()
    given = [s for s in scores if not s.refused]
    lines = [text_table(HEADS, [cells(s) for s in given], NUMBERS, width), ""] if given else []
    best = f"{REFERENCE}: what as many real samples score, with its 95 % interval; the best that a generator can reach."
    lines += [paragraph(best, "  ", "", width)]
    for s in given:
        lines.append(paragraph(f"{s.name}: {DIRECTIONS[s.better]}. {QUANTITIES[s.name].meaning}", "  ", "", width))
    lines += [paragraph(words, "  ", "", width) for words in features(given, hint)]
    lines += [paragraph(f"{names}: {why}", "  ", "", width) for names, why in refusals(scores)]
    return "\n".join(lines)


def features(scores: Sequence[Score], hint: str = "") -> list[str]:
    """In which features the measures were taken, a sentence for each kind. hint: at the end of those with details."""
    whose = {label: [s.name for s in scores if s.features == label] for label in dict.fromkeys(s.features for s in scores)}
    detailed = {label: f"{label} (generated/real){hint}" if " " in label else label for label in whose}
    if len(whose) == 1:
        return [f"features: {label}" for label in detailed.values()]
    return [f"features of {', '.join(names)}: {detailed[label]}" for label, names in whose.items()]


def refusals(scores: Sequence[Score]) -> list[tuple[str, str]]:
    """(names of measures, why they are missing), each reason once."""
    whose = {s.note: [t.name for t in scores if t.refused and t.note == s.note] for s in scores if s.refused}
    return [(", ".join(names), note) for note, names in whose.items()]


def html(scores: Sequence[Score]) -> str:
    """The same for a notebook."""
    head = "".join(f"<th style='text-align:left'>{escape(name)}</th>" for name in (*HEADS, "meaning"))
    body = "".join(
        "<tr>" + "".join(f"<td style='text-align:left'>{escape(cell)}</td>" for cell in (*cells(s), QUANTITIES[s.name].meaning)) + "</tr>"
        for s in scores
        if not s.refused
    )
    notes = [*features([s for s in scores if not s.refused]), *(f"{names}: {why}" for names, why in refusals(scores))]
    missing = "".join(f"<p>{escape(note)}</p>" for note in notes)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{missing}"


def _short(number: float | None) -> str:
    return "-" if number is None else f"{number:.4g}"
