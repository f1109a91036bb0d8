"""Labels from each reader to the batch: in step with the samples, in the order of the classes, whatever the shuffling, flip and limit.

Images carry their label in their pixels: an image of class c is 10 c + a small number everywhere in its first column.
"""

from __future__ import annotations

import gzip
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader, StackDataset, TensorDataset

from zerosum.chance import normal
from zerosum.data.inspection import inspect_data
from zerosum.data.options import DataOptions
from zerosum.data.parts import Draws, Part, Rows
from zerosum.data.resident import Resident
from zerosum.data.source import Data, open_data
from zerosum.play.distributed import Processes

N = 80
CLASSES = 4
Y = np.arange(N) * 7 % CLASSES


def telling(y: np.ndarray = Y, channels: int | None = None) -> np.ndarray:
    """Images (N, 6, 5[, C]), each different, of class y; none equals its mirror image."""
    images = np.zeros((len(y), 6, 5), np.uint8)
    images[:, :, 0] = (60 * (y + 1))[:, None]
    images[:, :, 2] = np.arange(len(y))[:, None]
    images[:, 0, 4] = 17
    return images if channels is None else np.repeat(images[..., None], channels, axis=3)


def told(x: Tensor) -> Tensor:
    """The classes of images (N, C, 6, 5), mirrored or not, read from their pixels."""
    column = torch.where((x[:, 0, 0, 4] == 17)[:, None], x[:, 0, 1:, 0], x[:, 0, 1:, 4])
    return column[:, 0].long() // 60 - 1


def idx(path: Path, array: np.ndarray) -> None:
    path.write_bytes(gzip.compress(bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()))


def of_idx(place: Path, options: DataOptions) -> Data:
    idx(place / "train-images-idx3-ubyte.gz", telling())
    idx(place / "train-labels-idx1-ubyte.gz", Y.astype(np.uint8))
    return open_data(place, options)


def of_folder(place: Path, options: DataOptions) -> Data:
    for i, (image, y) in enumerate(zip(telling(), Y, strict=True)):
        file = place / "pictures" / str(y) / f"{i:03}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(file)
    return open_data(place / "pictures", options)


def of_zip(place: Path, options: DataOptions) -> Data:
    of_folder(place, options)
    with zipfile.ZipFile(place / "pictures.zip", "w") as archive:
        for file in sorted((place / "pictures").rglob("*.png")):
            archive.write(file, file.relative_to(place))
    return open_data(place / "pictures.zip", options)


def of_npz(place: Path, options: DataOptions) -> Data:
    np.savez(place / "x.npz", x=telling(), y=Y)
    return open_data(place / "x.npz", options)


def of_npz_with_a_test_set(place: Path, options: DataOptions) -> Data:
    # The test set has a class that training has not, and in another order.
    np.savez(place / "x.npz", x_train=telling(), y_train=Y, x_test=telling(np.arange(20) % 3), y_test=np.arange(20) % 3)
    return open_data(place / "x.npz", options)


READERS: dict[str, Callable[[Path, DataOptions], Data]] = {
    "idx": of_idx,
    "folder": of_folder,
    "zip": of_zip,
    "npz": of_npz,
    "npz with a test set": of_npz_with_a_test_set,
    "arrays": lambda place, options: open_data((telling(), Y), options),
    "array and list": lambda place, options: open_data((telling(), Y.tolist()), options),
    "tensors": lambda place, options: open_data((torch.from_numpy(telling()), torch.from_numpy(Y)), options),
    "words": lambda place, options: open_data((telling(), np.array(list("0123"))[Y]), options),
    "whole numbers that are floats": lambda place, options: open_data((telling(), Y.astype(np.float32)), options),
    "labels (N, 1)": lambda place, options: open_data((telling(), Y[:, None]), options),
    "DataLoader": lambda place, options: open_data(
        DataLoader(TensorDataset(torch.from_numpy(telling()), torch.from_numpy(Y)), batch_size=7), options
    ),
    "list of batches": lambda place, options: open_data([(telling()[i : i + 9], Y[i : i + 9]) for i in range(0, N, 9)], options),
    "TensorDataset": lambda place, options: open_data(TensorDataset(torch.from_numpy(telling()), torch.from_numpy(Y)), options),
    "data set of Pillow images": lambda place, options: open_data(
        StackDataset([Image.fromarray(image) for image in telling()], [int(y) for y in Y]), options
    ),
    "data set of arrays and words": lambda place, options: open_data(StackDataset(telling(), [str(y) for y in Y]), options),
}


