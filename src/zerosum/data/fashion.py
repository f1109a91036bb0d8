"""Fashion-MNIST (Xiao et al. 2017, arXiv 1708.07747, MIT licence): from Debian's package if installed, else downloaded.

Either way the content is checked against the published hashes.
"""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy.typing as npt

from zerosum.data.arrays import items_of, with_test
from zerosum.data.cache import cache_directory
from zerosum.data.download import downloaded
from zerosum.data.idx import read_idx
from zerosum.data.items import Items, Progress
from zerosum.data.options import DataOptions
from zerosum.errors import Refusal

# Where the package dataset-fashion-mnist installs the files. Its gzip headers differ from the published ones, so the content is checked.
DEBIAN = Path("/usr/share/datasets/fashion-mnist")
URL = "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"
CLASSES = ("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot")

# SHA-256 of each published file.
PUBLISHED = {
    "train-images-idx3-ubyte.gz": "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
    "train-labels-idx1-ubyte.gz": "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
    "t10k-images-idx3-ubyte.gz": "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
    "t10k-labels-idx1-ubyte.gz": "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
}
# SHA-256 of the uncompressed values alone.
CONTENT = {
    "train-images-idx3-ubyte.gz": "2e487a6c89124f78f2d7521542223cafe96f7123c3ca13d447772ac6ecbb3012",
    "train-labels-idx1-ubyte.gz": "657fbd221bfc9f4198cc14b5619cc33ec57c58dd0e47af4d99d6650759e869a7",
    "t10k-images-idx3-ubyte.gz": "c867c93ff95360594e8ec3287995350b824dd110b11595c0e13d5423f621867a",
    "t10k-labels-idx1-ubyte.gz": "3d0e6c6ea990b53b6f8f500a41cac93881d981b315f84578b7d915342ade01e9",
}


def read_fashion(options: DataOptions, progress: Progress | None = None) -> Items:
    """All 70,000 images, with the published test set. Raises Refusal where they can neither be found nor downloaded."""
    train, test = (
        items_of(_file(f"{part}-images-idx3-ubyte.gz"), _file(f"{part}-labels-idx1-ubyte.gz"), f"fashion-mnist ({part})", options, progress)
        for part in ("train", "t10k")
    )
    return replace(with_test(train, test, "fashion-mnist"), classes=CLASSES)


def _file(name: str) -> npt.NDArray[Any]:
    installed = DEBIAN / name
    path = installed if installed.is_file() else _downloaded(name)
    array = read_idx(path)
    if sha256(array.tobytes()).hexdigest() != CONTENT[name]:
        raise Refusal(f"{path} is not the published Fashion-MNIST: remove it and download it again.")
    return array


def _downloaded(name: str) -> Path:
    folder = cache_directory() / "fashion-mnist"
    otherwise = f"install Debian's dataset-fashion-mnist, or put {name} and its three companions in {folder}"
    return downloaded("fashion-mnist", URL + name, PUBLISHED[name], folder / name, otherwise)
