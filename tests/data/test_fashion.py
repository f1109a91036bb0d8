from __future__ import annotations

import gzip
import struct
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from zerosum.data import fashion
from zerosum.data.fashion import CLASSES, CONTENT, PUBLISHED, read_fashion
from zerosum.data.options import DataOptions
from zerosum.errors import Refusal


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Four files laid out as Fashion-MNIST, forty images a part, and their hashes in place of the published ones."""
    for name in CONTENT:
        count = 40
        if "images" in name:
            array = (np.arange(count * 784) % 251).astype(np.uint8).reshape(count, 28, 28)
        else:
            array = (np.arange(count) % 10).astype(np.uint8)
        header = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
        (tmp_path / name).write_bytes(gzip.compress(header + array.tobytes(), mtime=0))
        monkeypatch.setitem(CONTENT, name, sha256(array.tobytes()).hexdigest())
        monkeypatch.setitem(PUBLISHED, name, sha256((tmp_path / name).read_bytes()).hexdigest())
    monkeypatch.setenv("ZEROSUM_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(fashion, "DEBIAN", tmp_path / "nowhere")
    return tmp_path


def test_debians_files_are_read_where_they_are(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fashion, "DEBIAN", small)
    items = read_fashion(DataOptions())
    assert items.array.shape == (40, 1, 28, 28)
    assert items.classes == CLASSES
    assert items.test is not None
    assert items.test.labels is not None
    assert items.test.labels[:11].tolist() == [*range(10), 0]


def test_what_is_not_fashion_mnist_is_refused(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fashion, "DEBIAN", small)
    monkeypatch.setitem(CONTENT, "t10k-images-idx3-ubyte.gz", "0" * 64)
    with pytest.raises(Refusal, match="not the published Fashion-MNIST"):
        read_fashion(DataOptions())


def test_a_download_is_checked_and_kept(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # A file: address stands in for the network; pooch fetches and hashes it all the same.
    fetched = []

    def copy(url: str, output_file: Any, pooch: Any, check_only: bool = False) -> None:
        fetched.append(url)
        Path(output_file).write_bytes((small / url.rsplit("/", 1)[1]).read_bytes())

    monkeypatch.setattr("pooch.core.choose_downloader", lambda url, progressbar=False: copy)
    assert len(read_fashion(DataOptions()).array) == 40
    assert len(read_fashion(DataOptions()).array) == 40
    assert sorted(fetched) == sorted(fashion.URL + name for name in CONTENT)
    (small / "cache" / "fashion-mnist" / "t10k-images-idx3-ubyte.gz").unlink()
    monkeypatch.setitem(PUBLISHED, "t10k-images-idx3-ubyte.gz", "0" * 64)
    with pytest.raises(Refusal, match="could not be downloaded"):
        read_fashion(DataOptions())


def test_without_a_network_there_is_a_sentence(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Nothing listens on port 9.
    monkeypatch.setattr(fashion, "URL", "http://127.0.0.1:9/")
    with pytest.raises(Refusal, match="install Debian's dataset-fashion-mnist, or put") as refused:
        read_fashion(DataOptions())
    assert str(small / "cache" / "fashion-mnist") in str(refused.value)
