"""The verdict over a run's checks as a band: which state from which sample on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from zerosum.records import Row
from zerosum.report.numbers import count, finite

# How a state looks; any other is a trouble.
LOOKS = {"converged": "good", "improving": "good", "plateaued": "level", "too early to say": "early"}
_WIDE = 1000.0


def history(verdict: Mapping[str, Any] | None) -> list[Row]:
    """The checks of a verdict that say samples and state, in order."""
    found = (verdict or {}).get("history")
    rows = found if isinstance(found, list) else []
    return [row for row in rows if isinstance(row, Mapping) and finite(row.get("samples")) is not None and row.get("state")]  # type: ignore[misc]


def timeline(checks: Sequence[Row]) -> dict[str, Any] | None:
    """parts: x, width, look and title of each check on a band of 1,000 units. words: the changes. None for less than two checks."""
    if len(checks) < 2 or not checks[-1]["samples"]:
        return None
    end = float(checks[-1]["samples"])
    starts = [_WIDE * float(row["samples"]) / end for row in checks]
    parts = [
        {
            "x": round(x, 1),
            "width": round(max(2.0, following - x), 1),
            "look": LOOKS.get(str(row["state"]), "trouble"),
            "title": f"{row['state']} at {count(row['samples'])} samples",
        }
        for row, x, following in zip(checks, starts, [*starts[1:], _WIDE], strict=True)
    ]
    changes = [row for i, row in enumerate(checks) if i == 0 or row["state"] != checks[i - 1]["state"]]
    words = "; ".join(f"{row['state']} from {count(row['samples'])} samples" for row in changes[-12:])
    return {"parts": parts, "words": f"{words[0].upper()}{words[1:]}."}
