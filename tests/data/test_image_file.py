from __future__ import annotations

import struct
import zlib
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from PIL import Image

from zerosum.data.image_file import ImageHeader, UnreadableImage, decode_image, read_header, strict_pillow

RED, CLEAR = (200, 10, 20, 255), (10, 220, 30, 0)


def written(image: Image.Image, form: str, **keywords: Any) -> BytesIO:
    stream = BytesIO()
    image.save(stream, form, **keywords)
    stream.seek(0)
    return stream


def solid(mode: str, colour: Any, size: tuple[int, int] = (8, 8)) -> Image.Image:
    return Image.new(mode, size, colour)


def palette(transparent: bool) -> BytesIO:
    image = Image.new("P", (8, 8), 1)
    image.putpalette([0, 0, 0, 200, 10, 20])
    image.paste(0, (0, 0, 8, 4))
    return written(image, "PNG", **({"transparency": 0} if transparent else {}))


# What is written, and what it must be read as: channels, then the pixel at the lower right.
ROWS: dict[str, tuple[Any, int, tuple[int, ...]]] = {
    "grey PNG": (lambda: written(solid("L", 77), "PNG"), 1, (77,)),
    "bilevel PNG": (lambda: written(solid("1", 1), "PNG"), 1, (255,)),
    "16-bit PNG": (lambda: written(Image.fromarray(np.full((8, 8), 32768, np.uint16)), "PNG"), 1, (128,)),
    "16-bit TIFF": (lambda: written(Image.fromarray(np.full((8, 8), 65535, np.uint16)), "TIFF"), 1, (255,)),
    "32-bit integer TIFF": (lambda: written(Image.fromarray(np.full((8, 8), 257 * 90, np.int32)), "TIFF"), 1, (90,)),
    "float TIFF": (lambda: written(Image.fromarray(np.full((8, 8), 0.2, np.float32)), "TIFF"), 1, (51,)),
    "grey and alpha PNG": (lambda: written(solid("LA", (77, 99)), "PNG"), 2, (77, 99)),
    "grey PNG with a transparent grey": (lambda: written(solid("L", 77), "PNG", transparency=5), 2, (77, 255)),
    "RGB PNG": (lambda: written(solid("RGB", RED[:3]), "PNG"), 3, RED[:3]),
    "RGB PNG with a transparent colour": (lambda: written(solid("RGB", RED[:3]), "PNG", transparency=(1, 2, 3)), 4, RED),
    "RGBA PNG": (lambda: written(solid("RGBA", (*RED[:3], 99)), "PNG"), 4, (*RED[:3], 99)),
    "palette PNG": (lambda: palette(False), 3, RED[:3]),
    "palette PNG with transparency": (lambda: palette(True), 4, RED),
    "GIF": (lambda: written(solid("P", 0), "GIF"), 3, (0, 0, 0)),
    "RGB WebP": (lambda: written(solid("RGB", RED[:3]), "WEBP", lossless=True), 3, RED[:3]),
    "RGBA WebP": (lambda: written(solid("RGBA", (*RED[:3], 99)), "WEBP", lossless=True, exact=True), 4, (*RED[:3], 99)),
    "BMP": (lambda: written(solid("RGB", RED[:3]), "BMP"), 3, RED[:3]),
    "RGBA TIFF": (lambda: written(solid("RGBA", RED), "TIFF"), 4, RED),
    "CMYK TIFF": (lambda: written(solid("CMYK", (0, 255, 255, 0)), "TIFF"), 3, (255, 0, 0)),
    "Lab TIFF": (lambda: written(solid("LAB", (255, 128, 128)), "TIFF"), 3, (255, 255, 255)),
}


@pytest.mark.parametrize("row", ROWS)
def test_every_mode_is_read_as_what_it_shows(row: str) -> None:
    stream, channels, last = ROWS[row][0](), ROWS[row][1], ROWS[row][2]
    seen = read_header(stream)
    assert (3 if seen.colour else 1) + seen.alpha == channels
    stream.seek(0)
    array = decode_image(stream, (channels, 8, 8), "crop")
    assert array.shape == (channels, 8, 8)
    assert array.dtype == np.uint8
    assert array.flags["C_CONTIGUOUS"]
    # Lab -> RGB rounds twice.
    np.testing.assert_allclose(array[:, -1, -1].astype(int), last, atol=3 if row.startswith("Lab") else 0)


@pytest.mark.parametrize(
    ("mode", "colour", "shown"), [("L", 77, (77,)), ("RGB", RED[:3], RED[:3]), ("CMYK", (0, 255, 255, 0), (255, 0, 0))]
)
def test_jpeg_is_read_in_every_mode(mode: str, colour: Any, shown: tuple[int, ...]) -> None:
    array = decode_image(written(solid(mode, colour), "JPEG", quality=98, subsampling=0), (len(shown), 8, 8), "crop")
    np.testing.assert_allclose(array[:, 4, 4].astype(int), shown, atol=4)


def test_the_first_frame_of_an_animation_counts() -> None:
    frames = [solid("L", grey).convert("P") for grey in (40, 200)]
    for form in ("GIF", "WEBP", "TIFF"):
        shown = decode_image(
            written(frames[0].convert("RGB"), form, save_all=True, append_images=[frames[1].convert("RGB")]), (3, 8, 8), "crop"
        )
        np.testing.assert_allclose(shown.astype(int), 40, atol=2)


