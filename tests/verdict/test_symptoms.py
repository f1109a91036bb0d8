"""What a run's distances, rates and circles tell, and what they do not. Under 1 s."""

from __future__ import annotations

import math
from itertools import accumulate
from statistics import pstdev
from typing import Any

import pytest

from zerosum.verdict import plateaued, verdict
from zerosum.verdict.check_view import CheckView
from zerosum.verdict.diagnoses import DIAGNOSES
from zerosum.verdict.symptoms import SYMPTOMS
from zerosum.verdict.thresholds import THRESHOLDS

Row = dict[str, Any]


def test_an_average_that_lags_behind_a_good_G_is_no_trouble(made: Any) -> None:
    behind = {"average_coverage": 0.1, "average_missing": 0.4, "fresh": 0.4, "cells": made.cells, "average_cells": made.half}
    rows = [made.check(i, **(behind if i > 15 else {})) for i in range(made.checks)]
    assert not any(DIAGNOSES[row["state"]].trouble for row in verdict(rows).history)
    assert any("the average lags" in sentence for sentence in verdict(rows).evidence)
    assert verdict([row | {"coverage": 0.1} for row in rows]).trouble


def test_a_run_that_is_where_it_began_has_stalled_however_near_that_is(made: Any) -> None:
    """A G that already covers much of the data before it is trained."""
    numbers = {"fresh": 0.2, "coverage": 0.65, "missing": 0.3, "auc_val": 0.8, "cross_entropy_val": 0.55}
    assert verdict([made.check(i, **numbers) for i in range(made.checks)]).state == "stalled"
    came = [made.check(i, **({"fresh": 0.5, "coverage": 0.2} | {"missing": 0.7} if i < 4 else numbers)) for i in range(made.checks)]
    assert verdict(came).state == "plateaued"


def test_a_record_within_the_noise_of_the_run_itself_is_no_improvement(made: Any) -> None:
    """The distance jumps by 0.1 and more; three checks at the end happen to lie 0.05 lower, or many of them 0.2."""

    def row(i: int, lucky: float) -> Row:
        bad = 0.5 + 0.1 * ((7 * i) % 4 - 1.5) / 1.5 - lucky
        return made.check(i, fresh=bad * math.log(2), coverage=0.05, missing=0.06 + bad, precision=0.05, cells=made.turning(i))

    assert verdict([row(i, 0.08 * (i >= made.checks - 3)) for i in range(made.checks)]).state != "improving"
    assert verdict([row(i, 0.3 * (i >= made.checks - 8)) for i in range(made.checks)]).state == "improving"


@pytest.mark.parametrize(("steps", "jumps"), [((-0.15, -0.15), False), ((0.25, -0.25), True)])
def test_a_distance_jumps_by_its_differences_not_by_its_values(steps: tuple[float, float], jumps: bool) -> None:
    """A straight fall has a large standard deviation of the distances, and none of their differences."""
    assert "differences" in THRESHOLDS["distance jumps"].what
    distances = list(accumulate((steps[i % 2] for i in range(20)), initial=4.0))
    assert pstdev(distances[-6:]) > THRESHOLDS["distance jumps"].value
    views = [CheckView(40 * i, 10_240 * i, i / 2, True, distance=d) for i, d in enumerate(distances)]
    assert SYMPTOMS["distance jumps"].shown(views) is jumps


def test_circles_near_the_data_are_no_trouble(made: Any) -> None:
    near = {"average_coverage": 0.94, "average_missing": 0.08, "fresh": 0.02}
    rows = [made.check(i, **{**made.case("oscillation", i), **near}) for i in range(made.checks)]
    assert not any(DIAGNOSES[row["state"]].trouble for row in verdict(rows).history)
    assert verdict(made.run("oscillation")).state == "oscillation"


