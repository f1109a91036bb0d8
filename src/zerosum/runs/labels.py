"""From what a user asks for to class numbers: one class for all samples, or one for each, by number or by name."""

from __future__ import annotations

from collections.abc import Sequence
from math import isqrt
from operator import index
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from zerosum.errors import Refusal, nearest
from zerosum.runs.sampling import drawn_classes

AskedClasses = int | str | Sequence[int | str]
"""One class for all samples, or one for each: by number or by name. An array or a tensor of numbers is accepted too."""

MOST_ROWS = 16  # of a grid that shows a row for each class
BETWEEN = ">"  # between the names of two classes that a walk goes between
NAMED = 12  # classes that a refusal lists; of more, the first ones


def class_number(asked: Any, classes: Sequence[str]) -> int:
    """The number of a class that is given by its name or its number. Raises Refusal where there is no such class."""
    if isinstance(asked, str) and asked in classes:
        return classes.index(asked)
    try:
        number = int(asked) if isinstance(asked, str) else index(asked)
    except (TypeError, ValueError):
        number = -1
    if isinstance(asked, bool) or not 0 <= number < len(classes):
        listed = ", ".join([*classes[:NAMED], *(["..."] if len(classes) > NAMED else [])])
        known = f"the classes are {listed}, or by number 0 to {len(classes) - 1}"
        raise Refusal(f"There is no class {asked!r}: {known}.{nearest(str(asked), classes)}")
    return number


def class_numbers(y: AskedClasses, n: int, classes: Sequence[str]) -> Tensor:
    """The class numbers, int64 (n,), of n samples. Raises Refusal for a class that does not exist and a sequence of another length."""
    asked: Any = y.tolist() if hasattr(y, "tolist") else y
    if isinstance(asked, str) or not isinstance(asked, Sequence):
        return torch.full((n,), class_number(asked, classes), dtype=torch.int64)
    if len(asked) != n:
        raise Refusal(f"{len(asked):,} classes were given for {n:,} samples: give one class for all of them, or one for each.")
    return torch.tensor([class_number(each, classes) for each in asked], dtype=torch.int64)


def class_walks(y: AskedClasses | None, rows: int, steps: int, classes: Sequence[str], closed: bool = False) -> Tensor | None:
    """For "cat>dog", weights of the classes on the way from one to the other in each row, (rows x steps, classes); else None.

    closed: whether the way leads back to the first class, which then comes after the last step.
    """
    if not isinstance(y, str) or BETWEEN not in y or y in classes or not classes:
        return None
    numbers = [class_number(name.strip(), classes) for name in y.split(BETWEEN)]
    ends = one_hot(torch.tensor(numbers + numbers[: int(closed)]), len(classes)).float()
    # One stretch between each two classes: "a>b>c" has two.
    place = torch.linspace(0, len(ends) - 1, steps + closed)[:steps]
    first = place.long().clamp(max=len(ends) - 2)
    u = (place - first)[:, None]
    return ((1 - u) * ends[first] + u * ends[first + 1]).repeat(rows, 1)


def one_class_a_row(classes: int, n: int) -> list[int] | None:
    """The classes of a square grid of at least n samples, whose rows each show one class; None where there are too many for rows."""
    side = max(isqrt(n), classes)
    return [row % classes for row in range(side) for _ in range(side)] if 0 < classes <= MOST_ROWS else None


def sampled_classes(y: AskedClasses | None, n: int, classes: Sequence[str], counts: Sequence[int] | None, seed: int) -> Tensor:
    """As `class_numbers`; where y is None, classes drawn by their share of the training data.

    counts: items of each class that were trained on; None draws all classes equally often.
    """
    if y is not None:
        return class_numbers(y, n, classes)
    return drawn_classes([1] * len(classes) if counts is None else counts, n, seed)
