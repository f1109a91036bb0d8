"""Reference scores: what real samples score in the generated ones' place. A score says little without it.

A perfect generator gets the reference score, not 0 or 1: with finitely many samples even equal distributions look different.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch

from zerosum.chance import generator
from zerosum.errors import Refusal
from zerosum.measure import Measure
from zerosum.measure.inputs import MeasureInputs, SampleSet
from zerosum.measure.score import Reading


@dataclass(frozen=True)
class _Reference:
    """Real samples against real samples, for the reference score.

    inputs: what to measure. scale: (1/n + 1/m) of the evaluation over that of these sizes. note: which samples were used.
    """

    inputs: MeasureInputs
    scale: float
    note: str


def reference_scores(measure: Measure, sets: MeasureInputs) -> tuple[dict[str, Reading], str]:
    """Each reading's reference score with its interval, by name, and which samples it is from.

    In order of preference: training samples for measures that search the training set, spare real samples, two parts of the real ones.
    No scores where there are too few real samples.
    """
    try:
        reference = (
            _train_reference(sets, measure.limit)
            if sets.train is not None and "train" in measure.needs
            else _spare_reference(sets)
            if sets.spare
            else _split_reference(sets)
        )
        readings = [r for r in measure.function(reference.inputs) if isinstance(r, Reading)]
    except Refusal:
        return {}, "too few real samples for a reference score"
    return {r.name: _scaled(r, reference.scale if measure.shrinks else 1.0) for r in readings}, reference.note


def _scaled(reading: Reading, factor: float) -> Reading:
    low, high = (end if end is None else end * factor for end in (reading.low, reading.high))
    return replace(reading, value=reading.value * factor, low=low, high=high)


def _spare_reference(sets: MeasureInputs) -> _Reference:
    """Other real samples, as many as there are generated ones, in the generated ones' place."""
    assert sets.spare is not None
    n, m = len(sets.fake), len(sets.real)
    stand_in = sets.spare.first(n, sets.seed, "floor")
    k = len(stand_in)
    note = f"reference score from {k} other real samples"
    return _Reference(sets.swapped(stand_in, sets.real), (1 / n + 1 / m) / (1 / k + 1 / m), note)


def _train_reference(sets: MeasureInputs, most: int | None) -> _Reference:
    """At most `most` training samples in the generated ones' place, taken out of the set: what a new draw of p_data would score."""
    assert sets.train is not None
    total = len(sets.train)
    k = min(len(sets.fake), total // 4, most or total)
    order = torch.randperm(total, generator=generator(sets.seed, "floor: out of the training set"))
    taken = sets.train[order[:k]]
    swapped = sets.swapped(SampleSet(taken.flatten(1), taken), sets.real)
    return _Reference(
        replace(swapped, train=sets.train[order[k:]]), 1.0, f"reference score from {k} training samples against the other {total - k}"
    )


def _split_reference(sets: MeasureInputs) -> _Reference:
    """The real samples divided in two, in the proportion of generated to real ones; one part takes the generated ones' place.

    To first order a plug-in distance between equal distributions is proportional to 1/n + 1/m, which rescales it to the full sizes.
    """
    n, m = len(sets.fake), len(sets.real)
    k = round(m * n / (n + m))
    if k < 1 or k >= m:
        raise Refusal("There are too few real samples to divide in two.")
    order = torch.randperm(m, generator=generator(sets.seed, "floor: halves"))
    halves = sets.swapped(sets.real.take(order[:k]), sets.real.take(order[k:]))
    return _Reference(
        halves, (1 / n + 1 / m) / (1 / k + 1 / (m - k)), f"reference score from {k} of the real samples against the other {m - k}"
    )
