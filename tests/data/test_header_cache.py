"""Headers of images that are kept for the next start."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from zerosum.data import cache, header_cache, image_folder
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


@pytest.mark.parametrize(
    "content", ["", "{", "[1, 2]", '[["4", 5, true, false, "PNG"], ""]', '[[4, 5, true, false, "EXE"], ""]', '[""]', "[" * 9999]
)
def test_a_damaged_list_is_read_anew(content: str, kept: Path) -> None:
    cached_headers("a", 2, lambda: list(FOUND))
    (file,) = kept.iterdir()
    file.write_text(content)
    assert cached_headers("a", 2, lambda: list(FOUND)) == FOUND
    assert len(json.loads(file.read_text())) == 2


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
        real = getattr(image_folder, name)
        monkeypatch.setattr(image_folder, name, lambda *a, real=real, name=name: opened.append(name) or real(*a))
    second = open_data(str(folder))
    assert opened == []
    assert second.fingerprint == first.fingerprint
    Image.fromarray(np.full((8, 8), 200, np.uint8)).save(folder / "0.png")
    os.utime(folder / "0.png", (1, 1))
    assert open_data(str(folder)).fingerprint != first.fingerprint
    assert len(opened) == 60
