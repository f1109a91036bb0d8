"""The scores in the report of a finished training: its samples against the validation part, by measures that take a few seconds.

The test part is not used here. Only `evaluate` reads it.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from typing import Any

import numpy as np

from zerosum.api.evaluation import recognised
from zerosum.data.source import Data
from zerosum.errors import Refusal
from zerosum.measure import QUANTITIES
from zerosum.measure.evaluation import evaluate_images, evaluate_points
from zerosum.measure.features import UnavailableFeatures
from zerosum.measure.noise_share import LIMIT
from zerosum.measure.score import Score
from zerosum.records import Row
from zerosum.runs.lock import locked
from zerosum.runs.record import Listener, Record
from zerosum.runs.run import Run

Array = np.ndarray[Any, Any]

POINTS = 2_500
"""Points measured: the number that published counts of modes use (Lin et al. 2018, arXiv 1712.04086)."""

DIGITS = 4_000
"""Digits measured, at most. These are fewer than in `evaluate`, so the distance and its reference score are both biased further upwards."""

ENDS = ("finished", "minutes", "plateaued")
"""The reasons in the `stop` row of a training that was not interrupted."""


def quick_scores(data: Data, sample: Callable[[int], Array], seen: int) -> list[Row]:
    """Scores of a generator as rows of the record: the fields of `Score`, and `meaning`, a sentence on the measure.

    sample: n -> n of its samples, as `Run.sample` gives them. seen: real samples shown to D so far. No more digits than that are
    measured, so that measuring a short run does not take longer than training it.

    For a density with modes, the modes are counted. Other points get Frechet distance, precision and recall, density and coverage. Digits
    get the same in the classifier's features, and the balance of their classes. All images get the noise share.
    """
    return [_row(score) for score in QUICK[data.space.modality.compared_as](data, sample, seen)]


def _points_scores(data: Data, sample: Callable[[int], Array], seen: int) -> list[Score]:
    n = _at_most(POINTS, data)
    only = ["modes"] if data.density is not None and data.density.modes is not None else ["frechet", "prdc"]
    return evaluate_points(data.space.from_array(sample(n)), data.validation.head(n), data.train.head(n), data.density, only=only)


def _image_scores(data: Data, sample: Callable[[int], Array], seen: int) -> list[Score]:
    n = _at_most(min(DIGITS, seen), data)
    real = data.validation.head(n)
    digits = recognised(real)
    n = n if digits else min(n, LIMIT)
    features = digits or UnavailableFeatures("none", "Only digits have features that are computed fast enough.")
    only = ["noise_share", *(["frechet", "prdc", "classes"] if digits else [])]
    return evaluate_images(data.space.from_array(sample(n)), real[:n], data.train.head(n), features, only=only)


# By the modality's `compared_as`.
QUICK: dict[str, Callable[[Data, Callable[[int], Array], int], list[Score]]] = {"vectors": _points_scores, "features": _image_scores}


def leave_scores(run: Run, data: Data, listener: Listener | None) -> bool:
    """Adds the scores of a run that has ended to its record, after its last checkpoint, so that a resume drops them and adds its own.

    What cannot be measured is left out. Nothing is added to a run that was interrupted or has scores already. Returns whether any is added.
    """
    if not lacks_scores(run):
        return False
    end = run.rows("stop")[-1]
    at = {name: end[name] for name in ("round", "samples", "seconds")}
    try:
        rows = quick_scores(data, run.sample, int(at["samples"]))
        with locked(run.path), closing(Record(run.path / "record.jsonl")) as record:
            for row in rows:
                record.append(told := {"type": "score", **at, **row})
                if listener:
                    listener.row(told)
    except Refusal:
        return False
    return bool(rows)


def lacks_scores(run: Run) -> bool:
    """Whether a run came to its end and its record has no score of it."""
    stops = run.rows("stop")
    if not stops or stops[-1]["reason"] not in ENDS:
        return False
    return all(row["samples"] != stops[-1]["samples"] for row in run.rows("score"))


def _at_most(n: int, data: Data) -> int:
    """n, or the size of the smaller of the two parts that are read."""
    sizes = [part.size for part in (data.train, data.validation) if part.size is not None]
    return min([n, *sizes])


def _row(score: Score) -> Row:
    return {**replace(score, split="validation").to_json(), "meaning": QUANTITIES[score.name].meaning}
