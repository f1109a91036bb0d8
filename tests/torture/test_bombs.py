"""Small files that unpack to large ones: refused, or read as far as is needed, before they take memory or time."""

from __future__ import annotations

import gzip
import struct
import tracemalloc
import zipfile
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from zerosum.chance import normal
from zerosum.data import inflation
from zerosum.data.detect import kind_of
from zerosum.data.image_folder import read_headers
from zerosum.data.inflation import is_bomb
from zerosum.data.listing import list_images
from zerosum.data.source import open_data
from zerosum.errors import Refusal


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> int:
    """The size from which the rule holds, so small that the files of these tests are quick to make."""
    monkeypatch.setattr(inflation, "SMALL", 2**16)
    return 2**16


@pytest.fixture
def inflated(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The bytes that members of zips are inflated to, one entry a read."""
    found: list[int] = []
    original = zipfile.ZipExtFile._read1  # type: ignore[attr-defined]

    def counted(self: Any, n: int) -> bytes:
        content: bytes = original(self, n)
        found.append(len(content))
        return content

    monkeypatch.setattr(zipfile.ZipExtFile, "_read1", counted)
    return found


@pytest.mark.parametrize("array", [np.zeros((40_000, 8)), np.zeros((4000, 80), np.int64), np.zeros((20, 5, 5, 640), np.uint8)])
def test_an_npz_of_zeros_is_refused_by_its_sizes(array: Any, small: int, inflated: list[int], tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "x.npz", array)
    with pytest.raises(Refusal, match=r"unpacks to [\d,]+, \d+ times as many|is an array of shape"):
        open_data(str(tmp_path / "x.npz"))
    assert sum(inflated) < 20_000


def test_an_npz_of_a_shape_that_is_no_data_is_refused_by_its_header(inflated: list[int], tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "x.npz", x=normal((100, 9, 9, 9), 0, "x").numpy())
    with pytest.raises(Refusal, match="is an array of shape"):
        open_data(str(tmp_path / "x.npz"))
    assert sum(inflated) < 20_000


def test_a_header_that_declares_more_than_the_file_says_is_refused(tmp_path: Path) -> None:
    header = BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f4", "fortran_order": False, "shape": (2**40, 8)})
    with zipfile.ZipFile(tmp_path / "x.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x.npy", header.getvalue() + bytes(1000))
    with pytest.raises(Refusal, match=r"declares 35,184,372,088,832 bytes of values and contains 1,128 at most"):
        open_data(str(tmp_path / "x.npz"))


def test_labels_and_the_test_set_count_too(small: int, tmp_path: Path) -> None:
    x = normal((100, 2), 0, "x").numpy()
    np.savez_compressed(tmp_path / "x.npz", x_train=x, x_test=x, y_train=np.arange(100), y_test=np.zeros(10**6, np.int64))
    with pytest.raises(Refusal, match="times as many"):
        open_data(str(tmp_path / "x.npz"))


def test_ordinary_arrays_are_no_bombs(small: int, tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "x.npz", x=normal((10_000, 4), 0, "x").numpy())
    assert open_data(str(tmp_path / "x.npz")).train.size
    assert not is_bomb(1, small)
    assert not is_bomb(10**6, 10**8)
    assert is_bomb(10**6, 10**8 + 1)


def test_a_gzipped_idx_of_zeros_is_refused_by_its_header(small: int, tmp_path: Path) -> None:
    path = tmp_path / "train-images-idx3-ubyte.gz"
    path.write_bytes(gzip.compress(struct.pack(">HBB3I", 0, 8, 3, 2000, 28, 28) + bytes(2000 * 28 * 28)))
    with pytest.raises(Refusal, match=r"unpacks to 1,568,000, 1,000 times as many"):
        open_data(str(path))


def stuffed(picture: bytes, to: int) -> bytes:
    """A picture with so many bytes of noise behind its end, which no decoder reads."""
    return picture + normal((to // 4,), 0, "stuff").numpy().tobytes()


def test_the_header_of_a_member_is_read_without_the_rest(inflated: list[int], tmp_path: Path) -> None:
    png = BytesIO()
    Image.fromarray(np.arange(64, dtype=np.uint8).reshape(8, 8)).save(png, "PNG")
    with zipfile.ZipFile(tmp_path / "x.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for i in range(20):
            archive.writestr(f"{i}.png", stuffed(png.getvalue(), 2**20))
    inflated.clear()
    tracemalloc.start()
    assert kind_of(str(tmp_path / "x.zip")).shape == (1, 8, 8)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert sum(inflated) < 20 * 2**16
    assert peak < 2**22


def test_a_member_that_unpacks_to_far_more_than_it_has_is_skipped(small: int, inflated: list[int], tmp_path: Path) -> None:
    pictures = (normal((30, 8, 8), 0, "pictures") * 40 + 128).clamp(0, 255).numpy().astype(np.uint8)
    with zipfile.ZipFile(tmp_path / "x.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for i, pixels in enumerate(pictures):
            png = BytesIO()
            Image.fromarray(pixels).save(png, "PNG")
            archive.writestr(f"{i}.png", png.getvalue())
        archive.writestr("bomb.webp", b"RIFF\0\0\0\0WEBP" + bytes(2**21))
    listing = list_images(tmp_path / "x.zip")
    (skipped,) = listing.skipped
    assert skipped.name == "bomb.webp"
    assert "bytes that unpack to 2,097,164" in skipped.reason
    assert len(read_headers(listing)[0]) == 30
    assert sum(inflated) < 2**20
    assert open_data(str(tmp_path / "x.zip")).train.size
