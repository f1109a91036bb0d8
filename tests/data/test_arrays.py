from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zerosum.chance import normal
from zerosum.data.arrays import classify, declared, items_of, read_array
from zerosum.data.in_memory import in_memory
from zerosum.data.options import DataOptions
from zerosum.errors import Refusal

OPTIONS = DataOptions()


def cloud(n: int = 50, d: int = 3) -> np.ndarray:
    return normal((n, d), 0, "cloud").numpy()


def images(*shape: int) -> np.ndarray:
    return np.arange(np.prod(shape), dtype=np.int64).astype(np.uint8).reshape(shape)


@pytest.mark.parametrize(
    ("shape", "dtype", "kind", "item"),
    [
        ((50, 2), "f4", "points", (2,)),
        ((50, 16), "f8", "points", (16,)),
        ((50, 17), "f4", "points", (17,)),
        ((50, 784), "f8", "points", (784,)),
        ((50, 64), "i4", "points", (64,)),
        ((50, 16), "u1", "points", (16,)),
        ((50,), "f4", "points", (1,)),
        ((50, 3), "i8", "points", (3,)),
        ((50, 3), "u1", "points", (3,)),
        ((50, 28, 28), "u1", "images", (1, 28, 28)),
        ((50, 9, 8, 1), "u1", "images", (1, 9, 8)),
        ((50, 9, 8, 4), "u1", "images", (4, 9, 8)),
        ((50, 3, 9, 8), "u1", "images", (3, 9, 8)),
    ],
)
def test_shape_and_type_say_what_an_array_is(shape: tuple[int, ...], dtype: str, kind: str, item: tuple[int, ...]) -> None:
    assert classify(shape, np.dtype(dtype), "x") == (kind, item)


def test_a_tensors_channels_come_first_where_both_readings_fit() -> None:
    assert classify((50, 3, 4, 4), np.dtype("u1"), "x")[1] == (4, 3, 4)
    assert classify((50, 3, 4, 4), np.dtype("u1"), "x", channels_first=True)[1] == (3, 4, 4)


@pytest.mark.parametrize(
    ("shape", "dtype", "words"),
    [
        ((50, 17), "u1", r"shape \(50, 17\) and type uint8, either flattened images or points: reshape images to \(N, H, W\)"),
        ((), "f4", "give points"),
        ((0, 2), "f4", "empty"),
        ((50, 28, 28), "f4", "scale images to 0 to 255 and convert them to uint8"),
        ((50, 9, 8, 5), "u1", "C up to 4"),
        ((50, 2), "c8", "complex64"),
        ((50, 2), "?", "bool"),
        ((50, 2), "O", "object"),
        ((50, 2, 2, 2, 2), "u1", "give points"),
    ],
)
def test_other_arrays_are_refused_with_what_was_found(shape: tuple[int, ...], dtype: str, words: str) -> None:
    with pytest.raises(Refusal, match=words):
        classify(shape, np.dtype(dtype), "x")


def test_npy_points_are_float32(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", cloud().astype(np.float64))
    items = read_array(tmp_path / "x.npy", OPTIONS)
    assert items.array.dtype == np.float32
    np.testing.assert_array_equal(items.array, cloud())
    assert declared(tmp_path / "x.npy") == ((50, 3), np.float64)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e300])
def test_what_is_not_finite_is_counted(bad: float, tmp_path: Path) -> None:
    array = cloud().astype(np.float64)
    array[3, 1] = array[3, 2] = array[40, 0] = bad
    np.save(tmp_path / "x.npy", array)
    with pytest.raises(Refusal, match=r"2 of 50 rows of .*x\.npy contain NaN or infinite"):
        read_array(tmp_path / "x.npy", OPTIONS)


def test_image_layouts_agree() -> None:
    last = images(20, 6, 5, 3)
    kept = items_of(last, None, "x", OPTIONS).array
    assert kept.flags["C_CONTIGUOUS"]
    assert np.array_equal(kept[7, 2], last[7, :, :, 2])
    assert np.array_equal(items_of(np.moveaxis(last, 3, 1), None, "x", OPTIONS).array, kept)
    assert np.array_equal(items_of(last[..., 0], None, "x", OPTIONS).array, kept[:, :1])


