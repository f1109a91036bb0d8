"""Which runs are in the folders that were named, and how each is: live, finished, crashed, or still being copied. Read-only.

A training holds a lock on RUN/lock. Whether one does is read from the system's list of locks, because to try the lock would, for a moment,
keep a training from starting.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from zerosum.records import Row
from zerosum.report.words import STOPS

DEPTH, MOST_RUNS = 3, 300
FRESH = 15.0  # seconds since the record's last change, within which a run without a lock may still be growing


class State(NamedTuple):
    """name: live, ended, growing, crashed, or incomplete. words: a sentence. trouble: whether something went wrong."""

    name: str
    words: str
    trouble: bool


def found_runs(places: Sequence[Path]) -> dict[str, Path]:
    """The runs at these places and in the folders below them, by an identifier that does not depend on the others."""
    found: dict[str, Path] = {}
    for place in places:
        root = place.resolve()
        for folder in _runs_below(root, DEPTH):
            # A link may lead out of the folder that was named.
            if folder.resolve().is_relative_to(root):
                found.setdefault(hashlib.blake2b(str(folder.resolve()).encode("utf-8", "replace"), digest_size=6).hexdigest(), folder)
            if len(found) >= MOST_RUNS:
                return found
    return found


def _runs_below(folder: Path, depth: int) -> Iterator[Path]:
    if (folder / "run.json").is_file() or (folder / "record.jsonl").is_file():
        yield folder
        return
    if depth == 0:
        return
    try:
        children = sorted(child for child in folder.iterdir() if child.is_dir() and not child.name.startswith("."))
    except OSError:
        return
    for child in children[:MOST_RUNS]:
        yield from _runs_below(child, depth - 1)


def locked_by(folder: Path) -> int | None:
    """The process that holds the run's lock: its number, 0 where the system does not tell it; None where none does, or nobody can say."""
    try:
        inode = (folder / "lock").stat().st_ino
        lines = Path("/proc/locks").read_text().splitlines()
    except OSError:
        return None
    for line in lines:
        parts = line.split()
        if len(parts) >= 6 and "->" not in parts and parts[5].rpartition(":")[2] == str(inode):
            return max(0, int(parts[4])) if parts[4].lstrip("-").isdigit() else 0
    return None


def knows_locks() -> bool:
    """Whether this system lists its locks."""
    return Path("/proc/locks").exists()


def state_of(folder: Path, end: Row | None, changed: float) -> State:
    """How a run is. end: its last row of type start or stop. changed: when the record was last written, seconds since the epoch."""
    if not (folder / "run.json").is_file() or not (folder / "record.jsonl").is_file():
        return State("incomplete", "Incomplete: run.json or the record is missing. It may still be being copied.", False)
    if locked_by(folder) is not None:
        return State("live", "Training now.", False)
    if end is not None and end.get("type") == "stop":
        reason = str(end.get("reason"))
        words = STOPS.get(reason, f"Stopped: {reason}.")
        return State("ended", " ".join(part for part in (words, str(end.get("message") or "")) if part), reason in ("not finite", "error"))
    if time.time() - changed < FRESH:
        return State(
            "growing", "Growing, though no process on this machine holds its lock: it is being copied, or trains elsewhere.", False
        )
    if not knows_locks():
        return State("crashed", "No end is recorded, and the record no longer grows. If its process was killed, resume it.", True)
    return State(
        "crashed", "Its process ended without a last row: it was killed or crashed. Resume it, and it goes on from its checkpoint.", True
    )
