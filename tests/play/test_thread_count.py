"""How many threads compute the steps beside other programs. The clock and the machine are the test's."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

import pytest

from zerosum.play.thread_count import LATEST, STEPS, ThreadCount, fewer, more


@dataclass
class Machine:
    """Two cores with so many busy neighbours. A step takes 0.05 s of one thread's work."""

    neighbours: int = 0
    step: float = 0.05
    changes: list[tuple[float, int, bool]] = field(default_factory=list)
    clock: float = 0.0

    def __post_init__(self) -> None:
        self.threads = ThreadCount(2, 2, self.waited)

    def seconds(self) -> float:
        """Of a step: two threads are slower than one beside a neighbour, as measured (docs/speed.md)."""
        speed = {1: (1.0, 1.0, 0.7), 2: (1.9, 0.45, 0.1)}[self.threads.count][self.neighbours]
        return self.step / speed

    def waited(self) -> float:
        """Threads wait where there are more of them and of neighbours than cores."""
        return 0.35 if self.threads.count + self.neighbours > 2 else 0.02

    def work(self, seconds: float) -> float:
        """Plays steps for so many seconds; returns the steps a second, as a share of those of a machine to itself."""
        begun, steps = self.clock, 0
        while self.clock < begun + seconds:
            took = self.seconds()
            self.clock += took
            steps += 1
            if self.threads.took(took):
                self.changes.append((self.clock, self.threads.count, self.threads.on_trial))
        return steps / (self.clock - begun) / (1.9 / self.step)


def test_a_machine_to_itself_changes_nothing() -> None:
    machine = Machine()
    assert machine.work(600) == pytest.approx(1, abs=0.01)
    assert machine.changes == []


@pytest.mark.parametrize(("neighbours", "least"), [(1, 0.5), (2, 0.33)])
def test_beside_others_one_thread_computes(neighbours: int, least: float) -> None:
    machine = Machine(neighbours)
    machine.work(5)
    assert [change[1:] for change in machine.changes] == [(1, True), (1, False)]  # tried, then kept
    assert machine.work(300) > least


def test_all_threads_come_back_when_the_others_end() -> None:
    machine = Machine(1)
    machine.work(300)
    machine.neighbours = 0
    machine.work(LATEST + 5)
    assert machine.threads.settled == 2
    assert machine.work(60) == pytest.approx(1, abs=0.02)


def test_trials_in_vain_become_rare() -> None:
    machine = Machine(1)
    machine.work(600)
    begun = [clock for clock, count, trial in machine.changes if count == 2 and trial]
    apart = [later - earlier for earlier, later in pairwise(begun)]
    assert apart[0] < apart[-1] < LATEST + 2
    assert len(begun) < 600 / LATEST + 5
    # Each ends where it began, and the number that a resumed run begins with is never one on trial.
    assert machine.threads.settled == 1
    assert all(count == 1 for _, count, trial in machine.changes if not trial)


def test_a_long_step_is_judged_on_some_and_not_on_one() -> None:
    machine = Machine(1, step=5.0)
    machine.work(500)
    assert machine.threads.settled == 1
    first, second = (clock for clock, _, _ in machine.changes[:2])
    assert second - first >= STEPS * machine.step


def test_where_waiting_is_not_counted_nothing_changes() -> None:
    threads = ThreadCount(2, 2, lambda: None)
    assert not any(threads.took(0.1) for _ in range(1000))


def test_numbers_that_were_given_stay() -> None:
    threads = ThreadCount(4, 4, lambda: 1.0, fixed=True)
    assert threads.count == 4
    assert not any(threads.took(0.1) for _ in range(1000))


def test_a_process_that_does_not_decide_begins_with_the_settled_number_too() -> None:
    threads = ThreadCount(2, 1, lambda: 0.0, fixed=True)
    assert not any(threads.took(0.1) for _ in range(1000))
    assert (threads.count, threads.settled) == (1, 1)


def test_a_resumed_run_begins_with_the_settled_number() -> None:
    threads = ThreadCount(2, 1, lambda: 0.0)
    assert (threads.count, threads.on_trial) == (1, False)
    assert any(threads.took(0.1) for _ in range(20))
    assert (threads.count, threads.settled, threads.on_trial) == (2, 1, True)


@pytest.mark.parametrize("most", [2, 3, 4, 6, 8, 16, 61])
def test_every_number_leads_down_to_one_and_up_again(most: int) -> None:
    counts = [most]
    while counts[-1] > 1:
        counts.append(fewer(counts[-1]))
    assert len(counts) < 20
    up = [1]
    while up[-1] < most:
        up.append(more(up[-1], most))
    assert up[-1] == most
    assert len(up) < 20
