"""Labels and samples as Python objects: which are refused, with what words, and how labels become class numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import StackDataset, TensorDataset

from zerosum.data.in_memory import InMemory, in_memory
from zerosum.data.labels import class_numbers, joined, renumbered
from zerosum.data.source import open_data
from zerosum.errors import Refusal

N = 80
Y = np.arange(N) * 7 % 4
IMAGES = np.arange(N * 30, dtype=np.int64).astype(np.uint8).reshape(N, 6, 5)


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        ([0, 1] * 30, "80 samples in the array and 60 labels"),
        (np.linspace(0, 1, N), "type float64: give whole numbers"),
        (np.where(Y == 0, np.nan, 1.0), "20 of the 80 labels of the array are NaN"),
        (np.where(Y == 0, np.inf, 1.0), "type float64: give whole numbers"),
        (Y - 1, r"20 of the 80 labels of the array are negative, down to -1"),
        (np.eye(4, dtype=int)[Y], r"one-hot labels become class numbers with y.argmax\(1\)"),
        (Y - 1.0, r"negative, down to -1"),
        (Y == 0, "type bool"),
        ([None, 1] * 40, "neither all whole numbers nor all words"),
        ([[1], [1, 2]] * 40, "are no array|neither all whole numbers"),
        (IMAGES, "several numbers a sample"),
    ],
)
def test_other_labels_are_refused_in_a_sentence(labels: Any, words: str) -> None:
    with pytest.raises(Refusal, match=words) as refused:
        open_data((IMAGES, labels))
    assert str(refused.value).endswith(".")
    assert "\n" not in str(refused.value)


def test_words_and_numbers_are_numbered_in_ascending_order() -> None:
    numbers, classes = class_numbers(np.array([10, 9, 10, 2]), 4, "x")
    assert numbers is not None
    assert (numbers.tolist(), classes) == ([2, 1, 2, 0], ("2", "9", "10"))
    for words in (["dog", "cat", "dog"], np.array(["dog", "cat", "dog"], dtype=object), np.array([b"dog", b"cat", b"dog"])):
        numbers, classes = class_numbers(words, 3, "x")
        assert numbers is not None
        assert (numbers.tolist(), classes) == ([1, 0, 1], ("cat", "dog"))
    assert class_numbers(None, 4, "x") == (None, ())


def test_two_sets_of_classes_become_one() -> None:
    assert joined(("2", "10"), ("1", "10")) == ("1", "2", "10")
    assert joined(("cat", "dog"), ("ape",)) == ("ape", "cat", "dog")
    assert renumbered(np.array([0, 1, 0]), ("cat", "dog"), ("ape", "cat", "dog")).tolist() == [1, 2, 1]


X = torch.from_numpy(IMAGES)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ([], "was empty"),
        (StackDataset([], []), "is empty"),
        ({"x": X}, "type dict cannot be read"),
        (7, "type int cannot be read"),
        ([(X, Y, Y)], "tuple of 3"),
        ([{"x": X}], "dict of 1"),
        ([(X, Y), X], "1 of 2 batches have no labels"),
        ([X[:40], X[:40, :5]], "samples of different shapes"),
        ([(X[:40], Y[:30]), (X[:40], Y[:50])], "40 samples and labels of shape"),
        (StackDataset([X[0], X[0, :5]], [0, 1]), "differ in shape"),
        (StackDataset(["a.png", "b.png"], [0, 1]), "is a tuple of 2: give arrays, tensors"),
        (StackDataset(X, [0] * 79 + [None]), "1 of 80 items have no labels"),
    ],
)
def test_objects_that_are_no_data_are_refused(data: Any, words: str) -> None:
    with pytest.raises(Refusal, match=words):
        open_data(data)


def test_a_data_set_without_labels_is_data_too() -> None:
    bare = in_memory(TensorDataset(X))
    assert isinstance(bare, InMemory)
    assert bare.y is None
    assert torch.equal(torch.as_tensor(bare.x), X)
    palette = in_memory(StackDataset([Image.fromarray(image).convert("P") for image in IMAGES], list(Y)))
    assert isinstance(palette, InMemory)
    assert palette.x.shape == (N, 6, 5, 3)
