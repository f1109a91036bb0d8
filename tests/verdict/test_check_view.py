"""Record rows as the verdict sees them, old ones and those with holes too. Under 1 s."""

from __future__ import annotations

import math
from typing import Any

import pytest

from zerosum.verdict import verdict
from zerosum.verdict.check_view import CheckView, check_views, variation


def test_rows_without_checks_or_with_holes(made: Any) -> None:
    for rows in (
        [],
        [{"type": "signals", "loss_d": 1.0}],
        [{"type": "check"}] * 20,
        [made.check(i, coverage=None, fresh=None) for i in range(20)],
    ):
        found = verdict(rows)
        assert not found.trouble
        assert found.confidence == "low" or found.state != "too early to say"


def test_rows_of_before_the_schedule_was_told_are_read(made: Any) -> None:
    assert "left" not in made.run("plateaued")[0]
    assert check_views(made.run("plateaued"))[-1].decay_left == 0


def test_numbers_are_read_beside_their_floors(made: Any) -> None:
    views = check_views(
        [
            made.check(0, fresh=0.3, coverage=0.48, missing=0.2),
            made.check(
                1,
                cells=made.half,
                average_cells=made.cells,
                average_coverage=0.96,
                fresh=-0.02,
                missing=0.06,
                average_missing=0.06,
            ),
        ]
    )
    # The reference is -.02: noise about 0, which adds nothing.
    assert views[0].separable == pytest.approx(0.3)
    assert views[0].distance == pytest.approx((0.3 / math.log(2) + 0.5 + 0.14) / 3)
    assert views[0].change is None
    assert views[1].change == pytest.approx(0.75)
    assert views[1].distance == pytest.approx(0)
    of_images = {
        "compared_as": "features",
        "noise_share": 0.3,
        "floor_noise_share": 0.02,
        "floor_memory_copies": 0.4,
        "memory_held_out": 0.5,
    }
    (view,) = check_views([made.check(0, **of_images, floor_memory_held_out=0.8)])
    assert (view.distance, view.real_distance, view.images) == (0.3, 0.02, True)
    assert (view.copies_of_real, view.held_out) == (0.4, pytest.approx(0.625))
    assert check_views([made.check(0, noise_share=1.7)])[0].distance == 1.0
    assert variation([1, 1], [2, 0]) == pytest.approx(0.5)
    assert variation([1], [1, 2]) is None
    assert variation([0, 0], [1, 1]) is None
    assert check_views([{"type": "check", "auc_val": float("nan")}])[0] == CheckView(0, 0, 0.0, True)
