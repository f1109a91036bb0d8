"""A run's grids as one looping GIF, or as a film."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from zerosum.report.animation import film, looping

MOST_FRAMES, WIDEST = 60, 640  # of a GIF
SECONDS, LAST = 8.0, 2  # of the whole, and for which the last picture stays


def timelapse(files: Sequence[Path], most: int = MOST_FRAMES, widest: int = WIDEST) -> bytes | None:
    """At most `most` of the pictures, evenly chosen with the first and the last, as a GIF of about SECONDS; None where none can be read."""
    frames = _frames(files, most, widest)
    if not frames:
        return None
    each = max(40, int(1000 * SECONDS / len(frames)))
    return looping(frames, [*[each] * (len(frames) - 1), LAST * 1000], colours=128)


def timelapse_film(files: Sequence[Path], most: int = 4 * MOST_FRAMES, widest: int = 2 * WIDEST) -> bytes | None:
    """Likewise, as an MP4 film. Raises Refusal where the extra `video` is not installed."""
    frames = _frames(files, most, widest)
    if not frames:
        return None
    fps = max(1.0, len(frames) / SECONDS)
    return film([*frames, *[frames[-1]] * int(LAST * fps)], fps)


def _frames(files: Sequence[Path], most: int, widest: int) -> list[Image.Image]:
    """The chosen pictures that can be read and have the size of the last one."""
    chosen = [files[round(i * (len(files) - 1) / max(1, most - 1))] for i in range(most)] if len(files) > most else files
    frames = []
    for file in chosen:
        try:
            with Image.open(file, formats=["PNG"]) as opened:
                picture = opened.convert("RGB")
        except (OSError, SyntaxError, UnidentifiedImageError, Image.DecompressionBombError):
            continue
        while picture.width > widest:
            picture = picture.reduce(2)
        frames.append(picture)
    return [frame for frame in frames if frame.size == frames[-1].size]
