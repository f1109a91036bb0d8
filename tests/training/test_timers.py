"""When things are due, and the schedules."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest

from zerosum.play.config import Config, GameOptions, PlayerOptions
from zerosum.play.horizon import Horizon
from zerosum.play.schedule import PART, depends_on_horizon, gamma, in_decay, learning_rate, with_constant_part
from zerosum.training.timers import Timers


def test_rows_and_grids_grow_sparser() -> None:
    timers = Timers()
    due = [timers.due(second, second / 3600) for second in range(3600)]
    assert sum(d.checkpoint for d in due) == 59
    assert sum(d.row for d in due[:60]) == 60
    assert sum(d.row for d in due) < 1200


@pytest.mark.parametrize("seconds", [10, 60, 300, 3600, 36_000, 604_800])
def test_grids_are_due_by_the_logarithm_of_the_samples_and_to_the_end(seconds: int) -> None:
    timers = Timers()
    drawn = [0.0, *(t for t in (i * seconds / 50_000 for i in range(50_000)) if timers.due(t, t / seconds).grid), float(seconds)]
    gaps = [(earlier, later) for earlier, later in pairwise(drawn)]
    assert len(drawn) < 40
    assert drawn[1] <= seconds / 500  # Before a run on ring8 has learned its modes.
    for earlier, later in gaps[1:]:
        # Rounded up to the next of the 50,000 steps.
        assert later <= max(earlier * 2**0.5, earlier + 2.0) + seconds / 10_000
        assert later - earlier <= max(2.0, seconds / 20) + seconds / 10_000
    assert all(later - earlier >= 2.0 - 1e-9 for earlier, later in gaps[1:-1])


def test_a_resumed_run_does_not_start_its_grids_again() -> None:
    timers = Timers(start=50.0, share=0.5)
    drawn = [t for t in range(51, 100) if timers.due(float(t), t / 100).grid]
    assert drawn[0] == 55
    assert 7 <= len(drawn) <= 9


def test_minutes_are_the_share_until_the_samples_are_known() -> None:
    horizon = Horizon(None, until=600.0)
    assert horizon.share(9_000, 300.0) == 0.5
    horizon.redirect(9_000, 36_000)
    assert horizon.share(9_000, 300.0) == 0.25


def test_learning_rates_follow_samples() -> None:
    flat, falling = PlayerOptions(lr=1e-3), PlayerOptions(lr=1e-3, lr_end=1e-4)
    assert learning_rate(flat, Config(), 500, 1000) == 1e-3
    assert learning_rate(flat, Config(warmup=1000), 250, None) == 2.5e-4
    assert learning_rate(falling, Config(), 0, 1000) == 1e-3
    assert abs(learning_rate(falling, Config(), 500, 1000) - 5.5e-4) < 1e-12
    assert abs(learning_rate(falling, Config(), 5000, 1000) - 1e-4) < 1e-12
    assert learning_rate(falling, Config(), 500, None) == 1e-3
    # --d.lr 0 with a preset whose rates fall to 1e-4: D stands still, and no schedule hangs on the horizon.
    still = PlayerOptions(lr=0.0, lr_end=1e-4)
    assert {learning_rate(still, Config(), seen, 1000) for seen in (0, 500, 1000)} == {0.0}
    assert not depends_on_horizon(Config(d=still, g=flat))
    assert depends_on_horizon(Config(d=falling))
    assert depends_on_horizon(Config(game=GameOptions(gamma=1.0, gamma_end=0.1)))
    assert not depends_on_horizon(Config(d=flat))


def test_the_penalty_falls_by_equal_factors() -> None:
    game = GameOptions(gamma=1.0, gamma_end=0.01)
    assert gamma(Config(game=game), 0, 1000) == 1.0
    assert abs(gamma(Config(game=game), 500, 1000) - 0.1) < 1e-12
    assert abs(gamma(Config(game=game), 1000, 1000) - 0.01) < 1e-12
    assert gamma(Config(game=game), 500, None) == 1.0
    assert gamma(Config(game=GameOptions(gamma=0.3)), 500, 1000) == 0.3


def test_with_a_late_decay_the_rates_are_constant_first_and_then_fall_along_the_same_cosine() -> None:
    falling = PlayerOptions(lr=1e-3, lr_end=1e-4)
    late, whole = Config(decay=0.25), Config()
    assert {learning_rate(falling, late, seen, 1000) for seen in (0, 400, 750)} == {1e-3}
    for share in (0.1, 0.5, 0.9):
        fell = learning_rate(falling, late, int(750 + 250 * share), 1000)
        assert fell == pytest.approx(learning_rate(falling, whole, int(1000 * share), 1000), rel=1e-12)
    assert learning_rate(falling, late, 1000, 1000) == pytest.approx(1e-4)
    assert not in_decay(late, 750, 1000)
    assert in_decay(late, 760, 1000)
    assert not in_decay(late, 760, None)


def test_a_run_that_ends_by_its_plateau_has_a_constant_part() -> None:
    falls = Config(d=PlayerOptions(lr=1e-3, lr_end=1e-4))
    assert with_constant_part(falls) == replace(falls, decay=PART)
    assert with_constant_part(replace(falls, decay=0.5)).decay == 0.5
    assert with_constant_part(Config()) == Config()  # Its rates are constant throughout.
