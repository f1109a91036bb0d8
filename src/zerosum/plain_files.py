"""Files and folders of a run: plain ones of its own, or none at all.

A run folder may come from somebody else. A symbolic link in it could lead a write, a cut or a deletion to a file outside it, and a pipe
would be waited for without end. So a writer first calls `require_own`, and every file is opened by the functions here.
"""

from __future__ import annotations

import errno
import io
import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import cast

from zerosum.errors import Refusal, printable

# Flags that not every system has.
_NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0)
_NO_WAIT = getattr(os, "O_NONBLOCK", 0)

_KINDS = {
    stat.S_IFLNK: "a symbolic link",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFBLK: "a device",
    stat.S_IFCHR: "a device",
    stat.S_IFDIR: "a folder",
    stat.S_IFREG: "a file",
}
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_GONE = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ESTALE})
_CLOSED = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})


class NotPlain(Refusal):
    """A name in a run folder that is a link, a pipe or a device where a plain file or folder is needed."""


def require_own(paths: Iterable[Path], *, in_place: bool = False) -> None:
    """Require that each path is a plain file or folder, everything inside a folder too, or does not exist. Links are not followed.

    in_place: whether the file is changed where it is, not replaced. Then a second name (a hard link) is refused too, because the file
    would change under that name as well. Raises NotPlain.
    """
    for path in paths:
        for entry in _below(path):
            _require(entry, entry.lstat(), in_place)


def _below(path: Path) -> Iterator[Path]:
    """The path, and all that is in it where it is a folder itself; nothing where it does not exist."""
    if not os.path.lexists(path):
        return
    yield path
    if path.is_symlink() or not path.is_dir():
        return
    with os.scandir(path) as entries:
        for entry in entries:
            yield from _below(Path(entry.path))


def _require(path: Path, status: os.stat_result, in_place: bool) -> None:
    mode = stat.S_IFMT(status.st_mode)
    if mode not in (stat.S_IFREG, stat.S_IFDIR):
        raise _refused(path, _KINDS.get(mode, "no plain file"))
    if in_place and mode == stat.S_IFREG and status.st_nlink > 1:
        raise _refused(path, "a file with a second name elsewhere (a hard link)")


def _refused(path: Path, what: str) -> NotPlain:
    return NotPlain(f"{path} is {what}, and zerosum writes only to plain files of the run's own: copy what it stands for in its place.")


def open_own(path: Path, mode: str) -> io.FileIO:
    """Open a plain file to write, without a buffer; it is made where it does not exist. A link is not followed. mode: "wb", "ab" or "xb".

    Raises NotPlain for anything else, and OSError as the system does.
    """

    def opener(name: str, flags: int) -> int:
        # Cut only after it is known to be a plain file.
        descriptor = os.open(name, (flags & ~os.O_TRUNC) | _NO_FOLLOW | _NO_WAIT, 0o666)
        try:
            _require(path, os.fstat(descriptor), in_place=True)
            if flags & os.O_TRUNC:
                os.ftruncate(descriptor, 0)
        except BaseException:
            os.close(descriptor)
            raise
        return descriptor

    if os.path.lexists(path):
        _require(path, path.lstat(), in_place=True)
    # Not the built-in name: tests put a full disk under io.open.
    return cast(io.FileIO, io.open(path, mode, buffering=0, opener=opener))  # noqa: UP020


def write_synced(path: Path, content: bytes, mode: str = "wb") -> None:
    """Write a plain file and wait until it is on the disk. Raises as `open_own`."""
    with open_own(path, mode) as file:
        view = memoryview(content)
        while view:
            view = view[file.write(view) or 0 :]
        os.fsync(file.fileno())


def write_whole(path: Path, content: bytes) -> Path:
    """Write `content` beside `path`, sync it and rename it over `path`: a reader sees the old file or the new one, never part of either.

    Returns `path`. Raises OSError as the system does, and then leaves the old file.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # The name carries the process, so that two writers never share a temporary file. "xb" follows no link.
    temporary = path.with_name(f".{path.name[:200]}.{os.getpid()}.tmp")
    temporary.unlink(missing_ok=True)
    try:
        write_synced(temporary, content, "xb")
        os.replace(temporary, path)
        sync_folder(path.parent)
    finally:
        temporary.unlink(missing_ok=True)
    return path


def sync_folder(path: Path) -> None:
    """Put a folder's entries on the disk; Windows has no such call and needs none."""
    if os.name == "posix":
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def open_to_read(path: Path) -> io.BufferedReader:
    """Open a file to read. A link is followed, but a pipe or a device is never waited for. Raises NotPlain for one, and OSError."""

    def opener(name: str, flags: int) -> int:
        descriptor = os.open(name, flags | _NO_WAIT)
        mode = stat.S_IFMT(os.fstat(descriptor).st_mode)
        if mode not in (stat.S_IFREG, stat.S_IFDIR):  # The system's own error is right for a folder.
            os.close(descriptor)
            raise NotPlain(f"{path} is {_KINDS.get(mode, 'no plain file')}, not a file: remove it, or restore the file from a copy.")
        return descriptor

    return open(path, "rb", opener=opener)


def read_plain(path: Path) -> bytes:
    """The content of a file. Raises as `open_to_read`."""
    with open_to_read(path) as file:
        return file.read()


def remedy(error: OSError) -> str:
    """What you can do about an error of the system, as the end of a sentence."""
    if error.errno in _FULL:
        return "free some space on that disk"
    if error.errno in _GONE:
        return "the folder was moved or deleted, so put it back"
    if error.errno in _CLOSED:
        return "change its permissions, or name another place"
    if error.errno == errno.ENAMETOOLONG:
        return "give a shorter name"
    return "check that disk, or name another place"


def reason(error: OSError) -> str:
    """The system's own words for an error."""
    return printable(error.strerror or str(error))
