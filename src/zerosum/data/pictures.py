"""One image file -> uint8 (C, H, W): every mode that Pillow reads, EXIF rotation, alpha, crop or stretch, antialiased.

Nothing here imports torch, and no warning filter is set: `guarded` sets them for a whole reading.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Any, Literal

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps, UnidentifiedImageError

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "TIFF", "GIF")
SUFFIXES = frozenset({".png", ".apng", ".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".bmp", ".dib", ".tif", ".tiff", ".gif"})

# 67 million pixels: above any camera's sensible picture, below what Pillow itself warns of; in RGBA 256 MB.
MAX_PIXELS = 2**26
MAX_BYTES = 2**28

_ORIENTATION = 0x0112
_GREY = frozenset({"1", "L", "LA", "La", "I", "F"})
_ALPHA = frozenset({"LA", "La", "PA", "RGBA", "RGBa"})
_MODES = {(False, False): "L", (False, True): "LA", (True, False): "RGB", (True, True): "RGBA"}

Fit = Literal["crop", "stretch"]


class Unreadable(Exception):
    """Why a file is no usable image, in a few words."""


@dataclass(frozen=True)
class Look:
    """What an image's header says: size as it is to be seen (EXIF obeyed), whether it may hold colour, whether it carries alpha, and its
    format, one of FORMATS."""

    height: int
    width: int
    colour: bool
    alpha: bool
    format: str


@contextmanager
def guarded() -> Iterator[None]:
    """For a whole reading, threads included: Pillow's warning of a decompression bomb is an error, its other remarks are silent."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        yield


def look(stream: IO[bytes]) -> Look:
    """The header of an image. Raises Unreadable."""
    with _reasons(), _opened(stream) as image:
        height, width = image.height, image.width
        if _turned(image):
            height, width = width, height
        return Look(height, width, not _is_grey(image), _has_alpha(image), image.format or "")


def pixels(stream: IO[bytes], shape: tuple[int, int, int], fit: Fit) -> npt.NDArray[np.uint8]:
    """The image as uint8 of `shape` (C, H, W): C = 1 grey, 2 grey and alpha, 3 RGB, 4 RGBA. Raises Unreadable."""
    with _reasons(), _opened(stream) as image:
        # A JPEG far larger than needed is decoded at a half, a quarter or an eighth; twice the target leaves the filter its work.
        image.draft(image.mode, (2 * max(shape[1:]), 2 * max(shape[1:])))
        image.load()
        return fitted(ImageOps.exif_transpose(image), shape, fit)


def fitted(image: Image.Image, shape: tuple[int, int, int], fit: Fit) -> npt.NDArray[np.uint8]:
    """An image in memory brought to uint8 `shape` (C, H, W); colour is dropped or repeated, alpha dropped or made full, as C asks."""
    channels, height, width = shape
    mode = _MODES[channels > 2, channels in (2, 4)]
    resized = _resized(_converted(image, mode), height, width, fit)
    array = np.array(resized, dtype=np.uint8).reshape(height, width, channels)
    if channels in (2, 4):
        # What lies under full transparency is whatever a program left there: noise that a net would learn.
        array[array[..., -1] == 0] = 0
    return np.ascontiguousarray(array.transpose(2, 0, 1))


@contextmanager
def _reasons() -> Iterator[None]:
    try:
        yield
    except Unreadable:
        raise
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise Unreadable(f"more than {MAX_PIXELS / 1e6:.0f} million pixels") from error
    except UnidentifiedImageError as error:
        raise Unreadable("not an image of a known format") from error
    except Exception as error:
        # Decoders meet a damaged file with almost any exception (OSError, SyntaxError, struct.error, IndexError, zlib.error, ...).
        words = str(error).strip().splitlines()
        raise Unreadable(words[0] if words else type(error).__name__) from error


@contextmanager
def _opened(stream: IO[bytes]) -> Iterator[Image.Image]:
    if not stream.read(1):
        raise Unreadable("zero bytes")
    stream.seek(0)
    with Image.open(stream, formats=FORMATS) as image:
        if image.width * image.height > MAX_PIXELS:
            raise Unreadable(f"{image.width} x {image.height} is more than {MAX_PIXELS / 1e6:.0f} million pixels")
        yield image


def _turned(image: Image.Image) -> bool:
    """Whether EXIF says that height and width change places. TIFF's own tag is obeyed by Pillow when it opens the file."""
    if image.format == "TIFF" or (image.format == "PNG" and "exif" not in image.info):
        return False
    return image.getexif().get(_ORIENTATION, 1) in (5, 6, 7, 8)


def _is_grey(image: Image.Image) -> bool:
    return image.mode in _GREY or image.mode.startswith("I;")


def _has_alpha(image: Image.Image) -> bool:
    return image.mode in _ALPHA or ("transparency" in image.info and image.mode in ("1", "L", "P", "RGB"))


def _converted(image: Image.Image, mode: str) -> Image.Image:
    if image.mode in ("I", "F") or image.mode.startswith("I;"):
        image = _eight_bit(image)
    elif image.mode in ("P", "PA"):
        image = image.convert("RGBA" if _has_alpha(image) else "RGB")
    elif image.mode in ("La", "RGBa"):
        image = image.convert({"La": "LA", "RGBa": "RGBA"}[image.mode])
    elif image.mode == "1":
        image = image.convert("L")
    elif not _is_grey(image) and image.mode not in ("RGB", "RGBA"):
        image = image.convert("RGB")
    return image if image.mode == mode else image.convert(mode)


def _eight_bit(image: Image.Image) -> Image.Image:
    """Grey of more than eight bits -> L. Floats are taken as 0..1, integers as 0..65535. Raises Unreadable where the values are others."""
    values: npt.NDArray[Any] = np.asarray(image).astype(np.float64)
    top = 1.0 if image.mode == "F" else 65535.0
    if not (np.isfinite(values).all() and values.min() >= 0 and values.max() <= top):
        raise Unreadable(f"grey values outside 0..{top:g}")
    return Image.fromarray((values * (255 / top)).round().astype(np.uint8))


def _resized(image: Image.Image, height: int, width: int, fit: Fit) -> Image.Image:
    """Bicubic, its support widened where it shrinks (antialiased); Pillow multiplies colour by alpha for the resizing and divides after."""
    if image.size == (width, height):
        return image
    box = (0.0, 0.0, float(image.width), float(image.height))
    if fit == "crop":
        scale = min(image.width / width, image.height / height)
        left, top = (image.width - scale * width) / 2, (image.height - scale * height) / 2
        box = (max(left, 0.0), max(top, 0.0), min(left + scale * width, image.width), min(top + scale * height, image.height))
    return image.resize((width, height), Image.Resampling.BICUBIC, box=box, reducing_gap=3.0)