def parts(data: Data) -> list[Part]:
    return [data.train, data.validation, data.test]


@pytest.mark.parametrize("options", [DataOptions(), DataOptions(flip=True, limit=23)], ids=["plain", "flip and limit"])
@pytest.mark.parametrize("reader", READERS)
def test_labels_and_samples_stay_in_step(reader: str, options: DataOptions, tmp_path: Path) -> None:
    data = READERS[reader](tmp_path, options)
    assert data.space.classes == data.classes == ("0", "1", "2", "3")
    assert data.space.shape == (1, 6, 5)
    for part in parts(data):
        for counter in range(4):
            x, y = part.batch(11, 3, counter)
            assert y is not None
            assert y.dtype == torch.int64
            assert torch.equal(y, told(x))
        labels = part.labels_head(50)
        assert labels is not None
        assert torch.equal(labels, told(part.head(50)))
    assert data.train.size == (23 if options.limit else data.train.size)


def test_flip_changes_no_label() -> None:
    flipped, plain = (open_data((telling(), Y), DataOptions(flip=flip)).train for flip in (True, False))
    mirrored = 0
    for counter in range(5):
        (x, y), (x_plain, y_plain) = flipped.batch(32, 0, counter), plain.batch(32, 0, counter)
        assert y is not None
        assert y_plain is not None
        assert torch.equal(y, y_plain)
        mirrored += int((x != x_plain).any(dim=(1, 2, 3)).sum())
    assert 40 < mirrored < 120


def test_labels_change_no_sample_and_no_part() -> None:
    labelled, plain = open_data((telling(), Y)), open_data(telling())
    assert plain.classes == ()
    for one, other in zip(parts(labelled), parts(plain), strict=True):
        assert torch.equal(one.batch(16, 0, 1).x, other.batch(16, 0, 1).x)
        assert torch.equal(one.head(100), other.head(100))
        assert other.batch(16, 0, 1).y is None
        assert other.labels_head(4) is None


@pytest.mark.parametrize("flip", [False, True])
def test_a_resident_part_gives_the_same_batches(flip: bool) -> None:
    part = open_data((telling(), Y), DataOptions(flip=flip)).train
    assert isinstance(part, Rows)
    resident = Resident(part, torch.device("cpu"))
    for counter in range(4):
        (x, y), (same_x, same_y) = resident.batch(13, 5, counter), part.batch(13, 5, counter)
        assert torch.equal(x, same_x)
        assert y is not None
        assert same_y is not None
        assert torch.equal(y, same_y)
        assert y.dtype == torch.int64
    assert Resident(Rows(telling()[:, None]), torch.device("cpu")).batch(4, 0, 0).y is None


class Elsewhere:
    """A part that is neither stored rows nor mirrored ones, as a benchmark's: processes cut its global batch."""

    def __init__(self, part: Part) -> None:
        self.batch = part.batch


@pytest.mark.parametrize("flip", [False, True])
@pytest.mark.parametrize("stored", [True, False])
def test_processes_get_their_own_rows_with_their_labels(flip: bool, stored: bool) -> None:
    part = open_data((telling(), Y), DataOptions(flip=flip)).train
    source: Any = part if stored else Elsewhere(part)
    whole = part.batch(12, 0, 2)
    shares = [Processes(rank, 3).batch(source, 12, 0, 2) for rank in range(3)]
    assert torch.equal(torch.cat([share.x for share in shares]), whole.x)
    labels = [share.y for share in shares if share.y is not None]
    assert torch.equal(torch.cat(labels), told(whole.x))
    assert Processes(1, 2).batch(Draws(Normal(), "test"), 6, 0, 0).y is None


