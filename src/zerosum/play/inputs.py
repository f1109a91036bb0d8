"""What a round takes from outside the players: reals, noise, and the numbers of its schedules, all functions of the round's number.

All of it is dealt before the round begins, so that the round itself is a function of tensors: one that may be captured once and replayed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from zerosum.chance import uniform
from zerosum.data.parts import Rows
from zerosum.data.resident import Resident, fits
from zerosum.game.penalty import PENALTIES
from zerosum.game.prior import PRIORS
from zerosum.nets.ema import decay
from zerosum.play.config import Config
from zerosum.play.distributed import Processes, Reals
from zerosum.play.schedule import gamma, learning_rate

Number = float | Tensor


def near(reals: Reals, device: torch.device, ranks: Processes) -> Reals:
    """The reals on the device where they fit there; processes that share a game out read their own rows from the host."""
    return Resident(reals, device) if ranks.size == 1 and isinstance(reals, Rows) and fits(reals, device) else reals


class Schedules(NamedTuple):
    """The numbers of a round: which it is, gamma, both learning rates, and what the average keeps of itself."""

    t: Number
    gamma: Number
    rate_d: Number
    rate_g: Number
    keep: Number


class StepInputs(NamedTuple):
    """One round's share. Noise is (N, dim) and epsilon (N,), one for each step of D or G; reals are raw, one batch for each step of D."""

    reals: tuple[Tensor, ...]
    z_d: tuple[Tensor, ...]
    z_g: tuple[Tensor, ...]
    epsilon: tuple[Tensor, ...]
    numbers: Schedules

    @property
    def tensors(self) -> list[Tensor]:
        return [*self.reals, *self.z_d, *self.z_g, *self.epsilon]


@dataclass(frozen=True)
class InputSampler:
    """Deals round t's hand, on the device. dtype: of noise and epsilon."""

    config: Config
    reals: Reals
    ranks: Processes
    device: torch.device
    dtype: torch.dtype

    def __call__(self, t: int, horizon: int | None) -> StepInputs:
        game = self.config.game
        d_steps, g_steps = (range(t * n, (t + 1) * n) for n in (game.k, game.g_steps))
        # G's first step plays the fakes of D's last one where they are reused.
        own = g_steps[1:] if game.fakes == "reused" else g_steps
        return StepInputs(
            tuple(self.real(step) for step in d_steps),
            tuple(self._noise("D", step) for step in d_steps),
            tuple(self._noise("G", step) for step in own),
            tuple(self._epsilon(step) for step in d_steps) if _between(self.config) else (),
            numbers(self.config, t, horizon),
        )

    def real(self, step: int) -> Tensor:
        """The reals of D's step number `step`, raw."""
        return self._sent(self.ranks.reals(self.reals, self.config.batch, self.config.seed, step).x)

    def _noise(self, whose: str, step: int) -> Tensor:
        prior = self.config.prior
        draw: Callable[..., Tensor] = PRIORS[prior.kind]
        z = draw((self.config.batch, prior.dim), self.config.seed, f"z of {whose}", step)
        return self._sent(z[self.ranks.rows(self.config.batch)]).to(self.dtype)

    def _epsilon(self, step: int) -> Tensor:
        return self._sent(uniform((self.config.batch,), self.config.seed, "epsilon", step)[self.ranks.rows(self.config.batch)])

    def _sent(self, drawn: Tensor) -> Tensor:
        return drawn.to(self.device, non_blocking=True)


def numbers(config: Config, t: int, horizon: int | None) -> Schedules:
    """Where the schedules stand in round t."""
    a_round = config.game.k * config.batch
    seen = (t + 1) * a_round
    d, g = (learning_rate(player, config.warmup, seen, horizon) for player in (config.d, config.g))
    return Schedules(t, gamma(config.game, seen, horizon), d, g, decay(a_round, config.average, seen))


def _between(config: Config) -> bool:
    penalty = PENALTIES[config.game.penalty]
    return penalty is not None and penalty.between
