"""The file that Frechet distances are published with: where it is looked for, that it is that file, and what stands in it.

PyTorch's own format can hold a program. So the bytes are read once, compared with the SHA-256 that the field knows, and only then handed to
`torch.load`, which is told to take tensors alone.
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

State = dict[str, Tensor]


@dataclass(frozen=True)
class Published:
    """A file of weights as its publisher gives it.

    names: what it is called, first by its publisher and then by other tools. size: bytes. sha256: of all of them, hexadecimal.
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


def load(path: Path, published: Published = FID_2015) -> State:
    """The tensors in a file, by key, after its bytes were compared with the published ones.

    Raises Refusal where it is not there, no file, another file, cut short, not to be read, or holds something else than tensors.
    """
    content = _content(path, published)
    try:
        state = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
        return {str(key): value.detach() for key, value in state.items()}
    except Exception as error:
        # Unpickling ends a malformed file with almost any exception.
        raise Refusal(f"{path} cannot be read as PyTorch weights ({type(error).__name__}): {_get(published)}.") from error


def _content(path: Path, published: Published) -> bytes:
    try:
        path = path.expanduser()
        stat = path.stat()
        if path.is_dir():
            raise Refusal(f"{path} is a folder: give the file {published.names[0]} itself.")
        if not S_ISREG(stat.st_mode):
            raise Refusal(f"{path} is no regular file: {_get(published)}.")
        if stat.st_size != published.size:
            raise Refusal(f"{path} has {stat.st_size:,} bytes and the inception weights have {published.size:,}: {_get(published)}.")
        content = path.read_bytes()
    except FileNotFoundError:
        raise Refusal(f"There is no file {path}: {_get(published)}.") from None
    except Refusal:
        raise
    except (OSError, ValueError, RuntimeError) as error:
        # A name that no file can have, the home of nobody, a right or a disk that is missing.
        reason = getattr(error, "strerror", None) or error
        raise Refusal(f"{path} cannot be read ({reason}): make it readable, or {_get(published)}.") from error
    found = sha256(content).hexdigest()
    if found != published.sha256:
        raise Refusal(f"{path} has SHA-256 {found} and not that of the inception weights, {published.sha256}: {_get(published)}.")
    return content


def _get(published: Published) -> str:
    return f"get {published.names[0]} from {published.url}"


def kept() -> Path:
    """The folder in which zerosum keeps the file."""
    return cache_directory() / "inception"


def places(published: Published = FID_2015) -> Iterator[Path]:
    """Where the file may lie without anyone having named it: zerosum's own folder, and torch hub's, where other tools leave it."""
    for folder in (kept(), Path(torch.hub.get_dir()) / "checkpoints"):
        yield from (folder / name for name in published.names)


def named() -> Path | None:
    """The file that the environment names."""
    return Path(environ[VARIABLE]) if environ.get(VARIABLE) else None


def at_hand(published: Published = FID_2015) -> State | None:
    """The tensors of the first good file among `places`; None where there is none, for nobody asked for them."""
    for path in places(published):
        try:
            return load(path, published)
        except Refusal:
            continue
    return None


def obtained(given: Path | None = None, published: Published = FID_2015, progress: Progress | None = None) -> State:
    """The tensors of the file that is `given`, else of the one that $ZEROSUM_INCEPTION names, else of one at hand, else downloaded.

    Raises Refusal where a file that was named is not the published one, or it can neither be found nor downloaded.
    """
    path = given or named()
    if path is not None:
        return load(path, published)
    if state := at_hand(published):
        return state
    target = kept() / published.names[0]
    otherwise = f"put that file (SHA-256 {published.sha256}) at {target}, or say where it lies with --weights or ${VARIABLE}"
    if bad := [str(path) for path in places(published) if path.exists()]:
        otherwise += f"; what lies at {' and '.join(bad)} is another or cut short"
    return load(downloaded("The file of inception weights", published.url, published.sha256, target, otherwise, progress), published)