def test_a_run_that_is_flat_well_above_its_best_has_not_plateaued(made: Any) -> None:
    """It has lost what it had reached, and says so, however far that is from where it began."""

    def row(i: int, then: float) -> Row:
        d = 0.05 if 5 <= i < 15 else then if i >= 15 else 0.9
        seen = {"auc_val": 0.8, "cross_entropy_val": 0.5}
        return made.check(i, fresh=d * math.log(2), coverage=0.94 * (1 - d), missing=0.06 + d, **seen)

    assert verdict([row(i, 0.1) for i in range(made.checks)]).state == "plateaued"
    fallen = verdict([row(i, 0.3) for i in range(made.checks)])
    assert fallen.state == "stalled"
    assert any("at its best" in sentence for sentence in fallen.evidence)


@pytest.mark.parametrize("missing", [0.05, 0.3])
def test_what_is_far_at_a_fine_scale_alone_may_be_thin_lines(missing: float, made: Any) -> None:
    """A third of the way off, at rest: neighbours see thin lines that nobody asks for; where cells are missing too, D should have seen."""
    rest = 1.0 - missing
    numbers = {"fresh": rest / 2 * math.log(2), "coverage": 0.96 * (1 - rest / 2), "missing": 0.06 + missing, "auc_val": 0.52}
    rows = [
        made.check(i, **numbers, cross_entropy_val=0.69) if i > 4 else made.check(i, fresh=0.6, coverage=0.0, missing=0.9)
        for i in range(40)
    ]
    found = verdict(rows)
    assert (found.state == "weak discriminator") == (missing > 0.2)
    assert found.trouble == (missing > 0.2)


def test_a_G_that_stands_still_where_it_began_reaches_many_reals_and_has_stalled(made: Any) -> None:
    """It reaches them no better than its average does, so no average lags."""
    numbers = {"fresh": 0.16, "coverage": 0.8, "missing": 0.38, "auc_val": 0.76, "cross_entropy_val": 0.58}
    assert verdict([made.check(i, **numbers, average_coverage=0.8, average_missing=0.38) for i in range(40)]).state == "stalled"


@pytest.mark.parametrize("lost", [False, True])
def test_a_record_that_was_lost_again_is_no_improvement(lost: bool, made: Any) -> None:
    """A run in circles comes nearest in its last third, and ends as far away as it ever was."""

    def row(i: int) -> Row:
        d = 0.2 if 28 <= i < (33 if lost else made.checks) else 0.35
        return made.check(i, fresh=d * math.log(2), coverage=0.94 * (1 - d), missing=0.06 + d, cells=made.turning(i))

    assert (verdict([row(i) for i in range(made.checks)]).state == "improving") == (not lost)


@pytest.mark.parametrize("n", [24, 96, 512])
def test_with_few_reals_only_a_larger_fall_counts(n: int, made: Any) -> None:
    """From .3 to .22: three standard errors of hundreds of samples, less than one of two dozen."""
    rows = [
        made.check(i, n=n, fresh=d * math.log(2), coverage=0.94 * (1 - d), missing=0.06 + d)
        for i in range(made.checks)
        for d in [0.3 if i < made.checks - 5 else 0.22]
    ]
    assert (verdict(rows).state == "improving") == (n > 24)


@pytest.mark.parametrize("told", [0.02, 0.3])
def test_where_reals_are_few_D_is_asked_whether_the_fakes_are_good(told: float, made: Any) -> None:
    """D knows its reals by heart, and the distance, of two dozen, is small: is anybody harmed?"""
    numbers = {"n": 24, "n_train": 200, "auc_gap": 0.9, "cross_entropy_val": math.log(2) - told}
    rows = [made.check(i, **numbers) for i in range(made.checks)]
    assert (verdict(rows).state == "discriminator overfitting") == (told > 0.1)


