"""Minutes are kept and schedules completed, whatever the machine's speed does meanwhile."""

from __future__ import annotations

import random
from collections.abc import Callable
from itertools import pairwise

import pytest

from zerosum.play.course import Course
from zerosum.play.horizon import GRACE, Clock, Horizon
from zerosum.play.schedule import cosine

BATCH = 64
Speed = Callable[[float], float]  # samples a second, at a time in seconds


def run(until: float, speed: Speed, start: float = 0.0, seen: int = 0, end: int | None = None) -> tuple[Horizon, float, int, list[float]]:
    """A run on a made-up machine: its horizon at the end, its seconds and samples, and the schedule's cosine at each step."""
    horizon, clock = Horizon(end, until), Clock(until, start, end)
    seconds, falls = start, []
    while not horizon.reached(seen):
        assert not horizon.out_of_time(seconds)
        if new := clock.decide(seen, seconds):
            horizon.redirect(seen, new)
        falls.append(cosine(seen, horizon.course))
        seconds += BATCH / speed(seconds)
        seen += BATCH
    return horizon, seconds, seen, falls


def random_halving(seed: int, until: float) -> Speed:
    """Half, once or twice 1,000 samples a second, changing at random moments, about twenty times in the run."""
    chance = random.Random(seed)
    moments = sorted(chance.uniform(0, until) for _ in range(20))
    factors = [chance.choice([0.5, 1.0, 2.0]) for _ in range(21)]
    return lambda t: 1000 * factors[sum(m <= t for m in moments)]


SPEEDS: dict[str, Speed] = {
    "steady": lambda t: 1000.0,
    "busy at the start": lambda t: 15.0 * BATCH / 8 if t < 70 else 1000.0,
    "a neighbour begins at half time": lambda t: 1000.0 if t < 300 else 90.0,
    "swings within seconds": lambda t: 1000.0 if int(t) % 2 else 250.0,
    "slower and slower": lambda t: 2000.0 / (1 + t / 60),
    **{f"halves and doubles at random, {seed}": random_halving(seed, 600.0) for seed in range(10)},
}


@pytest.mark.parametrize("until", [60.0, 600.0])
@pytest.mark.parametrize("name", SPEEDS)
def test_minutes_are_kept_within_three_percent(name: str, until: float) -> None:
    _, seconds, _, falls = run(until, lambda t: SPEEDS[name](t * 600 / until))
    assert abs(seconds - until) <= 0.03 * until
    # The decay is complete, and no step of the schedule jumps after the first decision.
    assert falls[-1] < 0.01
    drops = [a - b for a, b in pairwise(falls)]
    assert min(drops) >= -1e-12
    assert sum(d > 0.05 for d in drops) == 0


def test_a_steady_run_has_few_knots() -> None:
    horizon, _, seen, falls = run(600.0, lambda t: 1000.0)
    assert horizon.course is not None
    assert len(horizon.course.knots) <= 6
    assert abs(seen - 600_000) < 2_000
    # As if it had been given these samples, once its end is known.
    middle = len(falls) // 2
    assert falls[middle] == pytest.approx(cosine(middle * BATCH, seen), abs=0.005)


def test_further_minutes_of_a_resumed_run_begin_where_it_resumes() -> None:
    horizon, seconds, seen, _ = run(100.0 + 60.0, lambda t: 500.0, start=100.0, seen=5_000)
    assert abs(seconds - 160.0) <= 0.03 * 60
    assert horizon.samples is not None
    assert abs(seen - 35_000) < 1_000


def test_a_resumed_run_keeps_its_course_and_its_minutes() -> None:
    """Interrupted at half time on a fast machine, resumed on a slow one."""
    horizon, seconds, seen, _ = run(600.0, lambda t: 200.0, start=300.0, seen=300_000, end=600_000)
    assert abs(seconds - 600.0) <= 0.03 * 600
    assert horizon.course is not None
    assert horizon.course.at(300_000) == pytest.approx(0.5)
    assert seen < 400_000


def test_a_run_that_cannot_decide_is_stopped() -> None:
    horizon = Horizon(None, 60.0)
    assert not horizon.out_of_time(60.0 * GRACE)
    assert horizon.out_of_time(60.0 * GRACE + 1)
    assert not Horizon(1000).out_of_time(1e9)


# -- the course ---------------------------------------------------------------------------------------------------------------------------


def test_a_straight_course_is_the_share_of_the_samples() -> None:
    course = Course.straight(1000)
    assert [course.at(n) for n in (0, 250, 999, 1000, 5000)] == [0.0, 0.25, 0.999, 1.0, 1.0]
    for n in range(0, 1000, 7):
        assert cosine(n, course) == cosine(n, 1000)  # To the bit: a run of given samples is what it was.


def test_a_redirected_course_is_continuous_and_keeps_its_past() -> None:
    first = Course.straight(1000)
    second = first.redirected(400, 600)
    third = second.redirected(500, 2000)
    assert [second.at(n) for n in (0, 200, 400, 500, 600)] == pytest.approx([0.0, 0.2, 0.4, 0.7, 1.0])
    assert [third.at(n) for n in (200, 400, 500, 1250, 2000)] == pytest.approx([0.2, 0.4, 0.7, 0.85, 1.0])
    assert third.end == 2000
    assert Course.from_json(third.to_json()) == third
    # At its end, and back to before a knot, as a resume from an earlier checkpoint would.
    assert second.redirected(600, 600).at(601) == 1.0
    assert third.redirected(300, 700).at(500) == pytest.approx(0.3 + 0.7 / 2)


@pytest.mark.parametrize(
    "knots",
    [
        [],
        [[0, 0.0]],
        [[0, 0.0], [0, 1.0]],
        [[0, 0.0], [10, 0.5]],
        [[0, 0.1], [10, 1.0]],
        [[0, 0.0], [5, 0.9], [9, 0.1], [10, 1.0]],
        [[0, 0.0], [10.5, 1.0]],
    ],
)
def test_a_damaged_course_is_none(knots: list[list[float]]) -> None:
    with pytest.raises(ValueError, match="course"):
        Course.from_json(knots)
