"""The record: one JSON object a line, appended as the run goes, cut back to the checkpoint on a resume. Schema: docs/run-folder.md."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import Any, Protocol

from zerosum.errors import Refusal

Row = dict[str, Any]
SCHEMA = 1


class Listener(Protocol):
    """Whoever wants to follow a training: gets each row of the record, and the progress a few times a second."""

    def row(self, row: Row) -> None: ...
    def progress(self, samples: int, horizon: int | None, seconds: float) -> None: ...


def plain(value: Any) -> Any:
    """JSON has no NaN or infinity: they are written as null, and a reader sees that there was no number."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    return value


class Record:
    """Appends rows to record.jsonl. A row is there for other processes to read as soon as `append` returns.

    Rows that a full disk does not take are kept in memory and written, in order, when it does: the record has no gap and no half row.
    """

    def __init__(self, path: Path, keep_bytes: int | None = None) -> None:
        """keep_bytes: length to cut an existing record back to (rows after the checkpoint will be written again)."""
        self.path = path
        self._file = path.open("ab", buffering=0)
        self._length = path.stat().st_size
        self._waiting = b""
        if keep_bytes is not None and keep_bytes < self._length:
            self._file.truncate(keep_bytes)
            self._length = keep_bytes

    def append(self, row: Row) -> None:
        self._waiting += (json.dumps(plain(row), allow_nan=False) + "\n").encode()
        self._written()

    def _written(self) -> OSError | None:
        """Writes what is waiting, all or nothing. Returns the system's refusal."""
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
        """The record's length in bytes. Raises Refusal where rows are waiting that the disk does not take."""
        if error := self._written():
            need = f"{len(self._waiting):,} bytes could not be written to {self.path}"
            raise Refusal(f"{need} ({error.strerror or error}): free some room; the rows wait in memory meanwhile.") from error
        return self._length

    def sync(self) -> None:
        """Puts the rows on the disk for good; another thread may call it. Raises Refusal."""
        try:
            os.fsync(self._file.fileno())
        except OSError as error:
            raise Refusal(f"{self.path} could not be put on the disk ({error.strerror or error}): free some room and resume.") from error

    def close(self) -> None:
        self._file.close()


def read_rows(path: Path) -> list[Row]:
    """All whole rows of a record. A last line cut short by a lost process is passed over; so is a line that is no row."""
    rows: list[Row] = []
    if not path.exists():
        return rows
    for line in path.read_bytes().split(b"\n"):
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(row, dict) and "type" in row:
            rows.append(row)
    return rows
