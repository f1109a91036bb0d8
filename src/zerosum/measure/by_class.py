"""Scores within each class: a conditional generator may be good on the whole and poor, or of one kind of image, in one class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor

from zerosum.errors import Refusal
from zerosum.measure.prdc import K_COVERAGE, prdc

LEAST = 20
"""Samples a side in a class for its scores; with fewer they would say nothing."""


@dataclass(frozen=True)
class ClassScore:
    """One class. n, n_real: generated and held-out real samples. right: share of the generated that a classifier reads as this class; None
    without a classifier of these classes. precision, recall, coverage: within the class (measure/prdc.py); None where
    samples are too few, and then `note` says so."""

    name: str
    n: int
    n_real: int
    right: float | None = None
    precision: float | None = None
    recall: float | None = None
    coverage: float | None = None
    note: str = ""

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def by_class(
    fake: Tensor, fake_y: Tensor, real: Tensor, real_y: Tensor, names: Sequence[str], read: Tensor | None = None
) -> list[ClassScore]:
    """A ClassScore for each of `names`. fake (n, d), real (m, d): rows whose distances mean likeness. fake_y, real_y: class numbers.

    read: the class numbers (n,) that a classifier reads, where there is one.
    """
    found = []
    for c, name in enumerate(names):
        mine, theirs = fake[fake_y == c], real[real_y == c]
        right = None if read is None or not len(mine) else float((read[fake_y == c] == c).double().mean())
        found.append(_one(name, mine, theirs, right))
    return found


def _one(name: str, fake: Tensor, real: Tensor, right: float | None) -> ClassScore:
    n, m = len(fake), len(real)
    if min(n, m) < max(LEAST, K_COVERAGE + 1):
        return ClassScore(name, n, m, right, note=f"fewer than {LEAST} real samples are held out")
    # As many on both sides: precision and recall depend on the numbers.
    size = min(n, m)
    try:
        values = {reading.name: reading.value for reading in prdc(fake[:size], real[:size])}
    except Refusal as refusal:
        return ClassScore(name, n, m, right, note=str(refusal))
    return ClassScore(name, n, m, right, values["precision"], values["recall"], values["coverage"])


def class_numbers_read(guesses: Tensor, known: Sequence[str], names: Sequence[str]) -> Tensor | None:
    """A classifier's guesses (n,), of its own classes `known`, as numbers of the classes `names`; None where it does not know them all."""
    if not set(names) <= set(known):
        return None
    number = torch.tensor([names.index(name) if name in names else -1 for name in known])
    return number[guesses]
