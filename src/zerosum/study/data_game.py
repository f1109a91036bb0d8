"""A game on any data: the same players and steps as `zerosum train`, without a run folder."""

from __future__ import annotations

from torch import Tensor, nn

from zerosum.data.source import Data
from zerosum.errors import Refusal
from zerosum.game.prior import PRIORS
from zerosum.play.config import Config
from zerosum.play.device import choose
from zerosum.play.distributed import BatchSource
from zerosum.play.finite import NotFinite
from zerosum.play.players import Players
from zerosum.play.step import Algorithm1


class DataGame:
    """Two players on data, and the training steps between them.

    t: steps taken so far. steps: steps after which the schedules end. given: (G, D) in place of the config's nets. reals: the source of
    real samples in place of the data's training part.
    """

    def __init__(
        self,
        data: Data,
        config: Config,
        steps: int,
        given: tuple[nn.Module, nn.Module] | None = None,
        reals: BatchSource | None = None,
    ) -> None:
        engine = choose(config, data.space.kind)
        self.data, self.space, self.config, self.t = data, data.space, config, 0
        self.players = Players(config, data.space, engine.prepare(), given)
        self.algorithm = Algorithm1(config, self.players, reals or data.train, data.space, engine)
        self.horizon = steps * self.algorithm.samples_a_step

    def play(self, steps: int) -> None:
        """Take so many steps. Raises Refusal where a number is no longer finite."""
        for _ in range(steps):
            try:
                self.algorithm.step(self.t, self.horizon)
            except NotFinite as stop:
                raise Refusal(f"Training broke down: {stop}. Lower the learning rates, or add a penalty.") from stop
            self.t += 1

    def noise(self, n: int, purpose: str) -> Tensor:
        """z (n, dim), the same whenever it is drawn for this purpose."""
        return PRIORS[self.config.prior.kind]((n, self.config.prior.dim), self.config.seed, purpose, 0)
