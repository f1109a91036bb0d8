from __future__ import annotations

import gzip
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from zerosum.chance import normal
from zerosum.data.density import DENSITIES
from zerosum.data.detect import Kind, kind_of, may_have_labels
from zerosum.data.options import DataOptions
from zerosum.data.parts import Rows
from zerosum.data.source import DATA, Data, moments, open_data
from zerosum.errors import Refusal


def idx(path: Path, array: np.ndarray) -> None:
    path.write_bytes(gzip.compress(bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()))


def laid_out_as_mnist(folder: Path) -> Path:
    for part, count in (("train", 50), ("t10k", 20)):
        images = np.random.Generator(np.random.PCG64(count)).integers(0, 256, (count, 28, 28), np.uint8)
        idx(folder / f"{part}-images-idx3-ubyte.gz", images)
        idx(folder / f"{part}-labels-idx1-ubyte.gz", (np.arange(count) % 10).astype(np.uint8))
    return folder


@pytest.fixture(scope="module")
def mnist() -> Data:
    return open_data("mnist")


def opened(name: str, request: pytest.FixtureRequest) -> Data:
    return request.getfixturevalue("mnist") if name == "mnist" else open_data(name)


# fashion-mnist needs a download or Debian's package: test_fashion.py plays both.
@pytest.mark.parametrize("name", [name for name in DATA if name != "fashion-mnist"])
def test_every_row_of_data_keeps_the_contract(name: str, request: pytest.FixtureRequest) -> None:
    data = opened(name, request)
    assert (data.name, data.spec) == (name, name)
    assert len(data.fingerprint) == 32
    for part in (data.train, data.validation, data.test):
        batch = part.batch(6, 1, 2).x
        assert batch.shape == (6, *data.space.shape)
        assert batch.dtype == (torch.uint8 if data.space.modality.value_bytes == 1 else torch.float32)
        assert torch.equal(part.batch(6, 1, 2).x, batch)
        assert torch.equal(part.head(9)[:4], part.head(4))
        y = data.space.encode(batch)
        assert y.dtype == torch.float32
        torch.testing.assert_close(data.space.decode(y), batch, atol=1e-5, rtol=1e-5)
    kind = kind_of(name)
    assert kind == (data.space.kind, data.space.shape)


@pytest.mark.parametrize("name", DENSITIES)
def test_densities_are_standardised_by_their_exact_moments(name: str) -> None:
    data = open_data(name)
    assert data.density is not None
    y = data.space.encode(data.train.head(20_000))
    # The standard error of a mean is 1/141; of a standard deviation less than that for these laws.
    torch.testing.assert_close(y.mean(0), torch.zeros(y.shape[1]), atol=4 / 141, rtol=0)
    torch.testing.assert_close(y.std(0), torch.ones(y.shape[1]), atol=4 / 141, rtol=0)


def test_mnist_keeps_its_test_set(mnist: Data) -> None:
    assert (mnist.train.size, mnist.validation.size, mnist.test.size) == (53_907, 6_093, 10_000)
    assert mnist.classes == tuple("0123456789")
    assert mnist.space.shape == (1, 28, 28)
    images, labels = mnist.test.head(10_000), mnist.test.labels_head(10_000)
    assert labels is not None
    assert torch.bincount(labels).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    # Ones have the least ink.
    ink = torch.stack([images[labels == c].float().mean() for c in range(10)])
    assert ink.argmin() == 1


def test_a_mixture_is_written_in_the_name() -> None:
    data = open_data("mixture:0.3*N(-2,0.5)+0.7*N(1,0.2)")
    assert data.space.offset == (0.3 * -2 + 0.7 * 1,)
    assert data.train.batch(5, 0, 0).x.shape == (5, 1)
    assert kind_of(data.spec) == Kind("points", (1,))
    with pytest.raises(Refusal, match="integrate to one"):
        open_data("mixture:0.3*N(-2,0.5)")


@pytest.mark.parametrize("options", [DataOptions(limit=5), DataOptions(size="8"), DataOptions(flip=True)])
def test_a_density_has_no_limit_and_no_size(options: DataOptions) -> None:
    with pytest.raises(Refusal, match="endless"):
        open_data("ring8", options)


