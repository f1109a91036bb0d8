"""Data given as Python objects: arrays, tensors, (samples, labels) pairs, data sets, and iterables of batches."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch import Tensor

from zerosum.errors import Refusal

Array = npt.NDArray[Any]
_PILLOW_MODES = ("L", "LA", "RGB", "RGBA")


class InMemory(NamedTuple):
    """Samples (N, ...) and their labels as they were given, or None."""

    x: Array | Tensor
    y: Any = None


def in_memory(data: Any) -> str | Path | InMemory:
    """Samples and labels of data given as Python objects; a name or path is returned as it is.

    data: an array or tensor; a tuple (samples, labels); a map-style data set, such as a torch.utils.data.Dataset, whose items are samples
    or (sample, label); or an iterable of batches, such as a DataLoader or a list, each an array or (samples, labels), read once to its end.
    Raises Refusal for anything else.
    """
    if isinstance(data, (str, Path, InMemory)):
        return data
    if isinstance(data, (np.ndarray, Tensor)):
        return InMemory(data)
    if isinstance(data, tuple) and len(data) == 2 and isinstance(data[0], (np.ndarray, Tensor)):
        return InMemory(data[0], _labels(data[1]))
    kind = type(data)
    # A data set is read by number, and has no iterator of its own: PyTorch's IterableDataset, a DataLoader and a list have one.
    if hasattr(kind, "__getitem__") and hasattr(kind, "__len__") and not hasattr(kind, "__iter__"):
        return _of_items([data[i] for i in range(len(data))])
    if isinstance(data, Iterable) and not isinstance(data, (dict, bytes)):
        return _of_batches(data)
    raise Refusal(f"Data of type {kind.__name__} cannot be read: give a name, a path, an array or tensor, (samples, labels), or batches.")


def as_array(x: Array | Tensor) -> Array:
    """An array or tensor as an array. Floating types that numpy lacks become float32."""
    if not isinstance(x, Tensor):
        return x
    tensor = x.detach().cpu()
    return (tensor.float() if tensor.dtype in (torch.bfloat16, torch.float16) else tensor).numpy()


def _of_items(items: Sequence[Any]) -> InMemory:
    if not items:
        raise Refusal("The data set is empty: give one whose items are samples, or (sample, label).")
    pairs = [_pair(item, "item") for item in items]
    samples = [_sample(x) for x, _ in pairs]
    shapes = {tuple(x.shape) for x in samples}
    if len(shapes) > 1:
        some = " and ".join(str(shape) for shape in sorted(shapes)[:2])
        raise Refusal(f"The items of the data set differ in shape ({some}): resize them to one shape.")
    x = torch.stack(samples) if isinstance(samples[0], Tensor) else np.stack(samples)
    labels = _all_or_none([y for _, y in pairs], "items")
    return InMemory(x, None if labels is None else [y.item() if isinstance(y, (Tensor, np.generic)) and y.ndim == 0 else y for y in labels])


def _of_batches(batches: Iterable[Any]) -> InMemory:
    pairs = [_pair(batch, "batch") for batch in _not_items(batches)]
    if not pairs:
        raise Refusal("The iterable of batches was empty: give one that yields arrays or tensors (N, ...), or (samples, labels).")
    samples = [torch.as_tensor(x) for x, _ in pairs]
    shapes = {tuple(x.shape[1:]) for x in samples}
    if len(shapes) > 1:
        some = " and ".join(str(shape) for shape in sorted(shapes)[:2])
        raise Refusal(f"The batches contain samples of different shapes ({some}): resize them to one shape.")
    labels = _all_or_none([y for _, y in pairs], "batches")
    for x, y in zip(samples, labels or (), strict=False):
        if np.shape(_labels(y))[:1] != (len(x),):
            raise Refusal(f"A batch has {len(x)} samples and labels of shape {np.shape(_labels(y))}: give one label a sample.")
    return InMemory(torch.cat(samples), None if labels is None else np.concatenate([np.asarray(_labels(y)) for y in labels]))


def _not_items(batches: Iterable[Any]) -> Iterable[Any]:
    """`batches`; raises Refusal for a list of single (sample, label) pairs or of tuples of numbers, which is easily taken for batches."""
    if isinstance(batches, (list, tuple)) and batches and all(isinstance(item, tuple) for item in batches):
        if all(len(item) == 2 and np.ndim(item[1]) == 0 and hasattr(item[0], "shape") for item in batches):
            raise Refusal(
                f"A {type(batches).__name__} of (sample, label) pairs cannot be read, because each entry of it would be a batch: "
                "give (samples, labels) as two arrays, or a map-style data set."
            )
        if all(isinstance(number, (int, float)) for item in batches for number in item):
            raise Refusal(f"A {type(batches).__name__} of tuples of numbers cannot be read: give an array, such as numpy.array(data).")
    return batches


def _pair(item: Any, what: str) -> tuple[Any, Any]:
    """(samples, labels) of an item or batch, labels None without."""
    if isinstance(item, (tuple, list)) and len(item) in (1, 2) and isinstance(item[0], (np.ndarray, Tensor, Image.Image)):
        return (item[0], None) if len(item) == 1 else (item[0], item[1])
    if isinstance(item, (np.ndarray, Tensor, Image.Image)):
        return item, None
    found = f"{type(item).__name__} of {len(item)}" if isinstance(item, (tuple, list, dict)) else type(item).__name__
    raise Refusal(f"One {what} of the data is a {found}: give arrays, tensors or PIL images, alone or in pairs (x, label).")


def _sample(x: Array | Tensor | Image.Image) -> Any:
    if not isinstance(x, Image.Image):
        return x
    return np.asarray(x if x.mode in _PILLOW_MODES else x.convert("RGB"))


def _labels(y: Any) -> Any:
    return as_array(y) if isinstance(y, Tensor) else y


def _all_or_none(labels: list[Any], what: str) -> list[Any] | None:
    missing = sum(y is None for y in labels)
    if missing not in (0, len(labels)):
        raise Refusal(f"{missing} of {len(labels)} {what} have no labels: label all of them, or none.")
    return None if missing else labels
