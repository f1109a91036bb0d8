"""What is neither a file nor a folder is never opened: a pipe would be waited for, and /dev/zero read for ever."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from zerosum.data.detect import kind_of
from zerosum.data.options import DataOptions
from zerosum.data.source import open_data
from zerosum.errors import Refusal

pytestmark = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no such files here")


def test_a_pipe_and_a_device_are_no_data(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.npy")
    for path in (tmp_path / "pipe.npy", Path("/dev/zero")):
        for reads in (open_data, kind_of):
            with pytest.raises(Refusal, match=f"{path} is neither a file nor a folder"):
                reads(str(path))


def test_a_pipe_among_images_is_skipped(tmp_path: Path) -> None:
    for i in range(30):
        Image.fromarray(np.full((8, 8), i, np.uint8)).save(tmp_path / f"{i}.png")
    os.mkfifo(tmp_path / "pipe.png")
    (skipped,) = open_data(str(tmp_path), DataOptions()).skipped
    assert (skipped.name, skipped.reason) == ("pipe.png", "not a regular file")


@pytest.mark.parametrize("spec", ["", " "])
def test_an_empty_name_is_not_the_folder_that_one_stands_in(spec: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A shell's variable that is not set."""
    (tmp_path / "a.png").touch()
    monkeypatch.chdir(tmp_path)
    for reads in (open_data, kind_of):
        with pytest.raises(Refusal, match=f"There is no data '{spec}'"):
            reads(spec)
