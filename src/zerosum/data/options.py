"""What a user may say about the data: one frozen dataclass, whose field docstrings are the flags' help."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class DataOptions:
    """How the training data is read."""

    size: str | None = None
    """Image size to train at: 64 (square) or 48x64 (height x width). Default: the images' own size if they share one up to 64, else 64."""
    fit: Literal["crop", "stretch"] = "crop"
    """How an image of another shape is brought to the size: centre crop, or stretch."""
    limit: int | None = None
    """Use at most this many training items."""
    flip: bool = False
    """Show each training image mirrored left to right half of the time."""