def test_a_fall_to_no_record_is_an_improvement_once_rates_have_fallen(made: Any) -> None:
    """It came near while its average was long, swung away, and comes back: nearer for as long as it rises no more."""

    def row(i: int) -> Row:
        d = 0.6 if i < 4 else 0.16 if i < 8 else 0.3 - 0.13 * max(0, i - 20) / 20
        return made.check(i, fresh=d * math.log(2), coverage=0.94 * (1 - d), missing=0.06 + d, left=0.0)

    found = verdict([row(i) for i in range(made.checks)])
    assert found.state == "improving"
    assert verdict([row(min(i, 20)) | {"samples": 10_240 * i} for i in range(made.checks)]).state != "improving"


def test_plateaued_long_enough_to_stop(made: Any) -> None:
    rows = made.run("plateaued")
    stops = [i for i in range(len(rows)) if plateaued(rows[: i + 1])]
    assert stops
    assert stops[0] >= THRESHOLDS["plateau checks"].value
    for name in DIAGNOSES:
        assert plateaued(made.run(name)) == (
            name in ("plateaued", "converged", "too early to say")
        )  # The latter is at the floor from the start.


@pytest.mark.parametrize("left", [0.0, 0.02, 0.05, 0.5, 1.0])
def test_while_rates_have_far_to_fall_a_run_may_have_more_to_gain(left: float, made: Any) -> None:
    rows = [row | {"left": left} for row in made.run("plateaued")]
    found = verdict(rows)
    assert found.state == ("plateaued" if left < 0.03 else "improving")
    # With a constant part before the decay, an end of the progress there is a plateau: the decay begins.
    assert plateaued(rows) == (left < 0.03 or left == 1)
    assert any("still to come" in sentence for sentence in found.evidence) == (left > 0.03)


@pytest.mark.parametrize("fresh", [0.3, 0.66])
def test_while_rates_are_high_a_G_that_swings_is_in_trouble_only_far_away(fresh: float, made: Any) -> None:
    """As the preset does on narrow modes for half of its run: all modes, cells as they should be, and no real covered."""
    swings = {"cells": [40, 24] * 8, "average_cells": made.cells, "average_coverage": 0.4 if fresh < 0.5 else 0.0, "average_missing": 0.3}
    rows = [
        made.check(i, coverage=0.3, precision=0.4, missing=0.3, fresh=fresh, auc_val=0.55, cross_entropy_val=0.69, **swings)
        if i > 4
        else made.check(i, fresh=0.66, coverage=0.0, missing=0.8, average_missing=0.8)
        for i in range(made.checks)
    ]
    assert verdict([row | {"left": 0.5} for row in rows]).trouble == (fresh > 0.5)
    assert verdict(rows).state == "weak discriminator"


@pytest.mark.parametrize(("std", "fresh", "named"), [(0.002, 0.3, True), (0.02, 0.3, False), (0.002, 0.05, False), (None, 0.3, False)])
def test_a_D_whose_logits_hardly_differ_is_weak_even_while_G_drifts_nearer(std: float | None, fresh: float, named: bool, made: Any) -> None:
    """As under a penalty 10,000 times too strong. Near the data flat logits are right."""

    def row(i: int) -> Row:
        left = 1 - i / made.checks
        numbers = {"fresh": fresh + 0.25 * left, "coverage": 0.3 - 0.1 * left, "missing": 0.2 + 0.1 * left}
        return made.check(i, **numbers, auc_val=0.9, cross_entropy_val=0.4, logit_std=std if i else 0.4)

    found = verdict([row(i) for i in range(made.checks)])
    assert (found.state == "weak discriminator") == named
    if named:
        assert "D's logits hardly differ: their standard deviation is 0.002, and was 0.4 before the first step" in found.evidence


