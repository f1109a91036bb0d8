"""The references play the same mathematics as our rounds, on the same nets."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.testing import assert_close

from zerosum.bench.dcgan import PublishedDCGAN
from zerosum.bench.games import GAMES, Synthetic, ours, reference, small
from zerosum.bench.plain import Relativistic, stack
from zerosum.chance import normal
from zerosum.game.losses import discriminator_loss, generator_loss
from zerosum.game.penalty import PENALTIES
from zerosum.game.value import VALUES


def norms(loss: Tensor, D: nn.Module) -> Tensor:
    """The norms of D's gradients, ascending: a stack holds its layers in another order."""
    gradients = torch.autograd.grad(loss, list(D.parameters()), allow_unused=True, materialize_grads=True)
    return torch.stack([g.norm() for g in gradients]).sort().values


@pytest.mark.parametrize("name", ["digits", "resnet32", "ring8"])
def test_the_plain_game_is_ours(name: str) -> None:
    """Both players' losses, and D's gradient through its penalties, in float64."""
    rounds, _ = ours(small(GAMES[name]), threads=1, precision="float32")
    game, G, D = rounds.config.game, rounds.players.G.double(), rounds.players.D.double()
    plain = Relativistic(*(stack(p).double() for p in (G, D)), prior=rounds.config.prior.dim, gamma=game.gamma)
    x = rounds.space.encode(rounds.sampler.real(0).x).double()
    y = G(normal((len(x), plain.prior), 0, "z").double())
    assert_close(plain.G(normal((len(x), plain.prior), 0, "z").double()), y)
    d = discriminator_loss(D, x, y, VALUES["relativistic"], PENALTIES["r1r2"], game.gamma)
    theirs = plain.d_loss(x, y)
    assert_close(theirs, d.total)
    assert_close(norms(theirs, plain.D), norms(d.total, D))
    assert_close(plain.g_loss(x, y), generator_loss(D, y, VALUES["relativistic"], x).loss)


@pytest.mark.parametrize("name", ["dcgan64", "ring8"])
def test_a_reference_round_moves_both_players(name: str) -> None:
    game = small(GAMES[name])
    rounds, _ = ours(game, threads=1)
    play = reference(game, rounds)
    plain: PublishedDCGAN | Relativistic = play.__closure__[0].cell_contents  # type: ignore[index]
    first = [next(player.parameters()) for player in (plain.G, plain.D)]
    before = [p.clone() for p in first]
    play()
    assert not any(torch.equal(a, b) for a, b in zip(before, first, strict=True))


def test_synthetic_reals_come_round_again() -> None:
    reals = Synthetic((2,), n=6)
    assert_close(torch.cat([reals.batch(4, 0, c).x for c in range(3)]), reals.items.repeat(2, 1))
    assert Synthetic((1, 8, 8)).batch(3, 0, 0).x.dtype == torch.uint8
