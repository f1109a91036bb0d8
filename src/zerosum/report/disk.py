"""Atomic writes: a reader sees the old file or the new one, never part of either."""

from __future__ import annotations

import os
from pathlib import Path


def write_whole(path: Path, content: bytes) -> Path:
    """Write `content` beside `path` and rename it over `path`. Returns `path`; raises OSError as the system does, leaving the old file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # The name carries the process, so that two writers never share a temporary file.
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        temporary.write_bytes(content)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    return path
