"""Read one image file as uint8 (C, H, W): any mode that Pillow reads, EXIF rotation, alpha, cropped or stretched to a size.

Use the functions inside `strict_pillow`, which sets the warning filters once for all files and threads.
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

# 67 million pixels, 256 MB in RGBA: more than photographs have, and below the size that Pillow warns of.
MAX_PIXELS = 2**26
MAX_BYTES = 2**28

_ORIENTATION = 0x0112
_GREY = frozenset({"1", "L", "LA", "La", "I", "F"})
_ALPHA = frozenset({"LA", "La", "PA", "RGBA", "RGBa"})
_MODES = {(False, False): "L", (False, True): "LA", (True, False): "RGB", (True, True): "RGBA"}

Fit = Literal["crop", "stretch"]


class UnreadableImage(Exception):
    """Why a file cannot be used as an image, in a few words."""


@dataclass(frozen=True)
class ImageHeader:
    """An image's header: size after EXIF rotation, whether it may contain colour, whether it has alpha, and its format, one of FORMATS."""

    height: int
    width: int
    colour: bool
    alpha: bool
    format: str


@contextmanager
def strict_pillow() -> Iterator[None]:
    """A context in which Pillow's warning of a decompression bomb is an error and its other warnings are silent, in all threads."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        yield


def read_header(stream: IO[bytes]) -> ImageHeader:
    """Read the header of an image. Raises UnreadableImage."""
    with _as_unreadable(), _open(stream) as image:
        height, width = image.height, image.width
        if _turned(image):
            height, width = width, height
        return ImageHeader(height, width, not _is_grey(image), _has_alpha(image), image.format or "")


def decode_image(stream: IO[bytes], shape: tuple[int, int, int], fit: Fit) -> npt.NDArray[np.uint8]:
    """Decode an image to uint8 of `shape` (C, H, W): C = 1 grey, 2 grey and alpha, 3 RGB, 4 RGBA. Raises UnreadableImage."""
    with _as_unreadable(), _open(stream) as image:
        # A large JPEG is decoded at 1/2, 1/4 or 1/8 of its size, but at no less than twice the target, so that the resizing still filters.
        image.draft(image.mode, (2 * max(shape[1:]), 2 * max(shape[1:])))
        image.load()
        ImageOps.exif_transpose(image, in_place=True)
        return fit_image(image, shape, fit)


def fit_image(image: Image.Image, shape: tuple[int, int, int], fit: Fit) -> npt.NDArray[np.uint8]:
    """Bring an image in memory to uint8 `shape` (C, H, W). C decides whether colour and alpha are dropped or added."""
    channels, height, width = shape
    mode = _MODES[channels > 2, channels in (2, 4)]
    resized = _resized(_converted(image, mode), height, width, fit)
    array = np.frombuffer(resized.tobytes(), np.uint8).reshape(height, width, channels).transpose(2, 0, 1).copy()
    if channels in (2, 4):
        # Fully transparent pixels contain arbitrary colours, which a net would learn.
        array *= array[-1] > 0
    return array


@contextmanager
def _as_unreadable() -> Iterator[None]:
    try:
        yield
    except UnreadableImage:
        raise
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise UnreadableImage(f"more than {MAX_PIXELS / 1e6:.0f} million pixels") from error
    except UnidentifiedImageError as error:
        raise UnreadableImage("not an image of a known format") from error
    except Exception as error:
        # For a damaged file decoders raise almost any exception (OSError, SyntaxError, struct.error, IndexError, zlib.error, ...).
        words = str(error).strip().splitlines()
        raise UnreadableImage(words[0] if words else type(error).__name__) from error


@contextmanager
def _open(stream: IO[bytes]) -> Iterator[Image.Image]:
    if not stream.read(1):
        raise UnreadableImage("zero bytes")
    stream.seek(0)
    with Image.open(stream, formats=FORMATS) as image:
        if image.width * image.height > MAX_PIXELS:
            raise UnreadableImage(f"{image.width} x {image.height} is more than {MAX_PIXELS / 1e6:.0f} million pixels")
        yield image


def _turned(image: Image.Image) -> bool:
    """Whether EXIF says that height and width are swapped. For TIFF, Pillow applies the rotation when it opens the file."""
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
    """Grey of more than eight bits -> L. Floats must be in 0..1 and integers in 0..65535. Raises UnreadableImage for other values."""
    values: npt.NDArray[Any] = np.asarray(image).astype(np.float64)
    top = 1.0 if image.mode == "F" else 65535.0
    if not (np.isfinite(values).all() and values.min() >= 0 and values.max() <= top):
        raise UnreadableImage(f"grey values outside 0..{top:g}")
    return Image.fromarray((values * (255 / top)).round().astype(np.uint8))


def _resized(image: Image.Image, height: int, width: int, fit: Fit) -> Image.Image:
    """Resize with a bicubic filter that antialiases. Pillow weights colour by alpha while it resizes."""
    if image.size == (width, height):
        return image
    box = (0.0, 0.0, float(image.width), float(image.height))
    if fit == "crop":
        scale = min(image.width / width, image.height / height)
        left, top = (image.width - scale * width) / 2, (image.height - scale * height) / 2
        box = (max(left, 0.0), max(top, 0.0), min(left + scale * width, image.width), min(top + scale * height, image.height))
    return image.resize((width, height), Image.Resampling.BICUBIC, box=box, reducing_gap=3.0)
