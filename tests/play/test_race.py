"""The fastest program is chosen by injected clocks: noise and slow moments do not make it choose one that is clearly slower."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from zerosum.play.race import LEAST, MOST, race


class Machine:
    """A clock that programs move: each call takes its true time, times noise, and sometimes a slow moment."""

    def __init__(self, seed: int, noise: float = 0.0, slow: float = 0.0) -> None:
        self.time, self.random, self.noise, self.slow, self.calls = 0.0, random.Random(seed), noise, slow, 0

    def now(self) -> float:
        return self.time

    def program(self, seconds: float) -> Callable[[], None]:
        def work() -> None:
            self.calls += 1
            lengthened = self.random.lognormvariate(0.0, self.noise) * (4.0 if self.random.random() < self.slow else 1.0)
            self.time += seconds * lengthened

        return work


def chosen(seconds: dict[str, float], seed: int, budget: float = 100.0, noise: float = 0.06, slow: float = 0.1) -> str:
    machine = Machine(seed, noise, slow)
    return race({name: machine.program(s) for name, s in seconds.items()}, budget, machine.now, machine.now).chosen


@pytest.mark.parametrize("order", [["rule", "other"], ["other", "rule"]])
@pytest.mark.parametrize(("budget", "noise", "slow"), [(100.0, 0.06, 0.1), (3.0, 0.02, 0.03)])
def test_noise_never_chooses_what_is_a_tenth_slower(order: list[str], budget: float, noise: float, slow: float) -> None:
    true = {"rule": 0.100, "other": 0.112}
    names = [chosen({name: true[name] for name in order}, seed, budget, noise, slow) for seed in range(400)]
    assert set(names) == {"rule"}


def test_the_best_of_several_is_found() -> None:
    true = {"rule": 0.2, "slow": 0.3, "best": 0.1, "near": 0.105, "far": 0.5}
    assert {chosen(true, seed) for seed in range(200)} <= {"best", "near"}


def test_equal_programs_keep_the_rule() -> None:
    assert [chosen({"rule": 0.1, "equal": 0.1}, seed, noise=0.02, slow=0.0) for seed in range(50)].count("rule") >= 48


def test_a_machine_that_slows_down_meets_all_alike() -> None:
    machine = Machine(0)
    drift = {"rule": 0.1, "slower": 0.115}

    def program(name: str) -> Callable[[], None]:
        def work() -> None:
            machine.time += drift[name] * (1 + machine.time)  # ever slower

        return work

    assert race({name: program(name) for name in drift}, 5.0, machine.now, machine.now).chosen == "rule"


def test_a_short_budget_times_fewer_programs_and_keeps_the_rule() -> None:
    machine = Machine(0)
    works = {"rule": machine.program(1.0), "half": machine.program(0.5), "third": machine.program(0.3)}
    result = race(works, 3.2, machine.now, machine.now)
    assert result.chosen == "rule"
    assert machine.calls == 3  # one call of each, and no judgement on fewer rounds than LEAST
    race(works, 1.8, machine.now, machine.now)
    assert machine.calls == 3 + 1  # Half of the budget is gone with the first.
    assert race(works, 13.0, machine.now, machine.now).chosen == "third"
    # Time for LEAST rounds of two: the third is not judged.
    assert race(works, 1.8 + 7 * (0.6 + 0.5) + 0.1, machine.now, machine.now).chosen == "half"


def test_it_ends_with_the_budget_and_with_what_is_clear() -> None:
    machine = Machine(0)
    result = race({"rule": machine.program(0.1), "slow": machine.program(0.2)}, 100.0, machine.now, machine.now)
    assert result.rounds == {"rule": LEAST, "slow": LEAST}
    assert result.relative == pytest.approx({"rule": 1.0, "slow": 2.0})
    close = race({"rule": machine.program(0.1), "near": machine.program(0.1)}, 1000.0, machine.now, machine.now)
    assert close.rounds["near"] == MOST
    short = race({"rule": machine.program(0.1), "near": machine.program(0.1)}, 1.7, machine.now, machine.now)
    assert LEAST <= short.rounds["near"] < MOST
    assert short.spent < 2.0


def test_a_machine_that_becomes_too_slow_ends_the_race() -> None:
    machine = Machine(0)

    def program(seconds: float) -> Callable[[], None]:
        def work() -> None:
            machine.calls += 1
            machine.time += seconds * (1 if machine.calls <= 2 else 20)

        return work

    result = race({"rule": program(0.1), "better": program(0.05)}, 3.0, machine.now, machine.now)
    assert result.chosen == "rule"
    assert result.spent < 3.0 * 1.5 + 3.0  # the round in which it was noticed
