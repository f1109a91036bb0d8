"""The scores of a conditional run within its classes, for the report of a run and for `evaluate`."""

from __future__ import annotations

from collections import Counter

import torch

from zerosum.api.evaluation import recognised
from zerosum.data.parts import Part
from zerosum.data.source import Data
from zerosum.measure.by_class import ClassScore, by_class, class_numbers_read
from zerosum.measure.memorisation import comparable
from zerosum.runs.run import Run

MOST_CLASSES = 100
"""Classes that are scored: of more, those with the most held-out samples."""
EACH = 300
"""Samples of each class, at most, on each side."""


def class_scores(run: Run, data: Data, part: Part, seed: int = 0) -> list[ClassScore]:
    """Scores within each class of a conditional run, against a part of its data; [] for an unconditional run.

    Digits are compared in the digit classifier's features, which also reads their class; other images by their pixels, averaged to at most
    16 a side; points in units of their standard deviation.
    """
    size = part.size
    labels = None if size is None or not run.classes else part.labels_head(size)
    if labels is None or size is None:
        return []
    counts = Counter(labels.tolist())
    chosen = sorted(c for c, _ in counts.most_common(MOST_CLASSES))
    places = torch.cat([(labels == c).nonzero()[:EACH, 0] for c in chosen])
    real, real_y = part.head(size)[places], labels[places]
    asked = [c for c in chosen for _ in range(min(EACH, counts[c]))]
    fake, fake_y = data.space.from_array(run.sample(len(asked), seed, asked)), torch.tensor(asked)
    names = [run.classes[c] for c in chosen]
    number = {c: i for i, c in enumerate(chosen)}
    fake_y, real_y = (torch.tensor([number[c] for c in y.tolist()]) for y in (fake_y, real_y))
    known = recognised(part.head(1000)) if real.ndim == 4 else None  # In the part's own order: `real` is sorted by class.
    if known is not None:
        read = class_numbers_read(known.guesses(fake), known.classes, names)
        return by_class(known(fake), fake_y, known(real), real_y, names, read)
    rows = [comparable(x) if real.ndim == 4 else data.space.encode(x).flatten(1) for x in (fake, real)]
    return by_class(rows[0], fake_y, rows[1], real_y, names)
