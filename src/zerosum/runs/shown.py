"""A run as one line, and as a piece of HTML for a notebook."""

from __future__ import annotations

from base64 import b64encode
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from zerosum.plain_files import NotPlain, read_plain

if TYPE_CHECKING:
    from zerosum.runs.run import Run

LARGEST = 2_000_000
"""Bytes of the largest picture that is embedded."""


def line(run: Run) -> str:
    """Folder, data, samples seen, how it ended and its verdict."""
    rows = run.rows()
    ends = [row for row in rows if row["type"] in ("start", "stop")]
    ended = str(ends[-1].get("reason")) if ends and ends[-1]["type"] == "stop" else "no end recorded"
    seen = int(rows[-1].get("samples") or 0) if rows else 0
    return f"<Run {run.path}: {run.manifest['data']['name']}, {seen:,} samples, {ended}; verdict: {run.verdict().state}>"


def html(run: Run) -> str:
    """The line, the newest picture of samples, and the verdict."""
    picture = _embedded(run.path / "grid.png")
    report = run.path / "report.html"
    more = f"<p>Report: <code>{escape(str(report))}</code></p>" if report.is_file() else ""
    return f"<p><code>{escape(line(run))}</code></p>{picture}{run.verdict()._repr_html_()}{more}"


def _embedded(file: Path) -> str:
    try:
        content = read_plain(file)
    except (OSError, NotPlain):
        return ""
    if len(content) > LARGEST:
        return ""
    return f"<img alt='samples of the averaged generator' src='data:image/png;base64,{b64encode(content).decode()}'>"
