"""Labels as a user or a file gives them -> class numbers 0, 1, ... and the names of the classes."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from zerosum.errors import Refusal

Labels = npt.NDArray[np.int64]
Classes = tuple[str, ...]


def class_numbers(labels: Any, count: int, name: str) -> tuple[Labels | None, Classes]:
    """Class numbers (N,) and class names of labels for `count` samples; (None, ()) without labels.

    labels: whole numbers from 0 up (also as floats), or words, (N,) or (N, 1). Classes are numbered in ascending order of the labels that
    occur: 4, 5, 7 become 0, 1, 2 with the names "4", "5", "7". name: of the data, for messages. Raises Refusal for other labels.
    """
    if labels is None:
        return None, ()
    y = _array(labels, name)
    if y.ndim == 2 and y.shape[1] == 1:
        y = y[:, 0]
    if y.ndim > 1:
        shape = f"The labels of {name} have shape {y.shape}, several numbers a sample"
        raise Refusal(f"{shape}: give one class a sample; one-hot labels become class numbers with y.argmax(1).")
    if y.shape != (count,):
        raise Refusal(f"There are {count} samples in {name} and {y.size} labels: give one label a sample.")
    values, numbers = np.unique(_whole(y, name), return_inverse=True)
    return numbers.astype(np.int64), tuple(str(v) for v in values)


def joined(classes: Classes, others: Classes) -> Classes:
    """The classes of two sets together, in ascending order: by value where all are numbers, else by name."""
    names = {*classes, *others}
    return tuple(sorted(names, key=int if all(name.isdecimal() for name in names) else None))


def renumbered(labels: Labels, classes: Classes, among: Classes) -> Labels:
    """Class numbers into `classes` as class numbers into `among`, which contains all of them."""
    return np.array([among.index(name) for name in classes], dtype=np.int64)[labels]


def _array(labels: Any, name: str) -> npt.NDArray[Any]:
    try:
        y = np.asarray(labels)
    except ValueError as error:
        raise Refusal(f"The labels of {name} are no array ({error}): give one whole number or word a sample.") from error
    if y.dtype.kind == "O":
        # What a list of mixed values or a table's column becomes.
        words = y.size > 0 and all(isinstance(v, str) for v in y.flat)
        numbers = y.size > 0 and all(isinstance(v, (int, np.integer)) and not isinstance(v, bool) for v in y.flat)
        if not (words or numbers):
            raise Refusal(f"The labels of {name} are neither all whole numbers nor all words: give one of either a sample.")
        y = y.astype(str if words else np.int64)
    return np.char.decode(y, "utf-8", "replace") if y.dtype.kind == "S" else y


def _whole(y: npt.NDArray[Any], name: str) -> npt.NDArray[Any]:
    """Labels (N,) that are words or whole numbers from 0 up. Raises Refusal where they are not."""
    advice = "give whole numbers from 0 up, or words, one a sample"
    if y.dtype.kind == "f" and np.isnan(y).any():
        raise Refusal(f"{int(np.isnan(y).sum())} of the {len(y)} labels of {name} are NaN: {advice}.")
    if y.dtype.kind == "f" and (y == np.round(y)).all() and (abs(y) < 2**53).all():
        y = y.astype(np.int64)  # Tables and arrays of mixed types often store whole numbers as floats.
    if y.dtype.kind not in "iuU":
        raise Refusal(f"The labels of {name} are of type {y.dtype}: {advice}.")
    if y.dtype.kind == "i" and y.size and y.min() < 0:
        raise Refusal(f"{int((y < 0).sum())} of the {len(y)} labels of {name} are negative, down to {y.min()}: {advice}.")
    return y
