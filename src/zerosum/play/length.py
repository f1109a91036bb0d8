"""How long a training lasts: about so many minutes, or so many real samples shown to D."""

from __future__ import annotations

from typing import Annotated

from zerosum.errors import Refusal
from zerosum.options import Option, Range

Minutes = Annotated[float | None, Range(above=0)]
Samples = Annotated[int | None, Range(1)]

MINUTES = 5.0
"""How long a training lasts where neither is given."""


def checked_length(minutes: float | None, samples: int | None, spelled: str = "{}") -> tuple[float | None, int | None]:
    """The two as `Option` keeps them. Raises Refusal where both are given, or one is not a length.

    spelled: how an option is written in the sentence: "--{}" on the command line.
    """
    names = spelled.format("minutes"), spelled.format("samples")
    if minutes is not None and samples is not None:
        raise Refusal(f"Give {' or '.join(names)}, not both: each alone says how long to train.")
    return Option.of(Minutes).checked(minutes, names[0]), Option.of(Samples).checked(samples, names[1])
