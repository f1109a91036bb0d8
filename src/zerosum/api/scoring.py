"""The scores that a training leaves in its report: its samples against the validation part, by measures that take a few seconds.

The test part is not looked at: it is `evaluate`'s alone.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from zerosum.api.evaluation import raw, recognised
from zerosum.data.source import Data
from zerosum.errors import Refusal
from zerosum.measure import QUANTITIES
from zerosum.measure.evaluation import evaluate_images, evaluate_points
from zerosum.measure.score import Score
from zerosum.runs.lock import locked
from zerosum.runs.record import Listener, Record
from zerosum.runs.run import Run

Array = np.ndarray[Any, Any]
Row = dict[str, Any]

POINTS = 2_500
"""Points measured: as many as the published counts of modes are made with (Lin et al. 2018, arXiv 1712.04086)."""

DIGITS = 4_000
"""Digits measured, at most; fewer than the 10,000 of `evaluate`, so the distance is biased up by more, and the floor with it."""


ENDS = ("finished", "minutes", "plateau", "settled")  # "settled": in records of earlier versions
"""How a training ends that is not interrupted: the reasons of its `stop` row."""


def quick_scores(data: Data, sample: Callable[[int], Array], seen: int) -> list[Row]:
    """Scores of a generator in training, as the record keeps them: a `Score`'s fields and `meaning`, the measure's sentence.

    sample: n -> n of its samples, as `Run.sample` gives them. seen: samples shown to D so far; digits are measured by no more than that, so
    that a short run is not measured for longer than it was trained.

    A density with modes has them counted; other points are measured by Frechet distance, precision and recall, density and coverage; digits
    by these in the classifier's features, and by the balance of their classes. Other images have no features that are had in seconds: [].
    """
    if data.space.kind == "points":
        n = _at_most(POINTS, data)
        only = ["modes"] if data.density is not None and data.density.modes is not None else ["frechet", "prdc"]
        scores = evaluate_points(torch.from_numpy(sample(n)), data.validation.head(n), data.train.head(n), data.density, only=only)
        return [_row(score) for score in scores]
    n = _at_most(min(DIGITS, seen), data)
    real = data.validation.head(n)
    features = recognised(real)
    if features is None:
        return []
    scores = evaluate_images(raw(sample(n), data.space), real, data.train.head(n), features, only=["frechet", "prdc", "classes"])
    return [_row(score) for score in scores]


def leave_scores(run: Run, data: Data, listener: Listener | None) -> None:
    """Adds the scores of a run that has ended to its record: after its last checkpoint, so that a resume forgets them and takes its own.

    What cannot be measured is left out. A run that was interrupted, has scores, or has been gone on with is left alone.
    """
    end = run.rows("stop")[-1]
    if end["reason"] not in ENDS:
        return
    at = {name: end[name] for name in ("round", "samples", "seconds")}
    if any(row["samples"] == at["samples"] for row in run.rows("score")):
        return
    try:
        rows = quick_scores(data, run.sample, int(at["samples"]))
        with locked(run.path), closing(Record(run.path / "record.jsonl")) as record:
            for row in rows:
                record.append(told := {"type": "score", **at, **row})
                if listener:
                    listener.row(told)
    except Refusal:
        return


def _at_most(n: int, data: Data) -> int:
    """n, or as many as the smaller of the two parts that are read has."""
    sizes = [part.size for part in (data.train, data.validation) if part.size is not None]
    return min([n, *sizes])


def _row(score: Score) -> Row:
    return {**replace(score, split="validation").to_json(), "meaning": QUANTITIES[score.name].meaning}