@pytest.mark.parametrize(("first", "improves"), [(0.5, False), (0.9, True)])
def test_a_fall_to_what_is_further_than_the_untrained_G_is_no_improvement(first: float, improves: bool, made: Any) -> None:
    """Momentum in simultaneous steps: away from the data, and half of the way back."""

    def row(i: int) -> Row:
        d = first if i == 0 else 0.45 if i == 1 else 0.8 - 0.2 * max(0, 2 * i / made.checks - 1)
        return made.check(i, fresh=d * math.log(2), coverage=0.94 * (1 - d), missing=0.06 + d, cells=made.turning(i))

    assert (verdict([row(i) for i in range(made.checks)]).state == "improving") == improves


def test_a_G_that_never_had_a_gradient(made: Any) -> None:
    """Saturated from its first step, as at a learning rate of one: a sentence, and no division by zero."""
    rows = [made.check(i, **{**made.case("vanishing gradients", i), "grad_g": 0.0}) for i in range(made.checks)]
    assert "G has no gradient" in verdict(rows).evidence
    slow = [made.check(i, **{**made.case("stalled", i), "fresh": 0.66 - 0.001 * i, "missing": 0.8 - 0.003 * i}) for i in range(made.checks)]
    assert verdict(slow).state == "stalled"  # It moves, by less than a tenth of its way in a third of the run.


@pytest.mark.parametrize("times", [1, 2, 8])
def test_twice_the_minutes_settle_no_sooner(times: int, made: Any) -> None:
    """The first checks of a long run come as close as those of a short one: they are few of its minutes, however many they are."""
    close = [made.check(i, **made.case("plateaued", 3 * i), left=0.0) for i in range(20)]
    apart = [made.check(i, **made.case("plateaued", 3 * i), left=0.0) for i in range(20, 20 + 40 * times, times)]
    history = verdict([*close, *apart]).history
    first = next(i for i, row in enumerate(history) if row["state"] == "plateaued")
    seen = [row["samples"] for row in history]
    assert sum(2 * samples >= seen[first] for samples in seen[: first + 1]) >= THRESHOLDS["checks before a trouble"].value
    assert history[-1]["state"] == "plateaued"


def test_a_slow_fall_is_no_rest(made: Any) -> None:
    """From .3 to .2 over the last half of the run, within the noise of any single check: it gains still."""

    def row(i: int) -> Row:
        d = 0.3 - 0.1 * max(0, i - 20) / 20 + 0.04 * ((5 * i) % 7 - 3) / 3
        return made.check(
            i, **({"fresh": 0.6, "coverage": 0.05, "missing": 0.9} if i < 3 else {"fresh": d, "coverage": 0.94 * (1 - d), "missing": d})
        )

    assert "plateaued" not in {row["state"] for row in verdict([row(i) for i in range(made.checks)]).history[33:]}


def test_far_is_further_on_images(made: Any) -> None:
    """Fair fakes of images rest where points would be in trouble; beyond that, images are too."""

    def told(d: float, data: str) -> str:
        seen = {"data": data, "auc_val": 0.8, "cross_entropy_val": 0.5}

        def row(i: int) -> Row:
            at = max(d, 0.95 - 0.1 * i)
            missing = min(at, 0.3)  # More, and it collapses.
            others = (3 * at - missing) / 2
            return made.check(i, fresh=others * math.log(2), coverage=0.94 * (1 - others), missing=0.06 + missing, **seen)

        return verdict([row(i) for i in range(made.checks)]).state

    assert [told(d, "points") for d in (0.34, 0.46, 0.55)] == ["stalled"] * 3
    assert [told(d, "images") for d in (0.34, 0.46, 0.55)] == ["plateaued", "plateaued", "stalled"]


def test_a_G_that_stands_where_it_was_made_has_not_collapsed(made: Any) -> None:
    """However few kinds it makes; once it has moved it has."""
    rows = [made.check(i, **{**made.case("mode collapse", 20), "auc_val": 1.0, "cross_entropy_val": 0.02}) for i in range(made.checks)]
    assert verdict(rows).state == "vanishing gradients"
    assert verdict([row | {"cells": made.cells} if i < 3 else row for i, row in enumerate(rows)]).state == "mode collapse"
