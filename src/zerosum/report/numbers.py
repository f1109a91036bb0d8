"""Numbers as people read them: a dash for what is missing, "not finite" for NaN and infinities."""

from __future__ import annotations

import math
from sys import float_info
from typing import Any

ABSENT = "–"


def finite(x: Any) -> float | None:
    """x as a float when it is a finite number, else None (null, NaN, infinity, text)."""
    if isinstance(x, bool) or not isinstance(x, (int, float)):
        return None
    # Compared, not asked whether it is finite: a whole number in JSON may be too long to be a float.
    return float(x) if abs(x) <= float_info.max else None


def count(n: Any) -> str:
    """A whole number with thousands separated: 54,000."""
    value = finite(n)
    return ABSENT if value is None else f"{value:,.0f}"


def number(x: Any) -> str:
    """Three significant digits: 0.0123, 1.39, 12.3; thousands in full; "not finite" for NaN and infinities."""
    if isinstance(x, float) and not math.isfinite(x):
        return "not finite"
    value = finite(x)
    if value is None:
        return ABSENT
    if value == 0:
        return "0"
    if abs(value) < 1e-4 or abs(value) >= 1e9:
        return f"{value:.1e}"
    return f"{value:,.0f}" if abs(value) >= 999.5 else f"{value:#.3g}".rstrip(".")


def share(x: Any) -> str:
    """A share in [0, 1] as per cent: 71 %."""
    value = finite(x)
    return ABSENT if value is None else f"{100 * value:.0f} %"


def duration(seconds: Any) -> str:
    """A time in its two largest units: 45 s, 5 min 12 s, 3 h 20 min, 2 d 4 h."""
    value = finite(seconds)
    if value is None:
        return ABSENT
    left, parts = max(0, round(value)), []
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min"), (1, "s")):
        whole, left = divmod(left, size)
        parts.append((whole, unit))
    largest = next((i for i, (whole, _) in enumerate(parts) if whole), 3)
    return " ".join(f"{whole} {unit}" for whole, unit in parts[largest : largest + 2] if whole) or "0 s"
