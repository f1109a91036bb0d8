"""A run's grids as one looping GIF."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

from PIL import Image, UnidentifiedImageError

MOST_FRAMES, WIDEST, SECONDS = 60, 640, 8.0


def timelapse(files: Sequence[Path], most: int = MOST_FRAMES, widest: int = WIDEST) -> bytes | None:
    """At most `most` of the pictures, evenly chosen with the first and the last, as a GIF of about SECONDS; None where none can be read."""
    chosen = (
        [files[round(i * (len(files) - 1) / max(1, most - 1))] for i in range(min(most, len(files)))] if len(files) > most else list(files)
    )
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
    frames = [frame for frame in frames if frame.size == frames[-1].size]
    if not frames:
        return None
    # One palette for all frames, so that colours do not flicker.
    palette = frames[-1].quantize(128)
    drawn = [frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in frames]
    each = max(40, int(1000 * SECONDS / len(drawn)))
    buffer = BytesIO()
    drawn[0].save(buffer, "GIF", save_all=True, append_images=drawn[1:], duration=[*[each] * (len(drawn) - 1), 2000], loop=0)
    return buffer.getvalue()