def test_npz_takes_images_labels_and_the_test_set(tmp_path: Path) -> None:
    path = tmp_path / "x.npz"
    np.savez(path, y=np.arange(20) % 3 + 4, x=images(20, 6, 5))
    items = read_array(path, OPTIONS)
    assert items.array.shape == (20, 1, 6, 5)
    assert items.classes == ("4", "5", "6")
    assert items.labels is not None
    assert items.labels[:4].tolist() == [0, 1, 2, 0]
    assert declared(path) == ((20, 6, 5), np.uint8)
    np.savez_compressed(path, x_train=images(20, 6, 5), y_train=np.zeros(20, int), x_test=images(16, 6, 5), y_test=np.full(16, 10))
    items = read_array(path, OPTIONS)
    assert items.classes == ("0", "10")
    assert items.test is not None
    assert items.test.array.shape == (16, 1, 6, 5)
    assert items.test.labels is not None
    assert set(items.test.labels.tolist()) == {1}
    np.savez(path, whatever=cloud())
    assert read_array(path, OPTIONS).array.shape == (50, 3)


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (np.zeros(19, int), "20 samples in x and 19 labels"),
        (np.zeros((20, 2), int), r"argmax\(1\)"),
        (np.full(20, 0.5), "float64: give whole numbers"),
    ],
)
def test_labels_that_do_not_fit_are_refused(labels: np.ndarray, words: str) -> None:
    with pytest.raises(Refusal, match=words):
        items_of(images(20, 6, 5), labels, "x", OPTIONS)


def test_a_test_set_of_another_shape_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", x_train=images(20, 6, 5), x_test=images(20, 5, 6))
    with pytest.raises(Refusal, match="give two sets of one shape"):
        read_array(tmp_path / "x.npz", OPTIONS)


def written(save: Callable[..., None], *arguments: Any, **keywords: Any) -> bytes:
    stream = BytesIO()
    save(stream, *arguments, **keywords)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("x.npy", written(np.save, np.array([{}, 1], dtype=object)), "contains Python objects"),
        ("x.npz", written(np.savez, np.array([{}, 1], dtype=object)), "contains Python objects"),
        ("x.npz", written(np.savez), "no arrays"),
        ("x.npy", written(np.save, cloud())[:-7], "cannot be read as an array"),
        ("x.npz", written(np.savez, cloud())[:-30], "cannot be read as an array"),
        ("x.npy", b"", "cannot be read as an array"),
        ("x.npy", b"not an array", "does not start with the header of an array file"),
        ("x.npy", written(np.save, cloud(15)), "contains 15 usable items: give at least 16"),
    ],
)
def test_damaged_files_get_a_sentence(name: str, content: bytes, words: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(Refusal, match=words):
        read_array(tmp_path / name, OPTIONS)


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 127), st.binary(min_size=1, max_size=8))
def test_any_damage_gives_an_array_or_a_refusal(place: int, damage: bytes) -> None:
    content = bytearray(written(np.save, cloud(20, 2)))
    content[place : place + len(damage)] = damage
    with TemporaryDirectory() as folder:
        path = Path(folder, "x.npy")
        path.write_bytes(content)
        try:
            items = read_array(path, OPTIONS)
        except Refusal:
            return
        assert len(items.array) >= 16


def test_a_large_npz_is_refused_before_it_is_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    np.savez_compressed(tmp_path / "x.npz", np.zeros((1000, 16), np.float32))
    monkeypatch.setattr("zerosum.data.inflation.memory_budget", lambda: 10_000)
    with pytest.raises(Refusal, match=r"unpacks to 64,\d+ bytes"):
        read_array(tmp_path / "x.npz", OPTIONS)


def test_arrays_larger_than_the_budget_stay_on_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    np.save(tmp_path / "x.npy", images(20, 6, 5, 3))
    monkeypatch.setattr("zerosum.data.arrays.memory_budget", lambda: 10)
    items = read_array(tmp_path / "x.npy", OPTIONS)
    assert isinstance(items.array, np.memmap)
    assert np.array_equal(items.array, images(20, 6, 5, 3).transpose(0, 3, 1, 2))


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_size_resizes_arrays_as_it_does_files(channels: int) -> None:
    flat = np.zeros((20, 8, 8, channels), np.uint8)
    flat[:, :, :] = 60 * np.arange(1, channels + 1)
    items = items_of(flat, None, "x", DataOptions(size="4x6"))
    assert items.array.shape == (20, channels, 4, 6)
    np.testing.assert_allclose(items.array[0, :, 2, 2].astype(int), flat[0, 0, 0].astype(int), atol=2)
    assert items.sizes == {(8, 8): 20}
    assert np.array_equal(items_of(flat, None, "x", DataOptions(size="8")).array[0, 0], flat[0, ..., 0])


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ([(0.5, 1.5)] * 20, r"^A list of tuples of numbers cannot be read: give an array, such as numpy\.array\(data\)\.$"),
        ([(np.zeros(2), 1)] * 20, r"^A list of \(sample, label\) pairs cannot be read.*two arrays, or a map-style data set\.$"),
        ([(np.zeros((28, 28), np.uint8), np.int64(1))] * 20, r"^A list of \(sample, label\) pairs"),
        ([("a", "b")] * 20, r"^One batch of the data is a tuple of 2"),
    ],
)
def test_a_list_of_tuples_gets_a_sentence(data: list[Any], words: str) -> None:
    with pytest.raises(Refusal, match=words):
        in_memory(data)
