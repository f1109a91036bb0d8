"""A statement of the theory with its measurement: one line of the table of `zerosum prove`."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Statement:
    """One statement.

    name: what is compared, with its unit where it has one. source: the theorem or paper. proved: the number that the mathematics gives.
    measured: the number that the code gives. tolerance: their largest allowed difference. holds: whether they agree.
    """

    name: str
    source: str
    proved: float
    measured: float
    tolerance: float
    holds: bool


def statement(name: str, source: str, proved: float, measured: float, tolerance: float) -> Statement:
    """Make a Statement; it holds where |measured - proved| <= tolerance, and never for values that are not finite."""
    return Statement(name, source, proved, measured, tolerance, math.isfinite(measured) and abs(measured - proved) <= tolerance)


def relative_statement(name: str, source: str, proved: float, measured: float, share: float) -> Statement:
    """Make a Statement whose tolerance is a share of the proved number."""
    return statement(name, source, proved, measured, share * abs(proved))
