"""The Inception weights that published Frechet distances use: find the file, verify it, and read it.

PyTorch's own format can hold a program. So the bytes are read once, compared with the published SHA-256, and only then passed to
`torch.load`, which accepts tensors alone.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from os import environ
from pathlib import Path
from stat import S_ISREG

import torch
from torch import Tensor

from zerosum.data.cache import cache_directory
from zerosum.data.download import downloaded
from zerosum.data.items import Progress
from zerosum.errors import Refusal

VARIABLE = "ZEROSUM_INCEPTION"
"""The environment variable that names the file."""

StateDict = dict[str, Tensor]


@dataclass(frozen=True)
class Published:
    """A published file of weights.

    names: its publisher's name for it first, then those of other tools. size: bytes. sha256: of all of them, hexadecimal.
    """

    names: tuple[str, ...]
    size: int
    sha256: str
    url: str


FID_2015 = Published(
    ("pt_inception-2015-12-05-6726825d.pth", "weights-inception-2015-12-05-6726825d.pth"),
    95_628_359,
    "6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2",
    "https://github.com/mseitzer/pytorch-fid/releases/download/fid_weights/pt_inception-2015-12-05-6726825d.pth",
)
"""TensorFlow's graph of 2015-12-05 (Apache-2.0) as a PyTorch state dict; the same bytes under either name."""


def load(path: Path, published: Published = FID_2015) -> StateDict:
    """Read the tensors of a file, by key, after comparing its bytes with the published SHA-256.

    Raises Refusal where the file is missing, not regular, another one, truncated, unreadable, or contains more than tensors.
    """
    content = _content(path, published)
    try:
        state = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
        return {str(key): value.detach() for key, value in state.items()}
    except Exception as error:
        # Unpickling a malformed file can raise almost any exception.
        raise Refusal(f"{path} cannot be read as PyTorch weights ({type(error).__name__}): {_get(published)}.") from error


def _content(path: Path, published: Published) -> bytes:
    try:
        path = path.expanduser()
        stat = path.stat()
        if path.is_dir():
            raise Refusal(f"{path} is a folder: give the file {published.names[0]} itself.")
        if not S_ISREG(stat.st_mode):
            raise Refusal(f"{path} is not a regular file: {_get(published)}.")
        if stat.st_size != published.size:
            raise Refusal(f"{path} has {stat.st_size:,} bytes and the inception weights have {published.size:,}: {_get(published)}.")
        content = path.read_bytes()
    except FileNotFoundError:
        raise Refusal(f"There is no file {path}: {_get(published)}.") from None
    except Refusal:
        raise
    except (OSError, ValueError, RuntimeError) as error:
        # An invalid name, an unresolvable `~user`, missing permission, or a disk error.
        reason = getattr(error, "strerror", None) or error
        raise Refusal(f"{path} cannot be read ({reason}): make it readable, or {_get(published)}.") from error
    found = sha256(content).hexdigest()
    if found != published.sha256:
        raise Refusal(f"{path} has SHA-256 {found} and not that of the inception weights, {published.sha256}: {_get(published)}.")
    return content


def _get(published: Published) -> str:
    return f"get {published.names[0]} from {published.url}"


def cache_folder() -> Path:
    """The folder in which zerosum stores the file."""
    return cache_directory() / "inception"


def search_paths(published: Published = FID_2015) -> Iterator[Path]:
    """Where the file is looked for by default: zerosum's own folder, and torch hub's, where other tools store it."""
    for folder in (cache_folder(), Path(torch.hub.get_dir()) / "checkpoints"):
        yield from (folder / name for name in published.names)


def environment_file() -> Path | None:
    """The file named by $ZEROSUM_INCEPTION, or None."""
    return Path(environ[VARIABLE]) if environ.get(VARIABLE) else None


def find_local(published: Published = FID_2015) -> StateDict | None:
    """The tensors of the first valid file among `search_paths`, or None: a bad file there is no error, since nobody named it."""
    for path in search_paths(published):
        try:
            return load(path, published)
        except Refusal:
            continue
    return None


def obtain(given: Path | None = None, published: Published = FID_2015, progress: Progress | None = None) -> StateDict:
    """Read the file `given`, else the one that $ZEROSUM_INCEPTION names, else one on the search paths, else download it.

    Raises Refusal where a named file is not the published one, or the file can neither be found nor downloaded.
    """
    path = given or environment_file()
    if path is not None:
        return load(path, published)
    if state := find_local(published):
        return state
    target = cache_folder() / published.names[0]
    otherwise = f"put that file (SHA-256 {published.sha256}) at {target}, or give its path with --weights or ${VARIABLE}"
    if bad := [str(path) for path in search_paths(published) if path.exists()]:
        otherwise += f"; the file at {' and '.join(bad)} is another one, or incomplete"
    return load(downloaded("The file of inception weights", published.url, published.sha256, target, otherwise, progress), published)
