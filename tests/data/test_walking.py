"""Folders of images with links, loops and folders that cannot be read: every image is found once, and what is not read is named."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from zerosum.data.items import Skipped
from zerosum.data.options import DataOptions
from zerosum.data.source import open_data
from zerosum.data.walking import walk
from zerosum.errors import Refusal


def fill(folder: Path, n: int = 20, first: int = 0) -> Path:
    folder.mkdir(parents=True)
    for i in range(first, first + n):
        Image.fromarray(np.full((8, 8), i, np.uint8)).save(folder / f"{i}.png")
    return folder


def test_a_class_that_is_a_link_is_read(tmp_path: Path) -> None:
    fill(tmp_path / "data" / "cat")
    elsewhere = fill(tmp_path / "elsewhere" / "many dogs", first=100)
    (tmp_path / "data" / "dog").symlink_to(elsewhere, target_is_directory=True)
    data = open_data(str(tmp_path / "data"), DataOptions())
    assert data.classes == ("cat", "dog")
    assert sum(part.size or 0 for part in (data.train, data.validation, data.test)) == 40
    assert data.skipped == ()


def test_loops_end_and_each_folder_is_read_once(tmp_path: Path) -> None:
    root = fill(tmp_path / "data")
    (root / "up").symlink_to(root, target_is_directory=True)
    (root / "self.png").symlink_to("self.png")
    # Each of 30 folders links twice to the next: 2^30 paths.
    for i in range(30):
        (root / f"d{i}").mkdir()
        for twin in "ab":
            (root / f"d{i}" / twin).symlink_to(root / f"d{i + 1}", target_is_directory=True)
    (root / "d30").mkdir()
    skipped: list[Skipped] = []
    files = dict(walk(root, skipped))
    assert len(files) == 21
    assert files["3.png"] == str(root / "3.png")
    assert {s.name for s in skipped} == {"up/", *(f"d{i}/{twin}/" for i in range(30) for twin in "ab")}
    assert {s.reason for s in skipped if s.name == "up/"} == {"a link to ./, which is read already"}
    data = open_data(str(root), DataOptions())
    # A link that adds nothing is reported, and is no reason to refuse the images.
    assert "up/" in [s.name for s in data.skipped]
    assert [s.reason for s in data.skipped if s.name == "self.png"] == [os.strerror(errno.ELOOP)]


def test_a_folder_that_cannot_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Root reads everything, so the system's refusal is put in its place."""
    fill(tmp_path / "a")
    fill(tmp_path / "b", first=100)
    real = os.scandir

    def closed(path: Any) -> Any:
        if Path(path).name == closed_name:
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return real(path)

    closed_name = "b"
    monkeypatch.setattr(os, "scandir", closed)
    data = open_data(str(tmp_path), DataOptions())
    assert [(s.name, s.reason) for s in data.skipped] == [("b/", "Permission denied")]
    closed_name = tmp_path.name
    with pytest.raises(Refusal, match=r"cannot be read \(Permission denied\): change its permissions"):
        open_data(str(tmp_path), DataOptions())
