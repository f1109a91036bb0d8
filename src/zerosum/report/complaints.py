"""The complaints in a run's record as sentences: a full disk, a checkpoint or a grid that could not be written, a machine that differs."""

from __future__ import annotations

import re
import shutil
from typing import Any

from zerosum.records import Row
from zerosum.report.folder import RunFolder
from zerosum.report.numbers import count

_MOST = 5
_LITTLE = 1 << 20  # bytes free on a disk that counts as full


def complaints(run: RunFolder) -> list[str]:
    """At most five sentences, the newest last. Those that differ in their numbers alone are one, with how often it came."""
    groups: dict[str, list[Row]] = {}
    for row in run.of("complaint"):
        key = re.sub(r"\d+", "", str(row.get("message")))
        groups[key] = [*groups.pop(key, []), row]
    told = [_told(rows) for rows in list(groups.values())[-_MOST:]]
    return told + _full(run)


def _told(rows: list[Row]) -> str:
    message: Any = rows[-1].get("message")
    at = f"at {count(rows[-1].get('samples'))} samples"
    often = at if len(rows) == 1 else f"{len(rows)} times, last {at}"
    return f"{message} ({often})"


def _full(run: RunFolder) -> list[str]:
    """A sentence where the disk is full now: a run in training cannot write its own complaint then."""
    try:
        free = shutil.disk_usage(run.path).free
    except OSError:
        return []
    if free >= _LITTLE:
        return []
    return [f"The disk of {run.path} has {free:,} bytes free: free some space. A run in training keeps its rows in memory until then."]
