"""What a finished run leaves beside its scores: a table by class, and a picture of the training images nearest to its samples."""

from __future__ import annotations

from contextlib import closing

import numpy as np
import torch

from zerosum.api.by_class import class_scores
from zerosum.api.scoring import ENDS
from zerosum.data.parts import Rows
from zerosum.data.source import Data
from zerosum.errors import Refusal
from zerosum.measure.memorisation import nearest_pairs
from zerosum.plain_files import require_own
from zerosum.report.grid import save_grid
from zerosum.runs.lock import locked
from zerosum.runs.record import Listener, Record
from zerosum.runs.run import Run

NEAREST = "nearest.png"
DRAWN, SEARCHED, PAIRS = 256, 20_000, 10
"""Samples that are drawn, training images that are searched at most, and pairs that are shown: those nearest to each other."""


def lacks_evidence(run: Run) -> bool:
    """Whether a run has ended that may have a table by class or a picture of nearest images, and has neither."""
    stops = run.rows("stop")
    if not stops or stops[-1]["reason"] not in ENDS or not (run.classes or run.space.modality.one_file_each):
        return False
    return all(row["round"] != stops[-1]["round"] for kind in ("class", "nearest") for row in run.rows(kind))


def leave_evidence(run: Run, data: Data, listener: Listener | None = None) -> bool:
    """Adds rows "class" and "nearest" to the record of a run that was not interrupted, and nearest.png to its folder, where it lacks them.

    What cannot be computed is left out: the run itself is whole without it. Returns whether any is added.
    """
    if not lacks_evidence(run):
        return False
    stops = run.rows("stop")
    at = {name: stops[-1][name] for name in ("round", "samples", "seconds")}
    try:
        rows = [{"type": "class", **at, **score.to_json()} for score in class_scores(run, data, data.validation)]
        rows += [{"type": "nearest", **at, **found} for found in _nearest(run, data)]
        with locked(run.path), closing(Record(run.path / "record.jsonl")) as record:
            for row in rows:
                record.append(row)
                if listener:
                    listener.row(row)
    except (Refusal, OSError):
        return False
    return bool(rows)


def _nearest(run: Run, data: Data) -> list[dict[str, object]]:
    """Draws nearest.png: in the first row generated samples, below each its nearest training image."""
    train = data.train
    if not data.space.modality.one_file_each or not isinstance(train, Rows):
        return []
    searched = min(train.size, SEARCHED)
    real = train.head(searched)
    fake = data.space.from_array(run.sample(DRAWN, run.config.seed))
    pairs = nearest_pairs(fake, real, PAIRS)
    file = run.path / NEAREST
    require_own([file])
    images = torch.cat([fake[[i for i, _, _ in pairs]], real[[j for _, j, _ in pairs]]])
    save_grid(np.ascontiguousarray(data.space.to_array(images)), file, columns=len(pairs))
    return [{"file": NEAREST, "drawn": DRAWN, "searched": searched, "of": train.size, "least": round(pairs[0][2], 4)}]
