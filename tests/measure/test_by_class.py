"""Scores within classes: a class that is missing, mixed up or of one kind shows in its own row."""

from __future__ import annotations

import pytest
import torch

from zerosum.chance import normal
from zerosum.measure.by_class import LEAST, by_class, class_numbers_read

NAMES = ("cat", "dog", "owl")


def test_a_bad_class_shows_in_its_row_alone() -> None:
    y = torch.arange(600) % 3
    places = 10 * torch.eye(3)[y]
    real, fake = places + normal((600, 3), 0, "real"), places + normal((600, 3), 0, "fake")
    fake[y == 1] = places[y == 1] + 0.01 * normal((200, 3), 0, "narrow")  # One kind of dog.
    fake[y == 2] = 10 * torch.eye(3)[0] + normal((200, 3), 0, "mixed")  # Cats for owls.
    cat, dog, owl = by_class(fake, y, real, y, NAMES, read=torch.where(y == 2, 0, y))
    assert min(cat.precision or 0, cat.recall or 0, cat.coverage or 0) > 0.7
    assert dog.precision == 1
    assert dog.recall is not None
    assert dog.recall < 0.1
    assert (owl.precision, owl.recall, owl.coverage) == (0, 0, 0)
    assert [score.right for score in (cat, dog, owl)] == [1, 1, 0]


def test_small_classes_have_a_note_in_place_of_scores() -> None:
    y = torch.tensor([0] * 30 + [1] * (LEAST - 1))
    x = normal((len(y), 3), 0, "x")
    scored, small, none = by_class(x, y, x + 0.1, y, NAMES)
    assert scored.recall is not None
    assert small.recall is None
    assert str(LEAST) in small.note
    assert (none.n, none.n_real) == (0, 0)


def test_a_classifier_of_other_classes_reads_nothing() -> None:
    guesses = torch.tensor([0, 2, 1])
    assert class_numbers_read(guesses, ("a", "b", "c"), ("c", "a")) is not None
    assert class_numbers_read(guesses, ("a", "b", "c"), ("c", "a")).tolist() == [1, 0, -1]  # type: ignore[union-attr]
    assert class_numbers_read(guesses, ("a", "b"), ("c",)) is None


@pytest.mark.parametrize("n", [LEAST, 50])
def test_real_samples_against_themselves_are_recalled(n: int) -> None:
    x = normal((n, 4), 0, "x")
    (score,) = by_class(x, torch.zeros(n, dtype=torch.int64), x, torch.zeros(n, dtype=torch.int64), ("a",))
    assert score.recall == score.coverage == 1
