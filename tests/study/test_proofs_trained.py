"""The rows that train: they hold for the game as it is, and fail for one that is broken or held."""

from __future__ import annotations

from dataclasses import replace

import pytest

from zerosum.game import value as value_module
from zerosum.game.value import VALUES
from zerosum.play.config import PlayerOptions
from zerosum.study import proofs_trained
from zerosum.study.proofs_trained import PLAYED, play_to_the_end, trained_discriminator

DEFAULT_STEPS = 500


def test_d_on_a_fixed_g_goes_to_d_star() -> None:
    told: list[tuple[int, int]] = []
    rows = trained_discriminator(lambda label, done, total: told.append((done, total)), steps=DEFAULT_STEPS)
    assert [r.name for r in rows if not r.holds] == []
    assert told[0] == (0, DEFAULT_STEPS)
    assert told[-1] == (DEFAULT_STEPS, DEFAULT_STEPS)


def test_a_d_that_climbs_the_wrong_way_fails_the_row(monkeypatch: pytest.MonkeyPatch) -> None:
    sound = VALUES["minimax"]
    monkeypatch.setattr("zerosum.play.step.VALUES", VALUES | {"minimax": replace(sound, d=lambda a, b: sound.d(-a, -b))})
    failed = [r.name for r in trained_discriminator(steps=50) if not r.holds]
    assert any("reaches" in name for name in failed)
    assert any("rise" in name for name in failed)
    assert value_module.VALUES["minimax"] is sound


def test_a_g_held_wrong_fails_all_three_checks_of_algorithm_1() -> None:
    held = replace(PLAYED, game=replace(PLAYED.game, value="minimax", penalty="none", k=1), g=PlayerOptions(lr=0.0))
    assert [r.holds for r in play_to_the_end(held, 150).rows("held")] == [False, False, False]


@pytest.mark.slow
def test_algorithm_1_ends_where_the_theorem_says() -> None:
    assert [r for r in proofs_trained.algorithm_1(seeds=1) if not r.holds] == []
