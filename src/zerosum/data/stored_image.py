"""One image of a collection: how it is opened and read, its header, and its pixels.

Nothing here imports torch, because the processes that decode images import it (workers.py).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO
from typing import IO, NamedTuple

import numpy as np
import numpy.typing as npt

from zerosum.data.digest import digest
from zerosum.data.image_file import Fit, ImageHeader, UnreadableImage, decode_image, read_header


class Entry(NamedTuple):
    """One image file: its name inside the folder or zip, its size in bytes, and a stamp that changes when the file does."""

    name: str
    size: int
    stamp: str


AHEAD = 2**16
"""Bytes of a file that are read ahead."""

Open = Callable[[Entry], IO[bytes]]
"""Opens an entry as a seekable stream; several threads may call it."""


@dataclass(frozen=True)
class InFolder:
    """Opens the files of a folder. It can be sent to another process."""

    folder: str

    def __call__(self, entry: Entry) -> IO[bytes]:
        return open(os.path.join(self.folder, entry.name), "rb")

    def expect(self, entries: Sequence[Entry]) -> None:
        """Asks the system to read the beginnings of these files: many at once are read far faster than one after another."""
        if not hasattr(os, "posix_fadvise"):
            return
        for entry in entries:
            try:
                file = os.open(f"{self.folder}/{entry.name}", os.O_RDONLY)
            except OSError:  # Whoever reads it will say so.
                continue
            with suppress(OSError):
                os.posix_fadvise(file, 0, AHEAD, os.POSIX_FADV_WILLNEED)
            os.close(file)


def content_of(open_: Open, measured: bool, entry: Entry) -> bytes:
    """All bytes of an entry. measured: whether it states its size. Raises UnreadableImage where their number is not that."""
    with open_(entry) as stream:
        if not measured:
            return stream.read()
        content = stream.read(entry.size + 1)
    if len(content) != entry.size:
        raise UnreadableImage(f"{len(content)} bytes where {entry.size} were declared")
    return content


def header_of(open_: Open, entry: Entry) -> ImageHeader:
    """The header of an entry. Raises UnreadableImage."""
    with open_(entry) as stream:
        return read_header(stream)


def pixels_of(open_: Open, measured: bool, shape: tuple[int, int, int], fit: Fit, entry: Entry) -> tuple[npt.NDArray[np.uint8], int]:
    """The pixels of an entry, uint8 of `shape` (C, H, W), and the hash of its file. Raises UnreadableImage."""
    content = content_of(open_, measured, entry)
    return decode_image(BytesIO(content), shape, fit), digest(content)
