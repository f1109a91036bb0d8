"""A match plays the trainer's rounds, its views are in the data's own unit, and a fork stands where the match stood."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from zerosum.data.density import bimodal, ring8
from zerosum.errors import Refusal
from zerosum.play.config import Config, GameOptions, NetOptions, PlayerOptions, PriorOptions
from zerosum.study.density_game import DensityGame
from zerosum.theory.optimum import v, v_star

SMALL = Config(
    game=GameOptions(value="minimax", penalty="none"),
    prior=PriorOptions(kind="uniform", dim=1),
    net=NetOptions(kind="mlp", width=8, depth=1, activation="tanh"),
    batch=32,
    average=100.0,
)


def weights(match: DensityGame, letter: str) -> torch.Tensor:
    return torch.cat([p.detach().flatten() for p in getattr(match.players, letter).parameters()])


def test_views_are_in_the_datas_unit() -> None:
    match = DensityGame(bimodal(), SMALL, 10)
    z = torch.linspace(-1, 1, 5)[:, None]
    scale, offset = 4.25**0.5, 0.0
    torch.testing.assert_close(match.G(z), offset + scale * match.players.G(z))
    x = torch.linspace(-3, 3, 5)[:, None]
    torch.testing.assert_close(match.D(x), match.players.D((x - offset) / scale))


def test_p_g_is_the_law_of_the_live_gs_samples() -> None:
    match = DensityGame(bimodal(), SMALL, 10)
    match.play(5)
    z = 2 * torch.rand(20_000, 1, generator=torch.Generator().manual_seed(0)) - 1
    x = match.G(z).detach().double().flatten()
    p_g = match.p_g()
    torch.testing.assert_close(x.mean(), p_g.mass @ ((p_g.x[:-1] + p_g.x[1:]) / 2), atol=0.05, rtol=0)
    pair = match.pair(p_g)
    torch.testing.assert_close(float(pair.Q.sum()), 1.0, atol=1e-3, rtol=0)
    assert v(pair, match.logits(pair)) < v_star(pair)


def test_two_matches_of_a_seed_are_one_and_seeds_differ() -> None:
    first, again, other = (DensityGame(bimodal(), replace(SMALL, seed=seed), 10) for seed in (3, 3, 4))
    for match in (first, again, other):
        match.play(4)
    torch.testing.assert_close(weights(first, "G"), weights(again, "G"), rtol=0, atol=0)
    assert not torch.equal(weights(first, "G"), weights(other, "G"))


def test_a_rate_of_zero_holds_a_player_still() -> None:
    match = DensityGame(bimodal(), SMALL, 10)
    match.play(2)
    for letter, rates in (("G", (1e-2, 0.0)), ("D", (0.0, 1e-2))):
        fork = match.fork(10, d_lr=rates[0], g_lr=rates[1])
        torch.testing.assert_close(weights(fork, letter), weights(match, letter), rtol=0, atol=0)
        fork.play(3)
        assert (fork.first, fork.t, match.t) == (2, 5, 2)
        torch.testing.assert_close(weights(fork, letter), weights(match, letter), rtol=0, atol=0)
        other = "D" if letter == "G" else "G"
        assert not torch.equal(weights(fork, other), weights(match, other))


def test_checks_come_before_between_and_after() -> None:
    match = DensityGame(bimodal(), SMALL, 10)
    assert list(match.checks(7, 3)) == [0, 3, 6, 7]


def test_a_game_that_breaks_is_a_sentence() -> None:
    wild = replace(SMALL, game=GameOptions(value="least_squares", penalty="none"), d=PlayerOptions(lr=1e20), g=PlayerOptions(lr=1e20))
    with pytest.raises(Refusal, match="Training broke down"):
        DensityGame(bimodal(), wild, 50).play(50)


def test_what_has_no_exact_p_g_is_refused() -> None:
    with pytest.raises(Refusal):
        DensityGame(ring8(), replace(SMALL, prior=PriorOptions(dim=2)), 10).pair()