def test_channels_follow_the_collection() -> None:
    grey, see_through = solid("L", 77), solid("RGBA", (*RED[:3], 99))
    assert decode_image(written(grey, "PNG"), (3, 8, 8), "crop")[:, 0, 0].tolist() == [77, 77, 77]
    assert decode_image(written(grey, "PNG"), (4, 8, 8), "crop")[:, 0, 0].tolist() == [77, 77, 77, 255]
    assert decode_image(written(see_through, "PNG"), (4, 8, 8), "crop")[:, 0, 0].tolist() == [*RED[:3], 99]


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_rotation_is_obeyed(form: str, orientation: int) -> None:
    # Quarters of four greys, wider than high; EXIF 2.32 says where row 0 and column 0 are seen.
    raw = np.kron(np.array([[30, 90], [150, 220]], np.uint8), np.ones((16, 24), np.uint8))
    shown = {
        1: raw,
        2: raw[:, ::-1],
        3: raw[::-1, ::-1],
        4: raw[::-1],
        5: raw.T,
        6: np.rot90(raw, -1),
        7: np.rot90(raw, 2).T,
        8: np.rot90(raw),
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    stream = written(Image.fromarray(raw).convert("RGB"), form, exif=exif, **({"lossless": True} if form == "WEBP" else {}))
    seen = read_header(stream)
    assert (seen.height, seen.width) == shown.shape
    stream.seek(0)
    array = decode_image(stream, (1, *shown.shape), "crop")
    np.testing.assert_allclose(array[0].astype(int), shown.astype(int), atol=3)


def test_shrinking_averages() -> None:
    board = (np.indices((64, 64)).sum(0) % 2 * 255).astype(np.uint8)
    array = decode_image(written(Image.fromarray(board), "PNG"), (1, 16, 16), "crop")
    assert abs(array.astype(int) - 127).max() <= 3


def test_a_large_jpeg_shrinks_to_what_it_shows() -> None:
    ramp = np.broadcast_to(np.linspace(0, 255, 1600).astype(np.uint8), (1200, 1600))
    array = decode_image(written(Image.fromarray(ramp), "JPEG", quality=95), (1, 12, 16), "crop")
    np.testing.assert_allclose(array[0, 6].astype(float), np.linspace(0, 255, 16 * 2 + 1)[1::2], atol=4)


def test_crop_takes_the_centre_and_stretch_takes_all() -> None:
    bands = np.repeat(np.array([[10, 100, 200]], np.uint8), 16, 0).repeat(16, 1)
    image = Image.fromarray(bands)
    assert set(decode_image(written(image, "PNG"), (1, 16, 16), "crop").ravel().tolist()) == {100}
    stretched = decode_image(written(image, "PNG"), (1, 16, 16), "stretch")[0, 8]
    assert (stretched[0], stretched[-1]) == (10, 200)
    tall = decode_image(written(image.transpose(Image.Transpose.ROTATE_90), "PNG"), (1, 8, 8), "crop")
    # The filter of the outermost rows reaches into the neighbouring bands.
    assert set(tall[0, 2:-2].ravel().tolist()) == {100}


def test_colour_under_transparency_neither_bleeds_nor_stays() -> None:
    image = solid("RGBA", CLEAR, (32, 32))
    image.paste(RED, (0, 0, 13, 32))
    for size in (32, 8):
        red, green, blue, alpha = decode_image(written(image, "PNG"), (4, size, size), "crop").astype(int)
        assert (alpha == 0).any()
        assert (red + green + blue)[alpha == 0].max() == 0
        # Eight-bit colour times alpha, and alpha, are each exact to half a step: (.5 x 255 + .5 x 200) / 60 after the division.
        visible = alpha >= 60
        assert abs(red - RED[0])[visible].max() <= 4
        assert abs(green - RED[1])[visible].max() <= 4


def png_header(width: int, height: int) -> BytesIO:
    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return BytesIO(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b""))


@pytest.mark.parametrize("side", [8200, 9700, 20_000, 2**31 - 1])
def test_absurd_sizes_are_refused_before_decoding(side: int) -> None:
    for read in (read_header, lambda stream: decode_image(stream, (3, 8, 8), "crop")):
        with strict_pillow(), pytest.raises(UnreadableImage, match="million pixels"):
            read(png_header(side, side))


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "BMP", "TIFF", "GIF"])
def test_truncated_files_say_so(form: str, save: Any) -> None:
    content = save(f"a.{form.lower()}", size=(64, 64)).read_bytes()
    with strict_pillow(), pytest.raises(UnreadableImage, match=r"\w+"):
        decode_image(BytesIO(content[: len(content) // 2]), (3, 8, 8), "crop")


@pytest.mark.parametrize("content", [b"hello, I am a text", b"%!PS-Adobe-3.0 EPSF-3.0\n", b"\x89PNG\r\n\x1a\n", bytes(1000)])
def test_what_is_no_image_is_said_to_be_none(content: bytes) -> None:
    with strict_pillow(), pytest.raises(UnreadableImage, match="not an image"):
        read_header(BytesIO(content))


def test_zero_bytes_and_values_out_of_range_are_named() -> None:
    with pytest.raises(UnreadableImage, match="zero bytes"):
        read_header(BytesIO())
    with pytest.raises(UnreadableImage, match="outside"):
        decode_image(written(Image.fromarray(np.full((8, 8), 7.0, np.float32)), "TIFF"), (1, 8, 8), "crop")


def test_a_look_is_the_header() -> None:
    assert read_header(written(solid("RGBA", RED, (20, 10)), "PNG")) == ImageHeader(10, 20, colour=True, alpha=True, format="PNG")
