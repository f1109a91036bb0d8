"""Headers of images that are kept for the next start."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from zerosum.data import cache, header_cache, stored_image
from zerosum.data.header_cache import cached_headers
from zerosum.data.image_file import ImageHeader
from zerosum.data.source import open_data

FOUND = [(ImageHeader(4, 5, True, False, "PNG"), ""), (None, "zero bytes")]


@pytest.fixture(autouse=True)
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ZEROSUM_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(cache, "SLOW", 0.0)
    return tmp_path / "cache" / "headers"


def never() -> Any:
    pytest.fail("read twice")


def test_headers_are_read_once(kept: Path) -> None:
    assert cached_headers("a", 2, lambda: list(FOUND)) == FOUND
    assert cached_headers("a", 2, never) == FOUND
    assert cached_headers("b", 2, lambda: []) == []


HEADER, WRONG, TEXT = '[4, 5, true, false, "PNG"]', '[4, 5, true, false, "EXE"]', '["4", 5, true, false, "PNG"]'


@pytest.mark.parametrize(
    "content",
    [
        *("", "{", "[1, 2]", "[" * 9999, "{}", '{"headers": 1, "order": [0, 0]}'),
        f'{{"headers": [{HEADER}], "order": [0]}}',
        f'{{"headers": [{HEADER}], "order": [0, 1]}}',
        f'{{"headers": [{HEADER}], "order": [0, -1]}}',
        f'{{"headers": [{HEADER}], "order": [0, true]}}',
        f'{{"headers": [{WRONG}], "order": [0, 0]}}',
        f'{{"headers": [{TEXT}], "order": [0, 0]}}',
    ],
)
def test_a_damaged_list_is_read_anew(content: str, kept: Path) -> None:
    cached_headers("a", 2, lambda: list(FOUND))
    (file,) = kept.iterdir()
    file.write_text(content)
    assert cached_headers("a", 2, lambda: list(FOUND)) == FOUND
    assert json.loads(file.read_text())["order"] == [0, 1]


def test_equal_headers_are_written_once(kept: Path) -> None:
    many = FOUND * 50
    assert cached_headers("a", 100, lambda: list(many)) == many
    (file,) = kept.iterdir()
    assert json.loads(file.read_text()) == {"headers": [[4, 5, True, False, "PNG"], "zero bytes"], "order": [0, 1] * 50}
    assert cached_headers("a", 100, never) == many


def test_the_newest_are_kept(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(header_cache, "KEPT", 2)
    for age, name in enumerate("abc"):
        cached_headers(name, 2, lambda: list(FOUND))
        for file in kept.iterdir():
            os.utime(file, ns=(file.stat().st_mtime_ns - 10**9,) * 2)
        assert len(list(kept.iterdir())) == min(age + 1, 2)
    cached_headers("c", 2, never)


def test_quick_reading_is_not_kept(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "SLOW", 1e9)
    cached_headers("a", 2, lambda: list(FOUND))
    assert not kept.exists()


def test_a_second_start_on_a_folder_opens_no_image_and_a_changed_one_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "images"
    folder.mkdir()
    for i in range(30):
        Image.fromarray(np.full((8, 8), i, np.uint8)).save(folder / f"{i}.png")
    first = open_data(str(folder))
    opened: list[str] = []
    for name in ("read_header", "decode_image"):
        real = getattr(stored_image, name)
        monkeypatch.setattr(stored_image, name, lambda *a, real=real, name=name: opened.append(name) or real(*a))
    second = open_data(str(folder))
    assert opened == []
    assert second.fingerprint == first.fingerprint
    Image.fromarray(np.full((8, 8), 200, np.uint8)).save(folder / "0.png")
    os.utime(folder / "0.png", (1, 1))
    assert open_data(str(folder)).fingerprint != first.fingerprint
    assert len(opened) == 60


def test_a_file_in_place_of_another_of_equal_size_and_time_is_seen(tmp_path: Path) -> None:
    """As after `mv`: only the inode differs."""
    folder = tmp_path / "images"
    folder.mkdir()
    for i in range(30):
        Image.fromarray(np.full((8, 8), i, np.uint8)).save(folder / f"{i}.bmp")
        os.utime(folder / f"{i}.bmp", ns=(10**18, 10**18))
    first = open_data(str(folder))
    Image.fromarray(np.full((8, 8), 200, np.uint8)).save(tmp_path / "other.bmp")
    os.utime(tmp_path / "other.bmp", ns=(10**18, 10**18))
    assert (tmp_path / "other.bmp").stat().st_size == (folder / "0.bmp").stat().st_size
    (tmp_path / "other.bmp").replace(folder / "0.bmp")
    assert open_data(str(folder)).fingerprint != first.fingerprint