class Normal:
    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        return torch.randn(n, 2, generator=generator)


def test_a_part_without_a_class_still_knows_its_number() -> None:
    # Four samples of class "a" are all taken out by the limit, or by hand; "b" and "c" stay 1 and 2.
    points = normal((60, 2), 0, "test")
    words = ["a"] * 4 + ["b", "c"] * 28
    data = open_data((points, words), DataOptions(limit=3))
    assert data.classes == ("a", "b", "c")
    assert isinstance(data.train, Rows)
    assert len(data.train.counts(3)) == 3
    few = Rows(data.train.array, np.arange(4, 60), data.train.labels)
    assert few.counts(3) == [0, 28, 28]
    labels = few.batch(200, 0, 0).y
    assert labels is not None
    assert set(labels.tolist()) == {1, 2}
    assert inspect_data((points, words))["classes"] == {"a": 4, "b": 28, "c": 28}


def test_labels_enter_the_fingerprint_and_runs_without_them_go_on() -> None:
    points = normal((60, 2), 0, "test")
    plain, one, other = (open_data(spec) for spec in (points, (points, [0, 1] * 30), (points, [1, 0] * 30)))
    assert len({plain.fingerprint, one.fingerprint, other.fingerprint}) == 3
    assert one.samples_fingerprint == plain.fingerprint == plain.samples_fingerprint
    assert one.matches(plain.fingerprint)
    assert one.matches(one.fingerprint)
    assert not one.matches(other.fingerprint)
    assert not plain.matches(one.fingerprint)


# Computed by the version before labels travelled in batches, whose runs must still resume.
FINGERPRINTS = {
    "points": "c0425f7d05052f13f2fcdf7c7da99670",
    "images": "2d18c79a24d76cfb97639b16b0aaedae",
    "labelled": "49054fea929fe652419f3078ab99b6a9",
    "labelled with a test set": "ef82c6b4b2321bc6dc8fc285635c57aa",
    "folders": "68de18ffeedfd0d9651181e58f181fc8",
}


def test_fingerprints_are_those_of_earlier_runs(tmp_path: Path) -> None:
    numbers = np.arange(120, dtype=np.float32).reshape(60, 2)
    np.savez(tmp_path / "a.npz", x=telling(), y=Y + 4)
    np.savez(tmp_path / "b.npz", x_train=telling(), y_train=Y, x_test=telling(np.arange(20) % 3), y_test=np.arange(20) % 3 + 10)
    found = {
        "points": open_data(numbers),
        "images": open_data(telling()),
        "labelled": open_data(tmp_path / "a.npz"),
        "labelled with a test set": open_data(tmp_path / "b.npz"),
        "folders": of_bmp(tmp_path),
    }
    assert {name: data.fingerprint for name, data in found.items()} == FINGERPRINTS


def of_bmp(place: Path) -> Data:
    """Class folders of images whose bytes do not depend on the version of a compressor."""
    for i, (image, y) in enumerate(zip(telling(), Y, strict=True)):
        file = place / "plain" / f"class {y}" / f"{i:03}.bmp"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(file)
    return open_data(place / "plain")


def test_npz_words_are_joined_with_those_of_the_test_set(tmp_path: Path) -> None:
    words = np.array(["cat", "dog"])
    np.savez(tmp_path / "x.npz", x_train=telling(), y_train=words[Y % 2], x_test=telling(Y[:20]), y_test=np.array(["ape"] * 20))
    data = open_data(tmp_path / "x.npz")
    assert data.classes == ("ape", "cat", "dog")
    x, y = data.train.batch(40, 0, 0)
    assert y is not None
    assert torch.equal(y, told(x) % 2 + 1)
    assert isinstance(data.test, Rows)
    assert data.test.counts(3) == [20, 0, 0]
