from __future__ import annotations

from importlib.resources import files

import numpy as np
import pytest

from zerosum.data import mnist
from zerosum.data.mnist import SHA256, digits
from zerosum.errors import Refusal


def test_the_package_holds_the_published_digits() -> None:
    images, labels = digits("t10k")
    assert images.shape == (10_000, 28, 28)
    assert images.dtype == labels.dtype == np.uint8
    # Counts of the ten classes in the published test set.
    assert np.bincount(labels).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert labels[:5].tolist() == [7, 2, 1, 0, 4]


def test_the_training_labels_are_the_published_ones() -> None:
    labels = mnist._verified("train-labels-idx1-ubyte.gz")
    assert np.bincount(labels).tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]


def test_the_digits_are_small_and_say_whose_they_are() -> None:
    folder = files("zerosum.data").joinpath("digits")
    assert sum(len(folder.joinpath(name).read_bytes()) for name in SHA256) < 12_000_000
    for name in ("LICENSE", "README.md"):
        text = folder.joinpath(name).read_text()
        assert "Cortes" in text
        assert "Share" in text
        assert "http://yann.lecun.com/exdb/mnist/" in text


def test_a_damaged_file_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SHA256, "t10k-labels-idx1-ubyte.gz", "0" * 64)
    with pytest.raises(Refusal, match="install zerosum again"):
        digits("t10k")
