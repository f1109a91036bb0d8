"""When things are due, and the schedules."""

from __future__ import annotations

from zerosum.play.config import Config, GameOptions, PlayerOptions
from zerosum.play.schedule import depends_on_horizon, gamma, learning_rate
from zerosum.training.timers import Timers


def test_rows_and_grids_grow_sparser() -> None:
    timers = Timers()
    due = [timers.due(second) for second in range(3600)]
    assert sum(d.checkpoint for d in due) == 59
    assert 15 < sum(d.grid for d in due) < 40
    assert sum(d.row for d in due[:60]) == 60
    assert sum(d.row for d in due) < 1200


def test_learning_rates_follow_samples() -> None:
    flat, falling = PlayerOptions(lr=1e-3), PlayerOptions(lr=1e-3, lr_end=1e-4)
    assert learning_rate(flat, 0, 500, 1000) == 1e-3
    assert learning_rate(flat, 1000, 250, None) == 2.5e-4
    assert learning_rate(falling, 0, 0, 1000) == 1e-3
    assert abs(learning_rate(falling, 0, 500, 1000) - 5.5e-4) < 1e-12
    assert abs(learning_rate(falling, 0, 5000, 1000) - 1e-4) < 1e-12
    assert learning_rate(falling, 0, 500, None) == 1e-3
    # --d.lr 0 with a preset whose rates fall to 1e-4: D stands still, and no schedule hangs on the horizon.
    still = PlayerOptions(lr=0.0, lr_end=1e-4)
    assert {learning_rate(still, 0, seen, 1000) for seen in (0, 500, 1000)} == {0.0}
    assert not depends_on_horizon(Config(d=still, g=flat))
    assert depends_on_horizon(Config(d=falling))
    assert depends_on_horizon(Config(game=GameOptions(gamma=1.0, gamma_end=0.1)))
    assert not depends_on_horizon(Config(d=flat))


def test_the_penalty_falls_by_equal_factors() -> None:
    game = GameOptions(gamma=1.0, gamma_end=0.01)
    assert gamma(game, 0, 1000) == 1.0
    assert abs(gamma(game, 500, 1000) - 0.1) < 1e-12
    assert abs(gamma(game, 1000, 1000) - 0.01) < 1e-12
    assert gamma(game, 500, None) == 1.0
    assert gamma(GameOptions(gamma=0.3), 500, 1000) == 0.3
