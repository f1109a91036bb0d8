"""The record: one JSON object a line, appended as the run goes, cut back to the checkpoint when it is resumed. Schema: docs/run-folder.md."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import Any

Row = dict[str, Any]
SCHEMA = 1


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
    """Appends rows to record.jsonl; a row is on disk, for other processes to read, as soon as `append` returns."""

    def __init__(self, path: Path, keep_bytes: int | None = None) -> None:
        """keep_bytes: length to cut an existing record back to (rows after the checkpoint will be written again)."""
        self.path = path
        self._file = path.open("ab")
        if keep_bytes is not None:
            self._file.truncate(keep_bytes)
            self._file.seek(0, os.SEEK_END)

    def append(self, row: Row) -> None:
        self._file.write((json.dumps(plain(row), allow_nan=False) + "\n").encode())
        self._file.flush()

    def sync(self) -> int:
        """Puts the rows on the disk for good and returns their length in bytes."""
        os.fsync(self._file.fileno())
        return self._file.tell()

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
        except ValueError:
            continue
        if isinstance(row, dict) and "type" in row:
            rows.append(row)
    return rows
