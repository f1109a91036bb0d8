"""A batch of samples as one picture: images as tiles; points as a histogram or as scatters (scatter.py)."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from zerosum.errors import Refusal
from zerosum.plain_files import write_whole
from zerosum.report.scatter import Array, DensityFunction, draw_points
from zerosum.report.style import png

_WIDTH = 960  # pixels that a magnified grid may be wide
_MAGNIFY = 8  # largest magnification
_GUTTER = 2
_PAPER = 110  # grey of the gutters: visible beside black and beside white
_MARGIN, _LONGEST_NAME = 8, 24  # pixels beside the name of a row, and the letters of a longer name that are shown
_SQUARE = 8  # pixels of a square of the checkerboard


def save_grid(
    array: Array,
    path: Path | str,
    columns: int | None = None,
    *,
    real: Array | None = None,
    density: DensityFunction | None = None,
    preview: str | None = None,
    names: Sequence[str] = (),
) -> Path:
    """Draw samples into the PNG `path`, whole or not at all.

    array: images, uint8, (N, H, W) or (N, H, W, C) with C of 1 grey, 2 grey and alpha, 3 RGB, 4 RGBA; or points, floating, (N, d).
    columns: tiles per row; default: as square as N allows.
    real: points of p_data, (M, d), drawn behind the samples, which also set the window.
    density: p_data itself, from (K, d) to (K,), for d of 1 or 2.
    preview: a row of PREVIEWS; default: the one that suits the array.
    names: of the rows of tiles, written to their left.
    Raises Refusal when the array is neither, or empty.
    """
    array = np.asarray(array)
    points = array.ndim == 2 and array.shape[0] and array.shape[1] and np.issubdtype(array.dtype, np.floating)
    drawn = PREVIEWS[preview or ("scatter" if points else "tiles")](array, columns, real, density)
    return write_whole(Path(path), named_rows(drawn, names) if names else drawn)


# How a set of samples is drawn as the bytes of a PNG. The data's modality names its row.
PREVIEWS: dict[str, Callable[[Array, int | None, Array | None, DensityFunction | None], bytes]] = {
    "tiles": lambda array, columns, real, density: tile(array, columns),
    "scatter": lambda array, columns, real, density: png(draw_points(array, real, density)),
}


def tile(array: Array, columns: int | None = None) -> bytes:
    """Images (`save_grid`) as the bytes of one PNG: row by row, each magnified by the same whole factor, nearest neighbour."""
    n, height, width = _checked(array).shape[:3]
    across = min(n, columns or math.ceil(math.sqrt(n)))
    factor = max(1, min(_MAGNIFY, (_WIDTH - _GUTTER) // across // width))
    tiles = _opaque(array.repeat(factor, axis=1).repeat(factor, axis=2))
    down = math.ceil(n / across)
    cell = (height * factor + _GUTTER, width * factor + _GUTTER)
    sheet = np.full((down * cell[0] + _GUTTER, across * cell[1] + _GUTTER, tiles.shape[3]), _PAPER, dtype=np.uint8)
    for i, one in enumerate(tiles):
        y, x = _GUTTER + i // across * cell[0], _GUTTER + i % across * cell[1]
        sheet[y : y + one.shape[0], x : x + one.shape[1]] = one
    buffer = BytesIO()
    Image.fromarray(sheet[..., 0] if sheet.shape[2] == 1 else sheet).save(buffer, format="PNG")
    return buffer.getvalue()


def named_rows(picture: bytes, names: Sequence[str]) -> bytes:
    """A PNG of rows of equal height with a name written to the left of each."""
    with Image.open(BytesIO(picture)) as opened:
        tiles = opened.convert("RGB")
    row = (tiles.height - _GUTTER) / len(names)
    font = ImageFont.load_default(max(10.0, min(20.0, row * 0.6)))
    shown = [name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 3]}..." for name in names]
    margin = math.ceil(max(font.getlength(name) for name in shown)) + 2 * _MARGIN
    whole = Image.new("RGB", (tiles.width + margin, tiles.height), (_PAPER,) * 3)
    whole.paste(tiles, (margin, 0))
    draw = ImageDraw.Draw(whole)
    for i, name in enumerate(shown):
        draw.text((margin - _MARGIN, _GUTTER + (i + 0.5) * row), name, "white", font, anchor="rm")
    buffer = BytesIO()
    whole.save(buffer, format="PNG")
    return buffer.getvalue()


def _checked(array: Array) -> Array:
    images = array.ndim == 3 or (array.ndim == 4 and array.shape[3] in (1, 2, 3, 4))
    if not images or array.dtype != np.uint8:
        raise Refusal(
            f"An array of shape {array.shape} and type {array.dtype} is neither images (uint8, N x H x W or N x H x W x C, C from 1 to 4) "
            "nor points (floating, N x d); convert it before drawing it."
        )
    if 0 in array.shape:
        raise Refusal(f"There is nothing to draw in an array of shape {array.shape}; ask for at least one sample.")
    return array


def _opaque(tiles: Array) -> Array:
    """(N, H, W[, C]) -> (N, H, W, 1 or 3): alpha composited over a light checkerboard, so that transparency is visible."""
    if tiles.ndim == 3:
        return tiles[..., None]
    if tiles.shape[3] in (1, 3):
        return tiles
    y, x = np.indices(tiles.shape[1:3]) // _SQUARE
    board = np.where((y + x) % 2, 216.0, 244.0)[None, ..., None]
    alpha = tiles[..., -1:] / 255.0
    return np.rint(alpha * tiles[..., :-1] + (1 - alpha) * board).astype(np.uint8)
