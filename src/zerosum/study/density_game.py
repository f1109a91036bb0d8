"""A game on a known density: the same players and steps as `zerosum train`, without a run folder.

It adds the exact quantities that a known p_data allows: p_g of G, and the logits of D in the data's own unit.
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
from zerosum.play.config import Config, check
from zerosum.play.distributed import BatchSource
from zerosum.study.data_game import DataGame
from zerosum.theory.optimum import logits_of
from zerosum.theory.pair import Pair, line
from zerosum.theory.pushforward import PriorName, Pushforward, pushforward


class DataUnitGenerator(nn.Module):
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


class DataUnitDiscriminator(nn.Module):
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


class DensityGame(DataGame):
    """Two players and the training steps between them.

    t: steps taken so far; a fork starts at `first`. steps: steps after which the learning-rate schedule ends. reals: the source of real
    samples in place of p_data itself, such as a few stored points. given: (G, D) in place of the config's nets.
    Raises Refusal for an invalid config.
    """

    def __init__(
        self,
        p_data: Density,
        config: Config,
        steps: int,
        *,
        reals: BatchSource | None = None,
        given: tuple[nn.Module, nn.Module] | None = None,
    ) -> None:
        check(config)
        # The exact quantities are float64 on the CPU, and nets of this size are no faster elsewhere.
        config = replace(config, device="cpu", precision="float32")
        super().__init__(of_density("p_data", "p_data", p_data, DataOptions()), config, steps, given, reals)
        self.p_data, self.first = p_data, 0

    def checks(self, steps: int, every: int) -> Iterator[int]:
        """Take `steps` steps; yield t before the first, after every `every` steps, and after the last."""
        end = self.t + steps
        yield self.t
        while self.t < end:
            self.play(min(every, end - self.t))
            yield self.t

    def fork(self, steps: int, *, d_lr: float, g_lr: float, **game: Any) -> DensityGame:
        """Copy the players with new optimizer states, to continue at these learning rates. A rate of 0 freezes a player.

        game: options of the game that change, such as value="non_saturating".
        """
        config = replace(self.config, game=replace(self.config.game, **game))
        config = replace(config, d=replace(self.config.d, lr=d_lr, lr_end=None), g=replace(self.config.g, lr=g_lr, lr_end=None))
        copied = DensityGame(self.p_data, config, steps, reals=self.algorithm.source, given=copy.deepcopy((self.players.G, self.players.D)))
        copied.t = copied.first = self.t
        return copied

    @property
    def G(self) -> DataUnitGenerator:
        """G, in the data's unit."""
        return DataUnitGenerator(self.players.G, self.space)

    @property
    def average(self) -> DataUnitGenerator:
        """The EMA of G, in the data's unit."""
        return DataUnitGenerator(self.players.ema.module, self.space)

    @property
    def D(self) -> DataUnitDiscriminator:
        """D, in the data's unit."""
        return DataUnitDiscriminator(self.players.D, self.space)

    def p_g(self, G: nn.Module | None = None, *, pieces: int = 1024, tolerance: float = 1e-6) -> Pushforward:
        """The exact p_g of G, or of the one given, for 1-D data from a 1-D prior. Raises Refusal for others."""
        return pushforward(G or self.G, cast(PriorName, self.config.prior.kind), pieces=pieces, tolerance=tolerance)

    def pair(self, p_g: Pushforward | None = None) -> Pair:
        """p_data and p_g (G's, unless given) on one quadrature grid."""
        return line(self.p_data, p_g or self.p_g())

    def logits(self, pair: Pair, D: Callable[[Tensor], Tensor] | None = None) -> Tensor:
        """D's logits at the pair's nodes, (K,), float64."""
        return logits_of(D or self.D, pair)
