"""What a round asks of the players."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.testing import assert_close

from zerosum.data.source import Data, open_data
from zerosum.nets import chain_of, mlp
from zerosum.play.config import Config, GameOptions, NetOptions, PriorOptions
from zerosum.training import launch

POINTS = Config(prior=PriorOptions(dim=4), net=NetOptions(width=8, depth=2), batch=8, threads=1, device="cpu")
OPTIONS = {"width": 8, "depth": 1, "activation": "leaky_relu", "slope": 0.2}


@pytest.fixture(scope="module")
def ring() -> Data:
    return open_data("ring8")


class WithAModule(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.chain = nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 1))

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.chain(x)
        return logits


class WithAMethod(nn.Sequential):
    def chain(self) -> tuple[nn.Module, ...]:
        raise AssertionError("nobody but its owner knows what it does")


class MadeFromOurs(mlp.Discriminator):
    def forward(self, x: Tensor) -> Tensor:
        return -super().forward(x)


@pytest.mark.parametrize(
    "make",
    [WithAModule, lambda: WithAMethod(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 1)), lambda: MadeFromOurs((2,), **OPTIONS)],
)
def test_a_persons_own_d_may_have_a_chain_of_its_own(make: type[nn.Module], ring: Data, tmp_path: Path) -> None:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        G, D = nn.Linear(4, 2), make()
    before = [p.clone() for p in D.parameters()]
    assert chain_of(D) is None
    launch.train(ring, tmp_path / "a", POINTS, samples=16, given=(G, D))
    assert not any(torch.equal(p, q) for p, q in zip(D.parameters(), before, strict=True) if p.numel() > 1)


def test_our_own_d_with_weights_that_are_no_layers_own_is_no_chain(ring: Data, tmp_path: Path) -> None:
    """Spectral normalisation computes a layer's weight from another: a gradient in the layer's weight would move nothing."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        G, D = nn.Linear(4, 2), mlp.Discriminator((2,), **OPTIONS)
        nn.utils.parametrizations.spectral_norm(D.body.layers[0])
    before = D.body.layers[0].parametrizations.weight.original.clone()
    launch.train(ring, tmp_path / "a", POINTS, samples=16, given=(G, D))
    assert not torch.equal(D.body.layers[0].parametrizations.weight.original, before)


@pytest.mark.parametrize(("fakes", "order"), [("fresh", "alternating"), ("reused", "alternating"), ("fresh", "simultaneous")])
@pytest.mark.parametrize("steps", [(2, 1), (1, 3)])
@pytest.mark.parametrize(("of_d", "of_g"), [("leaky_relu", "tanh"), ("tanh", "tanh"), ("leaky_relu", "maxout"), ("prelu", "leaky_relu")])
def test_the_short_ways_play_the_game_that_autograd_plays(
    of_d: str, of_g: str, steps: tuple[int, int], fakes: str, order: str, ring: Data, tmp_path: Path
) -> None:
    """Where D, G, both or neither has gradients without autograd. Adam makes much of a gradient that is nearly nothing: hence 1e-4."""
    game = GameOptions(k=steps[0], g_steps=steps[1], fakes=fakes, order=order)  # type: ignore[arg-type]
    net = replace(POINTS.net, activation=of_d, activation_g=of_g)  # type: ignore[arg-type]
    played = [
        launch.train(ring, tmp_path / engine, replace(POINTS, game=game, net=net, engine=engine), samples=3 * 8 * steps[0])  # type: ignore[arg-type]
        for engine in ("auto", "eager")
    ]
    ours, theirs = (run.players().weights() for run in played)
    assert_close(ours, theirs, rtol=1e-3, atol=1e-4)
