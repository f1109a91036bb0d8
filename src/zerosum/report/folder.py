"""A run folder as a report sees it: JSON, JSON lines and PNG (docs/run-folder.md). Nothing is locked, nothing is executed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zerosum.errors import Refusal

Row = dict[str, Any]


@dataclass(frozen=True)
class RunFolder:
    """path: the folder; manifest: run.json; rows: the record in order; unreadable: lines of the record that were no JSON object."""

    path: Path
    manifest: Row
    rows: list[Row]
    unreadable: int

    def of(self, kind: str) -> list[Row]:
        """The rows of one type, in order."""
        return [row for row in self.rows if row.get("type") == kind]

    def newest(self, kind: str) -> Row | None:
        """The last row of one type."""
        return next((row for row in reversed(self.rows) if row.get("type") == kind), None)

    def horizon(self) -> int | None:
        """Samples at which the run ends, from the newest row that fixed it; None while it is not measured."""
        fixed = [row.get("horizon") for row in self.rows if row.get("type") in ("start", "horizon")]
        return next((h for h in reversed(fixed) if isinstance(h, int)), None)

    def grids(self) -> list[tuple[Row, Path]]:
        """The grid rows whose picture is there, each with its file. A file outside of the folder is no part of the run."""
        return [(row, file) for row in self.of("grid") if (file := self._inside(row.get("file"))) is not None]

    def _inside(self, name: Any) -> Path | None:
        if not isinstance(name, str):
            return None
        file = (self.path / name).resolve()
        return file if file.is_relative_to(self.path.resolve()) and file.is_file() else None


def read_run(path: Path | str) -> RunFolder:
    """Read RUN/run.json and RUN/record.jsonl. A missing record is an empty one; a half-written last line is not yet a row.

    Raises Refusal when there is no run.json, or when it is not a JSON object.
    """
    folder = Path(path)
    try:
        manifest = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise Refusal(f"{folder} is no run folder, for it holds no run.json; give the folder that `zerosum train` wrote.") from None
    except ValueError as problem:
        raise Refusal(f"{folder / 'run.json'} is not readable as JSON ({problem}); restore it from a copy or train anew.") from None
    if not isinstance(manifest, dict):
        raise Refusal(f"{folder / 'run.json'} must hold a JSON object; restore it from a copy or train anew.")
    rows, unreadable = _rows(folder / "record.jsonl")
    return RunFolder(folder, manifest, rows, unreadable)


def _rows(file: Path) -> tuple[list[Row], int]:
    if not file.is_file():
        return [], 0
    text = file.read_bytes().decode("utf-8", errors="replace")
    whole, _, _ = text.rpartition("\n")
    parsed = list(_parsed(whole.splitlines()))
    rows = [row for row in parsed if row is not None]
    return rows, len(parsed) - len(rows)


def _parsed(lines: Iterable[str]) -> Iterator[Row | None]:
    for line in lines:
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError:
            row = None
        yield row if isinstance(row, dict) else None