def test_points_are_standardised_by_the_training_part_alone(tmp_path: Path) -> None:
    points = normal((400, 3), 0, "test").double().numpy() * [2.0, 0.1, 0.0] + [5.0, -1.0, 0.1]
    np.save(tmp_path / "cloud.npy", points)
    data = open_data(tmp_path / "cloud.npy")
    assert data.name == "cloud"
    assert data.spec == str(tmp_path / "cloud.npy")
    train = data.train.head(1000).double()
    torch.testing.assert_close(torch.tensor(data.space.offset, dtype=torch.float64), train.mean(0))
    torch.testing.assert_close(torch.tensor(data.space.scale[:2], dtype=torch.float64), train.std(0, correction=0)[:2])
    assert data.space.scale[2] == 1.0
    assert data.space.encode(data.test.head(50))[:, 2].abs().max() == 0


def test_moments_do_not_lose_small_spreads_far_from_zero() -> None:
    array = (1e6 + np.arange(1000) % 2).astype(np.float32)[:, None]
    mean, std = moments(array, np.arange(1000))
    assert mean == [1e6 + 0.5]
    assert std == [0.5]


def test_arrays_and_tensors_are_data() -> None:
    points = normal((100, 2), 0, "test")
    assert torch.equal(open_data(points).train.batch(7, 0, 0).x, open_data(points.numpy()).train.batch(7, 0, 0).x)
    pictures = torch.arange(40 * 3 * 4 * 4).to(torch.uint8).reshape(40, 3, 4, 4)
    assert open_data(pictures).space.shape == (3, 4, 4)
    assert open_data(pictures.numpy()).space.shape == (4, 3, 4)
    assert kind_of(pictures) == Kind("images", (3, 4, 4))
    assert kind_of(points) == kind_of(points.bfloat16()) == Kind("points", (2,))
    assert open_data(points.bfloat16()).train.batch(3, 0, 0).x.dtype == torch.float32
    with pytest.raises(Refusal, match="rows of the tensor contain NaN"):
        open_data(points / 0)


def test_limit_is_of_training_items_and_leaves_the_rest_alone() -> None:
    points = normal((500, 2), 0, "test")
    whole, few = open_data(points), open_data(points, DataOptions(limit=20))
    assert few.train.size == 20
    assert torch.equal(few.test.head(500), whole.test.head(500))
    assert torch.equal(few.validation.head(500), whole.validation.head(500))
    assert {tuple(x) for x in few.train.head(20).tolist()} < {tuple(x) for x in whole.train.head(500).tolist()}


def test_flip_is_for_training_images_alone(folder: Path) -> None:
    data = open_data(folder, DataOptions(flip=True))
    parts = [part for part in (data.train, data.validation, data.test) if isinstance(part, Rows)]
    assert [part.flip for part in parts] == [True, False, False]
    with pytest.raises(Refusal, match="are for images"):
        open_data(normal((50, 2), 0, "test"), DataOptions(flip=True))


def test_the_test_part_stays_when_images_come_or_sizes_change(folder: Path, save: Callable[..., Path]) -> None:
    def held(data: Data) -> set[bytes]:
        return {x.numpy().tobytes() for x in data.test.head(1000)}

    before = held(open_data(folder))
    sizes = [part.size for part in (open_data(folder, DataOptions(size="8")).test,)]
    assert sizes == [len(before)]
    for i in range(40, 90):
        save(f"{i}.png", number=i)
    assert before <= held(open_data(folder))


def test_a_copied_image_is_on_one_side(folder: Path) -> None:
    for file in sorted(folder.iterdir()):
        (folder / f"copy-{file.name}").write_bytes(file.read_bytes())
    data = open_data(folder)
    sides = [{x.numpy().tobytes() for x in part.head(1000)} for part in (data.train, data.validation, data.test)]
    assert sum(map(len, sides)) == 40
    assert len(set.union(*sides)) == 40


