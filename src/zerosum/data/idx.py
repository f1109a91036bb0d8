"""Read the idx format, plain or gzipped: magic (0, 0, type, rank), one big-endian uint32 an axis, then the values, big-endian."""

from __future__ import annotations

import gzip
import re
import zlib
from io import BytesIO
from math import prod
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from zerosum.data.inflation import require_sensible
from zerosum.errors import Refusal

_TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
# Deflate expands each byte to at most this many.
_MOST_INFLATED = 1032
_GZIP = b"\x1f\x8b"


def is_idx(path: Path) -> bool:
    """Whether a file starts with the magic number of idx, plain or gzipped."""
    try:
        with path.open("rb") as raw, _inflated(raw) as file:
            magic = file.read(4)
    except (OSError, EOFError, zlib.error):
        return False
    return len(magic) == 4 and magic[:2] == b"\0\0" and magic[2] in _TYPES and magic[3] > 0


def read_idx(source: Path | bytes, name: str | None = None) -> npt.NDArray[Any]:
    """Read the array of an idx file, or of its bytes, in native byte order. Raises Refusal where header and content disagree."""
    name = name or (str(source) if isinstance(source, Path) else "the idx file")
    length = source.stat().st_size if isinstance(source, Path) else len(source)
    try:
        with source.open("rb") if isinstance(source, Path) else BytesIO(source) as raw, _inflated(raw) as file:
            dtype, shape = _header(file, name)
            wanted = prod(shape) * dtype.itemsize
            if wanted > length * _MOST_INFLATED:
                raise Refusal(
                    f"{name} declares {wanted:,} bytes of values, more than its {length:,} can contain: copy or download it again."
                )
            if file is not raw:
                require_sensible(length, wanted, name)
            content = file.read(wanted + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise Refusal(f"{name} cannot be read to its end ({error}): copy or download it again.") from error
    if len(content) != wanted:
        found = f"only {len(content):,}" if len(content) < wanted else "more"
        raise Refusal(f"{name} declares {wanted:,} bytes of values and contains {found}: copy or download it again.")
    return np.frombuffer(content, dtype).astype(dtype.newbyteorder("=")).reshape(shape)


def idx_shape(path: Path) -> tuple[int, ...]:
    """Read the shape that the header of an idx file declares. Raises Refusal."""
    try:
        with path.open("rb") as raw, _inflated(raw) as file:
            return _header(file, str(path))[1]
    except (OSError, EOFError, zlib.error) as error:
        raise Refusal(f"{path} cannot be read ({error}): copy or download it again.") from error


def companion(path: Path, **changes: str) -> Path | None:
    """The related file in the same folder by MNIST's file names, gzipped or not: kind="labels" or part="t10k-"; None without."""
    read = re.fullmatch(r"(?P<part>.*?)(?P<kind>images)(?P<middle>[-.]idx)3(?P<end>-ubyte)?(?:\.gz)?", path.name)
    if read is None:
        return None
    parts = {**read.groupdict(default=""), **changes}
    rank = "1" if parts["kind"] == "labels" else "3"
    stem = f"{parts['part']}{parts['kind']}{parts['middle']}{rank}{parts['end']}"
    return next((p for p in (path.with_name(stem), path.with_name(f"{stem}.gz")) if p.is_file() and p != path), None)


def _inflated(raw: IO[bytes]) -> IO[bytes]:
    zipped = raw.read(2) == _GZIP
    raw.seek(0)
    return gzip.GzipFile(fileobj=raw) if zipped else raw  # type: ignore[return-value]


def _header(file: IO[bytes], name: str) -> tuple[np.dtype[Any], tuple[int, ...]]:
    magic = file.read(4)
    if len(magic) < 4 or magic[:2] != b"\0\0" or magic[2] not in _TYPES or magic[3] == 0:
        raise Refusal(f"{name} does not start with the header of an idx file: give an idx file, plain or gzipped.")
    axes = file.read(4 * magic[3])
    if len(axes) < 4 * magic[3]:
        raise Refusal(f"{name} ends inside its header: copy or download it again.")
    return np.dtype(_TYPES[magic[2]]), tuple(np.frombuffer(axes, ">u4").tolist())
