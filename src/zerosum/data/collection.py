"""Every collection of image files as one `Listing`: a folder, a zip, parquet files, WebDataset shards, a Hugging Face data set.

A listing gives access to each image by number. Images are decoded once, at the size of the training, into memory or into a memory-mapped
cache (cache.py). Collections larger than memory are therefore read in constant memory, split by content, shuffled, shared by several
processes and resumed exactly as all other images are.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from zerosum.data.hugging_face import PREFIX, list_hugging_face
from zerosum.data.listing import Listing, list_images
from zerosum.data.parquet import SUFFIX as PARQUET
from zerosum.data.parquet import list_parquet
from zerosum.data.shards import SUFFIX as TAR
from zerosum.data.shards import list_shards

READERS = {PARQUET: list_parquet, TAR: list_shards}
"""The end of a file's name -> what lists the images of such files."""


def listing_of(source: Path | str) -> Listing:
    """The images of a file or folder, or of "hf:NAME". Raises Refusal where it cannot be read."""
    if isinstance(source, str) and source.startswith(PREFIX):
        return list_hugging_face(source.removeprefix(PREFIX))
    path = Path(source)
    suffix, files = packed_in(path)
    return READERS[suffix](path, files) if files else list_images(path)


def packed_in(path: Path) -> tuple[str, list[Path]]:
    """The files at `path` that contain many images each, and their suffix; ("", []) where there are none.

    path: one such file, or a folder with such files in it or in its folder `data`, as Hugging Face lays them out.
    """
    if path.is_file():
        suffix = next((s for s in READERS if path.name.lower().endswith(s)), "")
        return suffix, [path] if suffix else []
    # Each folder is listed once for all suffixes: one of 100,000 images takes a while.
    folders = [(folder, _names_in(folder)) for folder in (path, path / "data")]
    for suffix in READERS:
        for folder, names in folders:
            if found := [p for name in names if name.endswith(suffix) and (p := folder / name).is_file()]:
                return suffix, sorted(found)
    return "", []


def _names_in(folder: Path) -> list[str]:
    with suppress(OSError):
        return os.listdir(folder)
    return []