def test_idx_files_are_read_with_what_lies_beside_them(tmp_path: Path) -> None:
    data = open_data(laid_out_as_mnist(tmp_path) / "train-images-idx3-ubyte.gz")
    assert data.test.size == 20
    assert data.classes == tuple("0123456789")
    assert open_data(tmp_path).fingerprint == data.fingerprint
    assert kind_of(tmp_path) == kind_of(tmp_path / "train-images-idx3-ubyte.gz") == Kind("images", (1, 28, 28))
    alone = open_data(tmp_path / "t10k-images-idx3-ubyte.gz")
    assert sum(part.size or 0 for part in (alone.train, alone.validation, alone.test)) == 20


def test_the_kind_is_known_from_headers(folder: Path, tmp_path: Path) -> None:
    assert kind_of("mnist") == Kind("images", (1, 28, 28))
    assert kind_of("mnist", DataOptions(size="32")) == Kind("images", (1, 32, 32))
    assert kind_of(folder) == Kind("images", (3, 12, 12))
    assert kind_of(folder, DataOptions(size="8x10")) == Kind("images", (3, 8, 10))
    np.save(tmp_path / "x.npy", np.zeros((20, 2)))
    np.savez(tmp_path / "x.npz", y=np.zeros(20, int), images=np.zeros((20, 8, 9, 3), np.uint8))
    assert kind_of(tmp_path / "x.npy") == Kind("points", (2,))
    assert kind_of(str(tmp_path / "x.npz")) == Kind("images", (3, 8, 9))


def test_a_fingerprint_is_of_the_content(folder: Path, tmp_path: Path, save: Callable[..., Path]) -> None:
    first = open_data(folder).fingerprint
    folder.rename(tmp_path / "moved")
    assert open_data(tmp_path / "moved").fingerprint == first
    (tmp_path / "moved" / "00.png").write_bytes((tmp_path / "moved" / "01.png").read_bytes())
    assert open_data(tmp_path / "moved").fingerprint != first


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("mnits", "Did you mean mnist"),
        ("ring", "ring8"),
        ("pictures/cast", r"Did you mean .*pictures/cats"),
        ("no/such/place", "neither by name nor as a path"),
        ("~no such user/pictures", "give the path in full"),
    ],
)
def test_what_does_not_exist_gets_the_nearest_names(spec: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pictures" / "cats").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    for ask in (open_data, kind_of):
        with pytest.raises(Refusal, match=words):
            ask(spec)


def test_a_name_is_no_path_and_a_path_no_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.chdir(tmp_path)
    folder.rename(tmp_path / "ring8")
    assert open_data("ring8").density is not None
    assert open_data("./ring8").density is None
    assert open_data(Path("ring8")).density is None


@pytest.mark.parametrize("content", [b"", b"some text", b"\x89PNG\r\n\x1a\n"])
def test_another_file_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "x.dat").write_bytes(content)
    for ask in (open_data, kind_of):
        with pytest.raises(Refusal, match="not data that zerosum reads"):
            ask(tmp_path / "x.dat")


def test_a_cached_folder_gives_the_same_data(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    in_memory = open_data(folder)
    monkeypatch.setenv("ZEROSUM_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("zerosum.data.cache.memory_budget", lambda: 0)
    told: list[Any] = []
    first, again = (open_data(folder, progress=lambda *row: told.append(row[0])) for _ in range(2))
    assert told == ["looking at images", "reading images", "looking at images"]
    for data in (first, again):
        assert isinstance(data.train, Rows)
        assert isinstance(data.train.array, np.memmap)
        assert data.fingerprint == in_memory.fingerprint
        assert torch.equal(data.train.batch(9, 0, 5).x, in_memory.train.batch(9, 0, 5).x)


def test_what_may_have_labels_is_told_by_names_alone(tmp_path: Path) -> None:
    grey = np.zeros((4, 8, 8), dtype=np.uint8)
    np.save(tmp_path / "x.npy", grey)
    for place in ("plain", "classes/a", "classes/b"):
        (tmp_path / place).mkdir(parents=True)
        Image.fromarray(grey[0]).save(tmp_path / place / "0.png")
    assert not may_have_labels(tmp_path / "x.npy")
    assert may_have_labels(tmp_path / "x.npy", DataOptions(labels="labels.csv"))
    assert not may_have_labels(tmp_path / "plain")
    assert may_have_labels(tmp_path / "classes")
    assert may_have_labels("mnist")
    assert not may_have_labels(grey)
    assert may_have_labels((grey, np.arange(4)))
