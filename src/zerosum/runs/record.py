"""Writing a run's record: one JSON object a line, appended during training. A resume cuts it back to the checkpoint.

Format: docs/run-folder.md. Reading: `zerosum.records`.
"""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import Any, Protocol

from zerosum.errors import Refusal
from zerosum.plain_files import open_own, reason, remedy
from zerosum.records import Row


class Listener(Protocol):
    """An object that follows a training: it gets each row of the record, and the progress a few times a second."""

    def row(self, row: Row) -> None: ...
    def progress(self, samples: int, horizon: int | None, seconds: float) -> None: ...


def plain(value: Any) -> Any:
    """The value with null for NaN and infinity, which JSON does not have. A reader then sees that there was no number."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    return value


class Record:
    """Appends rows to record.jsonl. Other processes can read a row as soon as `append` returns.

    While the disk is full, rows wait in memory; they are written in order once there is room. The record has no gap and no half row.
    """

    def __init__(self, path: Path, keep_bytes: int | None = None) -> None:
        """keep_bytes: cut an existing record back to this length, because training writes the rows after the checkpoint again."""
        self.path = path
        self._file = open_own(path, "ab")
        self._length = path.stat().st_size
        self._waiting = b""
        if keep_bytes is not None and keep_bytes < self._length:
            self._file.truncate(keep_bytes)
            self._length = keep_bytes

    def append(self, row: Row) -> None:
        self._waiting += (json.dumps(plain(row), allow_nan=False) + "\n").encode()
        self._written()

    def _written(self) -> OSError | None:
        """Writes the waiting rows, all or nothing. Returns the system's error, or None."""
        done = 0
        try:
            while done < len(self._waiting):
                done += self._file.write(self._waiting[done:]) or 0
        except OSError as error:
            self._file.truncate(self._length)
            return error
        self._length, self._waiting = self._length + done, b""
        return None

    def length(self) -> int:
        """The record's length in bytes. Raises Refusal where waiting rows cannot be written."""
        if error := self._written():
            need = f"{len(self._waiting):,} bytes could not be written to {self.path}"
            raise Refusal(f"{need} ({reason(error)}): {remedy(error)}; the rows wait in memory meanwhile.") from error
        return self._length

    def sync(self) -> None:
        """Flushes the rows to the disk; another thread may call it. Raises Refusal where the disk reports an error."""
        try:
            os.fsync(self._file.fileno())
        except OSError as error:
            raise Refusal(f"{self.path} could not be put on the disk ({reason(error)}): {remedy(error)}, then resume.") from error

    def close(self) -> None:
        self._file.close()
