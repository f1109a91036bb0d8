"""A line of the table that `zerosum prove` prints."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Statement:
    """One statement: `proved` is the number that the mathematics gives and `measured` the one that the code does."""

    name: str
    source: str
    proved: float
    measured: float
    tolerance: float
    holds: bool


def statement(name: str, source: str, proved: float, measured: float, tolerance: float) -> Statement:
    """A Statement that holds where |measured - proved| <= tolerance; what is not finite never does."""
    return Statement(name, source, proved, measured, tolerance, math.isfinite(measured) and abs(measured - proved) <= tolerance)


def relative_statement(name: str, source: str, proved: float, measured: float, share: float) -> Statement:
    """A Statement whose tolerance is a share of the proved number."""
    return statement(name, source, proved, measured, share * abs(proved))
