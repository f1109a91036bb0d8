"""List the image files of a folder or a zip, by names relative to it, and find the class that each file's folder names."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path, PurePosixPath
from posixpath import splitext
from stat import S_ISREG
from typing import IO

from zerosum.data.image_file import MAX_BYTES, SUFFIXES
from zerosum.data.inflation import is_bomb
from zerosum.data.items import Skipped
from zerosum.data.label_file import STYLEGAN, of_json
from zerosum.data.stored_image import Entry, InFolder, Open
from zerosum.data.walking import walk
from zerosum.errors import Refusal


@dataclass(frozen=True)
class Listing:
    """The image files of one folder or zip, sorted by name.

    root: the absolute path. open: opens an entry. ignored: number of files without an image's suffix. labels: reads the table of labels
    that came with the images, file name -> label; None where none came. measured: whether entries state their size in bytes. folders:
    whether the first-level folders in their names are classes.
    """

    root: str
    entries: tuple[Entry, ...]
    open: Open
    skipped: tuple[Skipped, ...]
    ignored: int
    labels: Callable[[], Mapping[str, str] | None] = lambda: None
    measured: bool = True
    folders: bool = True

    @property
    def sendable(self) -> bool:
        """Whether another process can open the entries."""
        return isinstance(self.open, InFolder)

    @property
    def expect(self) -> Callable[[Sequence[Entry]], None] | None:
        """Is told which entries will soon be opened, where that makes them faster to open."""
        return self.open.expect if isinstance(self.open, InFolder) else None


def list_images(path: Path) -> Listing:
    """List the images of a zip, or of a folder with its subfolders. Raises Refusal where it cannot be read."""
    return _folder(path) if path.is_dir() else _archive(path)


def more_images(folder: Path, n: int) -> bool:
    """Whether a folder with its subfolders has more than n images, without listing the rest. Raises Refusal where it cannot be read."""
    found = (1 for name, path in walk(folder, []) if is_image(name) and isinstance(_entry(name, path), Entry))
    return sum(islice(found, n + 1)) > n


def is_image(name: str) -> bool:
    """Whether a file is an image by its suffix; hidden files and macOS's additions to archives are not."""
    hidden = (part == "__MACOSX" or (part.startswith(".") and part not in (".", "..")) for part in name.split("/"))
    return splitext(name)[1].lower() in SUFFIXES and not any(hidden)


def class_of(names: list[str]) -> tuple[tuple[str, ...], list[int]] | None:
    """Class names and each file's class number: the name of its first-level folder. None where a file is in no such folder.

    A top folder that all files share, such as an archive's, does not count as a class.
    """
    paths = [_parts(name) for name in names]
    depth = 0
    while paths and all(len(p) > depth + 1 for p in paths) and len({p[depth] for p in paths}) == 1:
        depth += 1
    if not paths or any(len(p) == depth + 1 for p in paths):
        return None
    classes = tuple(sorted({p[depth] for p in paths}))
    number = {name: i for i, name in enumerate(classes)}
    return classes, [number[p[depth]] for p in paths]


def _parts(name: str) -> Sequence[str]:
    """PurePosixPath(name).parts, which takes five times as long where there is nothing to leave out."""
    plain = not ("//" in name or "./" in name or name.startswith("/"))
    return name.split("/") if plain else PurePosixPath(name).parts


def _folder(root: Path) -> Listing:
    entries, skipped, ignored = [], [], 0
    unread: list[Skipped] = []
    for name, path in walk(root, unread):
        if not is_image(name):
            ignored += 1
            continue
        found = _entry(name, path)
        if isinstance(found, Entry):
            entries.append(found)
        else:
            skipped.append(found)
    return Listing(
        str(root.resolve()),
        tuple(sorted(entries)),
        InFolder(os.path.abspath(root)),
        (*skipped, *unread),
        ignored,
        lambda: of_json((root / STYLEGAN).read_bytes(), str(root / STYLEGAN)) if (root / STYLEGAN).is_file() else None,
    )


def _entry(name: str, path: str) -> Entry | Skipped:
    """The file as an entry, or why it is none. A link is followed."""
    try:
        stat = os.stat(path)
    except OSError as error:
        return Skipped(name, error.strerror or "cannot be read")
    if not S_ISREG(stat.st_mode):
        return Skipped(name, "not a regular file")  # Reading a pipe would block.
    if stat.st_size > MAX_BYTES:
        return Skipped(name, _too_large(stat.st_size))
    # The inode as well: a file that was moved here in place of another keeps its own time of change.
    return Entry(name, stat.st_size, f"{stat.st_mtime_ns}/{stat.st_ino}")


def _archive(path: Path) -> Listing:
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError) as error:
        raise Refusal(f"{path} cannot be read as a zip ({error}): create it again, or give the folder of images itself.") from error
    entries, skipped, ignored = [], [], 0
    for info in archive.infolist():
        if info.is_dir():
            continue
        if not is_image(info.filename):
            ignored += 1
        elif reason := _unfit(info):
            skipped.append(Skipped(info.filename, reason))
        else:
            entries.append(Entry(info.filename, info.file_size, f"{info.CRC}/{info.date_time}"))

    # A stream: a header needs the first bytes of a member, and `read` takes no more than are declared.
    def opened(entry: Entry) -> IO[bytes]:
        return archive.open(entry.name)

    unique = {entry.name: entry for entry in entries}

    def labels() -> Mapping[str, str] | None:
        try:
            info = archive.getinfo(STYLEGAN)
        except KeyError:
            return None
        return None if _unfit(info) else of_json(archive.read(info), f"{path}/{STYLEGAN}")

    return Listing(str(path.resolve()), tuple(unique[name] for name in sorted(unique)), opened, tuple(skipped), ignored, labels)


def _unfit(info: zipfile.ZipInfo) -> str:
    name = PurePosixPath(info.filename.replace("\\", "/"))
    if name.is_absolute() or ".." in name.parts or ":" in name.parts[0]:
        return "its name leaves the archive's folder"
    if info.flag_bits & 1:
        return "encrypted"
    if info.file_size > MAX_BYTES:
        return _too_large(info.file_size)
    return f"{info.compress_size:,} bytes that unpack to {info.file_size:,}" if is_bomb(info.compress_size, info.file_size) else ""


def _too_large(size: int) -> str:
    return f"{size / 2**20:.0f} MB is more than {MAX_BYTES // 2**20} MB"
