"""What would be trained on, said before training: counts, sizes, channels, classes, what would be skipped and why; and a contact sheet."""

from __future__ import annotations

from math import ceil, sqrt
from typing import Any

import numpy as np
from PIL import Image

from zerosum.data.batches import Part, Rows
from zerosum.data.items import Progress
from zerosum.data.options import DataOptions
from zerosum.data.source import Data, Spec, open_data
from zerosum.data.split import digests
from zerosum.errors import Refusal

# Rows from which value ranges are taken.
_HEAD = 4096
# Sizes that are listed before the rest are only counted.
_SIZES = 20
_SQUARE = 8
_GUTTER = 2


def inspect_data(spec: Spec, options: DataOptions | None = None, progress: Progress | None = None) -> dict[str, Any]:
    """`describe` of the data that `spec` names. Raises Refusal where training on it would."""
    return describe(open_data(spec, options, progress))


def describe(data: Data) -> dict[str, Any]:
    """Plain values, ready for JSON.

    name, spec, fingerprint; kind ("points" or "images"), shape of one item, channels (images); count (items used, None where endless),
    parts (items of train, validation, test), classes (name -> items in all parts; None without); sizes (images: "HxW" -> how many had it,
    the commonest) and other_sizes (how many more there are), duplicates (items that equal an earlier one), range (least and greatest value;
    for points a pair a dimension), offset and scale (points); skipped (name, reason), ignored (files that are no images).
    """
    parts = {name: part.size for name, part in _parts(data).items()}
    finite = [size for size in parts.values() if size is not None]
    return {
        "name": data.name,
        "spec": data.spec,
        "kind": data.space.kind,
        "shape": list(data.space.shape),
        "channels": data.space.shape[0] if data.space.kind == "images" else None,
        "count": sum(finite) if len(finite) == len(parts) else None,
        "parts": parts,
        "classes": _classes(data),
        "sizes": {f"{h}x{w}": n for (h, w), n in data.sizes.most_common(_SIZES)},
        "other_sizes": max(0, len(data.sizes) - _SIZES),
        "duplicates": _duplicates(data),
        "range": _range(data),
        "offset": list(data.space.offset),
        "scale": list(data.space.scale),
        "skipped": [{"name": s.name, "reason": s.reason} for s in data.skipped],
        "ignored": data.ignored,
        "fingerprint": data.fingerprint,
    }


def contact_sheet(data: Data, n: int = 64) -> Image.Image:
    """n training images, always the same ones, on a grid near to square; alpha over a light checkerboard. Raises Refusal for points."""
    if data.space.kind != "images":
        raise Refusal(f"A contact sheet shows images, and {data.name} holds points: draw a scatter instead.")
    images = [_shown(np.moveaxis(x, 0, -1)) for x in data.train.head(n).numpy()]
    _, height, width = data.space.shape
    scale = max(1, 64 // max(height, width))
    columns = ceil(sqrt(len(images)))
    step_y, step_x = scale * height + _GUTTER, scale * width + _GUTTER
    sheet = Image.new("RGB", (columns * step_x + _GUTTER, ceil(len(images) / columns) * step_y + _GUTTER), "white")
    for i, image in enumerate(images):
        place = (_GUTTER + i % columns * step_x, _GUTTER + i // columns * step_y)
        sheet.paste(image.resize((scale * width, scale * height), Image.Resampling.NEAREST), place)
    return sheet


def _parts(data: Data) -> dict[str, Part]:
    return {"train": data.train, "validation": data.validation, "test": data.test}


def _classes(data: Data) -> dict[str, int] | None:
    if data.classes is None:
        return None
    counts = [part.counts(len(data.classes)) for part in _parts(data).values() if isinstance(part, Rows)]
    return {name: sum(count[i] for count in counts if count) for i, name in enumerate(data.classes)}


def _duplicates(data: Data) -> int | None:
    parts = [part for part in _parts(data).values() if isinstance(part, Rows)]
    if not parts:
        return None
    found = np.concatenate([digests(part.array, part.rows) for part in parts])
    return len(found) - len(np.unique(found))


def _range(data: Data) -> list[Any]:
    head = data.train.head(_HEAD).numpy()
    if data.space.kind == "images":
        return [int(head.min()), int(head.max())]
    return [[float(low), float(high)] for low, high in zip(head.min(0), head.max(0), strict=True)]


def _shown(image: np.ndarray[Any, np.dtype[np.uint8]]) -> Image.Image:
    """(H, W, C) -> RGB."""
    height, width, channels = image.shape
    colour = image[..., : 3 if channels > 2 else 1].astype(np.float64)
    if channels in (2, 4):
        squares = (np.add.outer(np.arange(height) // _SQUARE, np.arange(width) // _SQUARE) % 2)[..., None]
        opacity = image[..., -1:] / 255
        colour = colour * opacity + (255 - 32 * squares) * (1 - opacity)
    return Image.fromarray(np.broadcast_to(colour.round().astype(np.uint8), (height, width, 3)).copy())
