"""The time-lapse: evenly chosen grids with the first and the last, as a GIF and as a film; what cannot be read is left out."""

from __future__ import annotations

import subprocess
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from zerosum.report.timelapse import timelapse, timelapse_film


@pytest.fixture
def grids(tmp_path: Path) -> list[Path]:
    made = []
    for i in range(9):
        path = tmp_path / f"{i}.png"
        Image.fromarray(np.full((30, 41, 3), 25 * i, dtype=np.uint8)).save(path)
        made.append(path)
    return made


def greys(content: bytes) -> list[int]:
    with Image.open(BytesIO(content)) as gif:
        found = []
        for i in range(gif.n_frames):  # type: ignore[attr-defined]
            gif.seek(i)
            found.append(int(np.asarray(gif.convert("RGB"))[0, 0, 0]))
    return found


def test_the_first_and_the_last_are_chosen(grids: list[Path]) -> None:
    assert greys(timelapse(grids) or b"") == [25 * i for i in range(9)]
    assert greys(timelapse(grids, most=3) or b"") == [0, 100, 200]


def test_what_cannot_be_read_or_has_another_size_is_left_out(grids: list[Path]) -> None:
    grids[2].write_bytes(b"no picture")
    Image.fromarray(np.zeros((8, 8, 3), dtype=np.uint8)).save(grids[4])
    assert greys(timelapse(grids) or b"") == [25 * i for i in range(9) if i not in (2, 4)]
    assert timelapse([]) is None
    assert timelapse_film([]) is None
    assert timelapse([grids[2]]) is None


def test_a_film_has_every_grid_and_stays_on_the_last(grids: list[Path], tmp_path: Path) -> None:
    imageio_ffmpeg = pytest.importorskip("imageio_ffmpeg")
    file = tmp_path / "film.mp4"
    file.write_bytes(timelapse_film(grids) or b"")
    raw = [imageio_ffmpeg.get_ffmpeg_exe(), "-loglevel", "error", "-i", str(file), "-f", "rawvideo", "-pix_fmt", "gray", "-"]
    shown = np.frombuffer(subprocess.run(raw, capture_output=True, check=True).stdout, dtype=np.uint8).reshape(-1, 30, 40)
    # An even number of pixels each way, and 16 to 235 for black and white.
    levels = shown[:, 0, 0].astype(int)
    assert len(set(levels.tolist())) == 9
    assert (np.diff(levels) >= 0).all()
    assert (levels == levels[-1]).sum() > (levels == levels[0]).sum()
