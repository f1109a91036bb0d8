"""A record that is read as it grows: only what is new is parsed, and curves are thinned, so a record of millions of rows opens at once.

A record that is long when it is first opened is not parsed whole: of its rows of signals some are read, evenly spaced in the file. Its rows
of other types are searched for from the end backwards, a part at each refresh. Nothing here writes, and nothing here needs torch.
"""

from __future__ import annotations

import json
import mmap
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from zerosum.plain_files import NotPlain, open_to_read
from zerosum.records import Row
from zerosum.runs.record import plain

LONG = 4 << 20  # bytes from which a new part of the record is not parsed whole
CHUNK = 48 << 20  # bytes that are searched at a time for rows of other types than signals
POINTS = 700  # rows of signals that are kept at most twice over
MOST_ROWS = 2000  # of each other type
_LINE = re.compile(rb'\n\{"type": "(?!signals")')
KINDS = ("check", "grid", "score", "start", "stop", "horizon", "complaint")


class RecordReader:
    """The rows of one record.jsonl so far. revision: counts changes. signals: thinned, each a row of the record; rows: of other types."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.revision = 0
        self._reset()

    def _reset(self) -> None:
        self.offset, self._identity = 0, (0, 0)
        self.signals: list[Row] = []
        self.rows: dict[str, list[Row]] = {kind: [] for kind in KINDS}
        self.last: Row | None = None
        self.end: Row | None = None
        self._apart, self._skipped = 1, 0
        self._unsearched = (0, 0)
        self.unreadable = 0

    def refresh(self) -> bool:
        """Reads what is new. Returns whether anything is. A record that was cut or replaced, by a resume or a copy, is read anew."""
        try:
            with open_to_read(self.file) as opened:
                status = self.file.stat()
                identity = (status.st_dev, status.st_ino)
                if status.st_size < self.offset or (self.offset and identity != self._identity):
                    self._reset()
                self._identity = identity
                if status.st_size == self.offset and self._unsearched[0] >= self._unsearched[1]:
                    return False
                if status.st_size - self.offset > LONG:
                    self._skim(opened.fileno(), status.st_size)
                elif status.st_size > self.offset:
                    opened.seek(self.offset)
                    self._parse(opened.read(status.st_size - self.offset))
                if self._unsearched[0] < self._unsearched[1]:
                    self._search(opened.fileno())
        except (OSError, NotPlain, ValueError):
            return False
        self.revision += 1
        return True

    def _parse(self, content: bytes) -> None:
        whole, line_break, _ = content.rpartition(b"\n")
        if not line_break:
            return  # The first row is still being written.
        self.offset += len(whole) + 1
        for line in whole.split(b"\n"):
            self._take(line)

    def _skim(self, descriptor: int, size: int) -> None:
        """A long part: some rows of signals. Its rows of other types are found later, from its end backwards."""
        with mmap.mmap(descriptor, size, access=mmap.ACCESS_READ) as content:
            start, end = self.offset, content.rfind(b"\n") + 1
            last = max(start, content.rfind(b"\n", start, end - 1) + 1)
            places = {start, last}
            for i in range(POINTS):
                found = content.find(b"\n", int(start + i * (end - start) / POINTS), end) + 1
                if 0 < found < end:
                    places.add(found)
            for at in sorted(places):
                self._take(content[at : content.find(b"\n", at, end)], skimmed=True)
            # The rows of other types among these are found again with all others.
            self.rows = {kind: rows if start else [] for kind, rows in self.rows.items()}
            self._apart = max(1, (end - start) // max(1, end - last) // POINTS)
            self.offset = end
            self._unsearched = (start, end)

    def _search(self, descriptor: int) -> None:
        """The rows of other types in the last CHUNK bytes that were skimmed and not yet searched."""
        start, end = self._unsearched
        first = max(start, end - CHUNK)
        with mmap.mmap(descriptor, end, access=mmap.ACCESS_READ) as content:
            if first > start:
                first = content.rfind(b"\n", start, first) + 1
            found = [match.start() + 1 for match in _LINE.finditer(content, max(0, first - 1), end)]
            lines = [content[at : content.find(b"\n", at, end)] for at in ([0] if first == 0 else []) + found]
        newer, last, kept = self.rows, self.last, self.end
        self.rows = {kind: [] for kind in KINDS}
        self.end = None
        for line in lines:
            if not line.startswith(b'{"type": "signals"'):
                self._take(line, skimmed=True)
        self.rows = {kind: [*rows, *newer[kind]] for kind, rows in self.rows.items()}
        self.last, self.end = last, kept or self.end
        self._unsearched = (start, first)

    def _take(self, line: bytes, skimmed: bool = False) -> None:
        if not line.strip():
            return
        try:
            row = plain(json.loads(line))
        except (ValueError, RecursionError):
            self.unreadable += 1
            return
        if not isinstance(row, dict) or not isinstance(row.get("type"), str):
            self.unreadable += 1
            return
        self.last = row
        kind = row["type"]
        if kind == "signals":
            self._signals(row, skimmed)
        elif kind in self.rows:
            self.rows[kind].append(row)
            if len(self.rows[kind]) > MOST_ROWS:
                self.rows[kind] = [*self.rows[kind][: MOST_ROWS // 2 : 2], *self.rows[kind][MOST_ROWS // 2 :]]
        if kind in ("start", "stop"):
            self.end = row

    def _signals(self, row: Row, skimmed: bool) -> None:
        self._skipped += 1
        # The newest row is always the last one of the curve, whether or not it will be kept.
        if self.signals and not skimmed and self._skipped < self._apart and self.signals[-1].get("_newest"):
            self.signals.pop()
        keep = skimmed or self._skipped >= self._apart
        self.signals.append(row if keep else {**row, "_newest": True})
        if keep:
            self._skipped = 0
        if len(self.signals) > 2 * POINTS:
            self.signals = self.signals[::2]
            self._apart *= 2

    def curve(self, keys: Iterable[str]) -> list[list[Any]]:
        """Samples seen, and the numbers of these keys, as columns; rows without samples are left out."""
        rows = [row for row in self.signals if isinstance(row.get("samples"), int | float)]
        return [[row["samples"] for row in rows], *([short(row.get(key)) for row in rows] for key in keys)]

    def judged(self) -> list[Row]:
        """The rows from which the verdict is read."""
        checks = self.rows["check"]
        every = max(1, -(-len(checks) // 300))
        kept = checks[::every] if every > 1 else checks
        return [*kept, *([self.end] if self.end is not None else [])]


def short(value: Any) -> float | None:
    return float(f"{value:.5g}") if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e300 else None
