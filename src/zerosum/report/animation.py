"""Pictures in turn as an animation: a GIF, or an MP4 film with the extra `video`."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from PIL import Image

from zerosum.errors import Refusal
from zerosum.plain_files import write_whole
from zerosum.report.grid import tile
from zerosum.report.scatter import Array

SECOND = 20
"""Pictures a second."""


def save_animation(frames: Array, path: Path) -> Path:
    """Writes images (T, K, H, W[, C]), uint8, as T pictures of K tiles each, whole or not at all. It repeats without end.

    path: ends in .gif or .mp4. Raises Refusal where the extra that an MP4 needs is not installed.
    """
    pictures = [Image.open(BytesIO(tile(frame))).convert("RGB") for frame in frames]
    return write_whole(path, (film if path.suffix == ".mp4" else looping)(pictures))


def looping(pictures: Sequence[Image.Image], duration: int | list[int] = 1000 // SECOND, colours: int = 256) -> bytes:
    """Pictures of one size as a GIF that repeats without end. duration: milliseconds of each, or of all alike."""
    # One palette for all pictures: colours would flicker otherwise.
    width, height = pictures[0].size
    some = pictures[:: max(1, len(pictures) // 16)]
    sheet = Image.new("RGB", (width, height * len(some)))
    for i, picture in enumerate(some):
        sheet.paste(picture, (0, i * height))
    palette = sheet.quantize(colours)
    drawn = [picture.quantize(palette=palette, dither=Image.Dither.NONE) for picture in pictures]
    buffer = BytesIO()
    drawn[0].save(buffer, "GIF", save_all=True, append_images=drawn[1:], duration=duration, loop=0)
    return buffer.getvalue()


def film(pictures: Sequence[Image.Image], fps: float = SECOND) -> bytes:
    """Pictures of one size as an MP4 film. fps: pictures a second. Raises Refusal where the extra `video` is not installed."""
    try:
        import imageio_ffmpeg
    except ImportError as error:
        raise Refusal("An MP4 film needs the extra `video`: pip install 'zerosum[video]', or take the GIF.") from error
    # The codec takes even numbers of pixels alone.
    width, height = (n - n % 2 for n in pictures[0].size)
    with TemporaryDirectory() as folder:
        file = Path(folder) / "film.mp4"
        writer = imageio_ffmpeg.write_frames(str(file), (width, height), fps=fps, macro_block_size=2, ffmpeg_log_level="error")
        writer.send(None)
        for picture in pictures:
            writer.send(np.ascontiguousarray(np.asarray(picture)[:height, :width]))
        writer.close()
        return file.read_bytes()
