from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zerosum.data.idx import companion, idx_shape, is_idx, read_idx
from zerosum.errors import Refusal

TYPES = {"u1": 0x08, "i1": 0x09, "i2": 0x0B, "i4": 0x0C, "f4": 0x0D, "f8": 0x0E}


def idx(array: np.ndarray) -> bytes:
    code = TYPES[array.dtype.str[1:]]
    header = bytes([0, 0, code, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    return header + array.astype(array.dtype.newbyteorder(">")).tobytes()


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("zipped", [False, True])
def test_every_type_comes_back_in_native_order(kind: str, zipped: bool, tmp_path: Path) -> None:
    array = np.arange(-3, 21).astype(kind).reshape(2, 3, 4)
    content = gzip.compress(idx(array)) if zipped else idx(array)
    read = read_idx(content)
    assert read.dtype == np.dtype(kind)
    assert read.dtype.isnative
    assert np.array_equal(read, array)
    (tmp_path / "x").write_bytes(content)
    assert is_idx(tmp_path / "x")
    assert idx_shape(tmp_path / "x") == (2, 3, 4)
    assert np.array_equal(read_idx(tmp_path / "x"), array)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "does not start"),
        (b"\x00\x00\x07\x01\x00\x00\x00\x01a", "does not start"),
        (b"\x00\x00\x08\x02\x00\x00\x00\x01", "inside its header"),
        (idx(np.zeros((4, 4), np.uint8))[:-1], "contains only 15"),
        (idx(np.zeros((4, 4), np.uint8)) + b"x", "contains more"),
        (b"\x00\x00\x08\x03" + b"\xff" * 12, "more than its 16 can contain"),
        (gzip.compress(idx(np.arange(5000, dtype=np.int32)))[:-40], "cannot be read"),
        (b"\x1f\x8bnothing", "cannot be read"),
    ],
)
def test_damage_gets_a_sentence(content: bytes, words: str, tmp_path: Path) -> None:
    with pytest.raises(Refusal, match=words):
        read_idx(content)
    (tmp_path / "x").write_bytes(content)
    with pytest.raises(Refusal, match=words):
        read_idx(tmp_path / "x")


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=60), st.sampled_from([b"", b"\0\0\x08\x01", b"\0\0\x0e\x02", b"\x1f\x8b", b"\0\0\x08\x03\0\0\0"]))
def test_any_bytes_give_an_array_or_a_refusal(content: bytes, start: bytes) -> None:
    try:
        array = read_idx(start + content)
    except Refusal:
        return
    # The last axes of the header stand right before the values.
    assert idx(array) == start + content or start.startswith(b"\x1f\x8b")


def test_companions_are_found_under_the_usual_names(tmp_path: Path) -> None:
    for name in ("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte.gz"):
        (tmp_path / name).touch()
    for name in ("a-images.idx3-ubyte", "a-labels.idx1-ubyte"):
        (tmp_path / name).touch()
    images = tmp_path / "train-images-idx3-ubyte.gz"
    assert companion(images, kind="labels") == tmp_path / "train-labels-idx1-ubyte"
    assert companion(images, part="t10k-") == tmp_path / "t10k-images-idx3-ubyte.gz"
    assert companion(tmp_path / "t10k-images-idx3-ubyte.gz", kind="labels") is None
    assert companion(tmp_path / "a-images.idx3-ubyte", kind="labels") == tmp_path / "a-labels.idx1-ubyte"
    assert companion(tmp_path / "something.idx", kind="labels") is None
