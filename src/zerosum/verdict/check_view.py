"""Record rows of type "check" as the verdict sees them: each number beside its floor, and beside the check before it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median
from sys import float_info
from typing import Any

Row = Mapping[str, Any]

# `compared_as` by `data`, for rows from before it was recorded.
_COMPARED_AS = {"points": "vectors", "images": "pixels"}


@dataclass(frozen=True)
class Look:
    """One check. None: the row did not have the number.

    distance: 0 (the floor) to 1, the mean of three: what a fresh D tells (over log 2), the reals that are not covered, the cells that
    are missing; of G's average. smooth: the median of this check's distance and the two before: one odd check neither makes a record nor
    breaks one. told: nats that the run's own D tells of held-out reals and G's fakes. fresh: nats that a fresh D tells, above the floor.
    cover, precise: coverage and precision of G over their floors; cover_average. missing: total variation of G's cells from the reals',
    above the floor; missing_average. drift: total variation of G's cells from those of the check before. apart: of G's cells from its
    average's. gap: chance above 1/2 that D scores a training real above a held-out one; gap_error, its standard error. left: how much of
    what falls over the run is still to fall, 1 to 0; rows of before it was written count as 0. n: samples a side.
    images: whether the data are images; in rows from before that was told, no.
    """

    round: int
    samples: int
    seconds: float
    finite: bool
    distance: float | None = None
    smooth: float | None = None
    auc: float | None = None
    told: float | None = None
    fresh: float | None = None
    cover: float | None = None
    cover_average: float | None = None
    precise: float | None = None
    diversity: float | None = None
    missing: float | None = None
    missing_average: float | None = None
    drift: float | None = None
    apart: float | None = None
    grad_g: float | None = None
    gap: float | None = None
    gap_error: float | None = None
    r_t: float | None = None
    held_out: float | None = None
    copies: float | None = None
    modes: tuple[int, int] | None = None
    left: float = 0.0
    images: bool = False
    n: int | None = None


def looks(rows: Sequence[Row]) -> list[Look]:
    """The checks among record rows, in order. A number that is null, missing or not finite is None."""
    found: list[Look] = []
    distances: list[float] = []
    before: Row | None = None
    for row in rows:
        if row.get("type") == "check":
            look = _look(row, before)
            if look.distance is not None:
                distances.append(look.distance)
                look = replace(look, smooth=median(distances[-3:]))
            found.append(look)
            before = row
    return found


def number(row: Row, name: str) -> float | None:
    """A finite number of the row, else None."""
    value = row.get(name)
    # Compared, not asked whether it is finite: a whole number in JSON may be too long to be a float.
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) <= float_info.max else None


def _above(row: Row, name: str, floor: str) -> float | None:
    """name - floor, at least 0."""
    value, base = number(row, name), number(row, floor)
    return None if value is None or base is None else max(0.0, value - base)


def _share(row: Row, name: str, floor: str) -> float | None:
    """name / floor, from 0 to 1."""
    value, base = number(row, name), number(row, floor)
    return None if value is None or not base else min(1.0, max(0.0, value / base))


def variation(one: Any, other: Any) -> float | None:
    """Total variation between two histograms given as counts, 0 to 1; None where they are none, or of different lengths."""
    if not (isinstance(one, list) and isinstance(other, list) and len(one) == len(other) and sum(one) and sum(other)):
        return None
    return float(sum(abs(p / sum(one) - q / sum(other)) for p, q in zip(one, other, strict=True))) / 2


def _mean(values: Sequence[float | None]) -> float | None:
    there = [v for v in values if v is not None]
    return sum(there) / len(there) if len(there) == len(values) else None


def _look(row: Row, before: Row | None) -> Look:
    smooth = "average_" if number(row, "average_coverage") is not None else ""
    fresh = _above(row, "fresh", "floor_fresh")
    cover_average = _share(row, f"{smooth}coverage", "floor_coverage")
    missing = _above(row, f"{smooth}missing", "floor_missing")
    parts = [
        None if fresh is None else min(1.0, fresh / math.log(2)),
        None if cover_average is None else 1 - cover_average,
        None if missing is None else min(1.0, missing),
    ]
    entropy, gap, n = number(row, "cross_entropy_val"), number(row, "auc_gap"), number(row, "n")
    m = number(row, "n_train") or n
    seen, of = row.get("modes"), row.get("modes_of")
    return Look(
        round=int(number(row, "round") or 0),
        samples=int(number(row, "samples") or 0),
        seconds=number(row, "seconds") or 0.0,
        finite=row.get("finite", True) is True,
        distance=_mean(parts),
        auc=number(row, "auc_val"),
        told=None if entropy is None else max(0.0, math.log(2) - entropy),
        fresh=fresh,
        cover=_share(row, "coverage", "floor_coverage"),
        cover_average=cover_average,
        precise=_share(row, "precision", "floor_precision"),
        diversity=number(row, "diversity"),
        missing=_above(row, "missing", "floor_missing"),
        missing_average=missing,
        drift=None if before is None else variation(row.get("cells"), before.get("cells")),
        apart=variation(row.get("cells"), row.get("average_cells")),
        grad_g=number(row, "grad_g"),
        gap=None if gap is None else gap - 0.5,
        # Mann and Whitney 1947: variance (n + m + 1) / (12 n m) where the laws agree.
        gap_error=None if not n or not m or min(n, m) < 1 else math.sqrt((n + m + 1) / (12 * n * m)),
        left=number(row, "left") or 0.0,
        images=row.get("compared_as", _COMPARED_AS.get(str(row.get("data")))) == "pixels",
        n=None if not n or n < 1 else int(n),
        r_t=number(row, "r_t"),
        held_out=number(row, "memory_held_out"),
        copies=number(row, "memory_copies"),
        modes=(seen, of) if isinstance(seen, int) and isinstance(of, int) else None,
    )
