"""Describe the data that a run would train on: counts, sizes, channels, classes, and which files would be skipped and why."""

from __future__ import annotations

from typing import Any

import numpy as np

from zerosum.data.digest import digests
from zerosum.data.items import Progress
from zerosum.data.options import DataOptions
from zerosum.data.parts import Part, Rows
from zerosum.data.source import Data, Spec, open_data

# Number of samples from which value ranges are taken.
_HEAD = 4096
# Number of image sizes that are listed; the rest are only counted.
_SIZES = 20


def inspect_data(spec: Spec, options: DataOptions | None = None, progress: Progress | None = None) -> dict[str, Any]:
    """`describe` of the data that `spec` names. Raises Refusal where training on it would."""
    return describe(open_data(spec, options, progress))


def describe(data: Data) -> dict[str, Any]:
    """Plain values, ready for JSON.

    name, spec, fingerprint. kind: a row of MODALITIES; what: the same in words ("grey images of 28 x 28"); shape: of one sample;
    channels: null where a sample has none. count: samples used, null where endless; parts: samples of train, validation, test.
    classes: name -> samples in all parts, null without. sizes: "HxW" -> how many images had it, the commonest; other_sizes: how many more.
    duplicates: samples that equal an earlier one. range: least and greatest value, a pair for each coordinate where the modality is
    standardised. offset, scale: see `Space`. skipped: name and reason of each file; ignored: number of files that are not images.
    """
    modality = data.space.modality
    parts = {name: part.size for name, part in _parts(data).items()}
    finite = [size for size in parts.values() if size is not None]
    return {
        "name": data.name,
        "spec": data.spec,
        "kind": data.space.kind,
        "what": modality.describe(data.space.shape),
        "shape": list(data.space.shape),
        "channels": None if modality.channel_axis is None else data.space.shape[modality.channel_axis],
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


def _parts(data: Data) -> dict[str, Part]:
    return {"train": data.train, "validation": data.validation, "test": data.test}


def _classes(data: Data) -> dict[str, int] | None:
    if not data.classes:
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
    if not data.space.modality.standardised:
        return [head.min().item(), head.max().item()]
    return [[low.item(), high.item()] for low, high in zip(head.min(0), head.max(0), strict=True)]
