"""A game at the table: players and rounds on a known density, the trainer's own, without a run's folder.

Beside them stand the exact quantities that a known p_data allows: p_g of G and the logits of D in the data's own unit.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, cast

import torch
from torch import Tensor, nn

from zerosum.data.density import Density
from zerosum.data.options import DataOptions
from zerosum.data.source import of_density
from zerosum.data.space import Space
from zerosum.errors import Refusal
from zerosum.play.config import Config, check
from zerosum.play.device import choose
from zerosum.play.distributed import Source
from zerosum.play.finite import NotFinite
from zerosum.play.players import Players
from zerosum.play.step import Algorithm1
from zerosum.theory.optimum import logits_of
from zerosum.theory.pair import Pair, line
from zerosum.theory.pushforward import PriorLaw, Pushforward, pushforward


class Drawn(nn.Module):
    """G in the data's own unit: z -> offset + scale G(z)."""

    def __init__(self, G: nn.Module, space: Space) -> None:
        super().__init__()
        self.G = G
        self.register_buffer("offset", torch.tensor(space.offset))
        self.register_buffer("scale", torch.tensor(space.scale))

    offset: Tensor
    scale: Tensor

    def forward(self, z: Tensor) -> Tensor:
        x: Tensor = self.offset + self.scale * self.G(z)
        return x


class Judging(nn.Module):
    """D in the data's own unit: x -> D((x - offset) / scale), logits (N,)."""

    def __init__(self, D: nn.Module, space: Space) -> None:
        super().__init__()
        self.D = D
        self.register_buffer("offset", torch.tensor(space.offset))
        self.register_buffer("scale", torch.tensor(space.scale))

    offset: Tensor
    scale: Tensor

    def forward(self, x: Tensor) -> Tensor:
        a: Tensor = self.D((x - self.offset) / self.scale)
        return a.flatten()


class DensityGame:
    """Two players, of whose rounds 0, 1, ... t are played (a fork starts at `first`); the learning rates' horizon is `rounds` rounds.

    reals: where D's reals come from in place of p_data itself, such as a few stored points. given: (G, D) in place of the config's nets.
    Raises Refusal for a config that cannot be played.
    """

    def __init__(
        self,
        p_data: Density,
        config: Config,
        rounds: int,
        *,
        reals: Source | None = None,
        given: tuple[nn.Module, nn.Module] | None = None,
    ) -> None:
        check(config)
        # The exact quantities are float64 on the CPU, and nets of this size are no quicker elsewhere.
        config = replace(config, device="cpu", precision="float32")
        data = of_density("p_data", "p_data", p_data, DataOptions())
        engine = choose(config, data.space.kind)
        device = engine.prepare()
        self.p_data = p_data
        self.config = config
        self.space = data.space
        self.players = Players(config, data.space, device, given)
        self.rounds = Algorithm1(config, self.players, reals or data.train, data.space, engine)
        self.t = self.first = 0
        self.horizon = rounds * self.rounds.samples_a_step

    def play(self, rounds: int) -> None:
        """Plays so many rounds. Raises Refusal where a number of the game is no longer finite."""
        for _ in range(rounds):
            try:
                self.rounds.step(self.t, self.horizon)
            except NotFinite as stop:
                raise Refusal(f"The game broke: {stop} Lower its learning rates, or add a penalty.") from stop
            self.t += 1

    def checks(self, rounds: int, every: int) -> Iterator[int]:
        """Plays `rounds` rounds and yields t before the first of them, then after each `every` and after the last."""
        end = self.t + rounds
        yield self.t
        while self.t < end:
            self.play(min(every, end - self.t))
            yield self.t

    def fork(self, rounds: int, *, d_lr: float, g_lr: float, **game: Any) -> DensityGame:
        """A copy of the players as they stand, with fresh moments, that plays on at these rates. 0 holds a player still.

        game: knobs of the game that change, such as value="non_saturating".
        """
        config = replace(self.config, game=replace(self.config.game, **game))
        config = replace(config, d=replace(self.config.d, lr=d_lr, lr_end=None), g=replace(self.config.g, lr=g_lr, lr_end=None))
        copied = DensityGame(self.p_data, config, rounds, reals=self.rounds.source, given=copy.deepcopy((self.players.G, self.players.D)))
        copied.t = copied.first = self.t
        return copied

    @property
    def G(self) -> Drawn:
        """The live G, in the data's unit."""
        return Drawn(self.players.G, self.space)

    @property
    def average(self) -> Drawn:
        """The averaged G, in the data's unit."""
        return Drawn(self.players.ema.module, self.space)

    @property
    def D(self) -> Judging:
        """The live D, in the data's unit."""
        return Judging(self.players.D, self.space)

    def p_g(self, G: nn.Module | None = None, *, pieces: int = 1024, tolerance: float = 1e-6) -> Pushforward:
        """p_g of the live G, or of the one given, exactly: 1-D data from a 1-D prior. Raises Refusal for others."""
        return pushforward(G or self.G, cast(PriorLaw, self.config.prior.kind), pieces=pieces, tolerance=tolerance)

    def pair(self, p_g: Pushforward | None = None) -> Pair:
        """p_data and p_g (the live G's, unless given) on one grid."""
        return line(self.p_data, p_g or self.p_g())

    def logits(self, pair: Pair, D: Callable[[Tensor], Tensor] | None = None) -> Tensor:
        """The live D's logits at the pair's nodes, (K,), float64."""
        return logits_of(D or self.D, pair)
