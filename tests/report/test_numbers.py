import math

import pytest

from zerosum.report.numbers import ABSENT, count, duration, finite, number, share


@pytest.mark.parametrize(
    ("x", "text"),
    [(0.012345, "0.0123"), (1.3863, "1.39"), (-1.3863, "-1.39"), (12.0, "12.0"), (123.4, "123"), (999.6, "1,000"), (1_105_000, "1,105,000")]
    + [
        (0, "0"),
        (2.5e-7, "2.5e-07"),
        (None, ABSENT),
        (math.nan, "not finite"),
        (-math.inf, "not finite"),
        ("text", ABSENT),
        (True, ABSENT),
    ],
)
def test_number_has_three_digits(x: object, text: str) -> None:
    assert number(x) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (59.4, "59 s"), (59.6, "1 min"), (312, "5 min 12 s"), (3600, "1 h"), (12_000, "3 h 20 min"), (187_200, "2 d 4 h")]
    + [(86_400 + 59, "1 d"), (-3, "0 s"), (None, ABSENT), (math.inf, ABSENT)],
)
def test_duration_has_two_units(seconds: object, text: str) -> None:
    assert duration(seconds) == text


def test_count_and_share() -> None:
    assert (count(54_000), count(None), share(0.714), share(math.nan)) == ("54,000", ABSENT, "71 %", ABSENT)
    assert finite(3) == 3.0
    assert finite(math.inf) is None
