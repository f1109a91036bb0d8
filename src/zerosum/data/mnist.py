"""The MNIST digits, which the package contains (digits/): 60,000 for training and 10,000 for the test, 28 x 28, grey.

Yann LeCun and Corinna Cortes, CC BY-SA 3.0.
"""

from __future__ import annotations

from hashlib import sha256
from importlib.resources import files
from typing import Any

import numpy.typing as npt

from zerosum.data.arrays import items_of, with_test
from zerosum.data.idx import read_idx
from zerosum.data.items import Items, Progress
from zerosum.data.options import DataOptions
from zerosum.errors import Refusal

SHA256 = {
    "train-images-idx3-ubyte.gz": "0b367032e93c5d0cea0925647cfdb18614af8ee15f83e6f2fc2ad904a6835971",
    "train-labels-idx1-ubyte.gz": "1787548bbe0bff1ec2ecdc0ef292b02df999e2d1a6002d27500982c652b17203",
    "t10k-images-idx3-ubyte.gz": "1a1a05eab793c14bb050b398624a11b0ffd1a2953baed553b1b9bd079e2a20be",
    "t10k-labels-idx1-ubyte.gz": "b91679a0acfe4ba0e50a2437a903084cba1f5f92592b016a25a7dfd00455798b",
}


def digits(part: str) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Images uint8 (N, 28, 28) and labels uint8 (N,) of the part "train" or "t10k". Raises Refusal where the package is damaged."""
    return _verified(f"{part}-images-idx3-ubyte.gz"), _verified(f"{part}-labels-idx1-ubyte.gz")


def read_mnist(options: DataOptions, progress: Progress | None = None) -> Items:
    """All 70,000 digits, with the published test set."""
    train, test = (items_of(*digits(part), f"mnist ({part})", options, progress) for part in ("train", "t10k"))
    return with_test(train, test, "mnist")


def _verified(name: str) -> npt.NDArray[Any]:
    content = files("zerosum.data").joinpath("digits", name).read_bytes()
    if sha256(content).hexdigest() != SHA256[name]:
        raise Refusal(f"The digits file {name} inside the zerosum package is damaged: install zerosum again.")
    return read_idx(content, name)
