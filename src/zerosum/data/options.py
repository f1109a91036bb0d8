"""The options of reading data: one frozen dataclass. Its field docstrings are the help of the command-line flags."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

HUGGING_FACE = "hf:"
"""What the name of a Hugging Face data set begins with, as DATA."""


@dataclass(frozen=True)
class DataOptions:
    """How the training data is read."""

    size: str | None = None
    """Image size to train at: 64 (square) or 48x64 (height x width). Default: the images' own size if they share one up to 64, else 64."""
    fit: Literal["crop", "stretch"] = "crop"
    """How an image of another aspect ratio is resized: crop its centre, or stretch it."""
    limit: int | None = None
    """Use at most this many training items."""
    labels: str | None = None
    """Class labels: a CSV file with the columns file and label, or a dataset.json. Default: the labels that came with the images (a
    dataset.json, a column or file of labels), else the names of their folders. For an array: one label a line, or an .npy array."""
    balance: bool = False
    """Show D all classes equally often, however many images each has; samples without a class are then drawn evenly too."""
    flip: bool = False
    """Mirror each training image left to right with probability one half, drawn again in each epoch."""
