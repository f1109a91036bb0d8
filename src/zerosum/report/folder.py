"""A run folder as a report sees it: run.json, the record's rows and the pictures. Nothing is locked, and nothing is executed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zerosum.records import Row, read_manifest, read_rows


@dataclass(frozen=True)
class RunFolder:
    """path: the folder. manifest: run.json. rows: the record in order. unreadable: how many lines of the record were no row."""

    path: Path
    manifest: dict[str, Any]
    rows: list[Row]
    unreadable: int

    def of(self, kind: str) -> list[Row]:
        """The rows of one type, in order."""
        return [row for row in self.rows if row.get("type") == kind]

    def newest(self, kind: str) -> Row | None:
        """The last row of one type."""
        return next((row for row in reversed(self.rows) if row.get("type") == kind), None)

    def horizon(self) -> int | None:
        """Samples at which the run ends, from the newest row that states it; None while it is not yet known."""
        fixed = [row.get("horizon") for row in self.rows if row.get("type") in ("start", "horizon")]
        return next((h for h in reversed(fixed) if isinstance(h, int)), None)

    def grids(self) -> list[tuple[Row, Path]]:
        """The grid rows that have a picture, each with its file. A file outside the folder is not part of the run."""
        return [(row, file) for row in self.of("grid") if (file := self.inside(row.get("file"))) is not None]

    def inside(self, name: Any) -> Path | None:
        """The file of this name in the folder; None where it is no file, or lies outside."""
        if not isinstance(name, str):
            return None
        file = (self.path / name).resolve()
        return file if file.is_relative_to(self.path.resolve()) and file.is_file() else None


def read_run(path: Path | str) -> RunFolder:
    """The run in a folder. Raises Refusal where its run.json cannot be read."""
    folder = Path(path)
    return RunFolder(folder, read_manifest(folder), *read_rows(folder / "record.jsonl"))
