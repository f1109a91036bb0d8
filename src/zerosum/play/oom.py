"""When memory runs out: what the allocator was asked for, and the largest batch that fits."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path

# torch's allocators raise plain RuntimeErrors on the CPU.
_PHRASES = ("can't allocate memory", "not enough memory", "out of memory", "Cannot allocate memory")
_ASKED = re.compile(r"(?:ried|nable) to allocate ([\d.]+ ?(?:bytes|[KMGTPE]iB))")
SECONDS = 20.0  # spent on trying at most


def is_lack_of_memory(error: BaseException) -> bool:
    """Whether an exception means that an allocator found no room."""
    return isinstance(error, MemoryError) or (
        isinstance(error, (RuntimeError, OSError)) and any(phrase in str(error) for phrase in _PHRASES)
    )


def asked_for(error: BaseException) -> str:
    """How much was asked for, as the allocator says it: "4096 bytes"; "some memory" where it does not say."""
    found = _ASKED.search(str(error))
    return found.group(1) if found else "some memory"


def largest(batch: int, attempt: Callable[[int], object]) -> int:
    """The largest of 1, 2, 4, ... below `batch` that fits when tried; 0 if none. From below, so that the system keeps its memory."""
    fits, size, end = 0, 1, time.monotonic() + SECONDS
    while size < batch and time.monotonic() < end and _resident() * 2 < available() + _resident():
        try:
            attempt(size)
        except Exception as error:
            if not is_lack_of_memory(error):
                raise
            break
        fits, size = size, 2 * size
    return fits


def _resident() -> int:
    return _kilobytes(Path("/proc/self/status"), "VmHWM:", 0)


def available() -> int:
    """Kilobytes of free memory, as Linux counts them; on other systems more than any machine has."""
    return _kilobytes(Path("/proc/meminfo"), "MemAvailable:", 2**40)


def _kilobytes(file: Path, name: str, otherwise: int) -> int:
    """A row of a file under Linux's /proc, which other systems do not have."""
    try:
        return next(int(row.split()[1]) for row in file.read_text().splitlines() if row.startswith(name))
    except (OSError, StopIteration, ValueError, IndexError):
        return otherwise
