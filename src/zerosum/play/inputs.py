"""Everything random or scheduled that one training step needs: real samples, noise, and numbers, all functions of the step's number.

They are drawn before the step begins. The step itself is then a function of tensors, which a GPU can record once and replay.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from zerosum.chance import uniform
from zerosum.data.ahead import Ahead
from zerosum.data.batch import Batch
from zerosum.data.parts import Rows
from zerosum.data.resident import Resident, fits
from zerosum.game.augment import AUGMENTATIONS
from zerosum.game.penalty import PENALTIES
from zerosum.game.prior import PRIORS
from zerosum.nets.ema import decay
from zerosum.play.config import Config
from zerosum.play.distributed import BatchSource, Processes
from zerosum.play.schedule import End, gamma, learning_rate

Number = float | Tensor


def on_device(source: BatchSource, device: torch.device, processes: Processes) -> BatchSource:
    """The real samples on the device, if they fit there; with several processes each reads its own rows on the host. What is read from a
    disk, or copied to a GPU in each step, is read ahead of it."""
    if not isinstance(source, Rows):
        return source
    if processes.size == 1 and fits(source, device):
        return Resident(source, device)
    return Ahead(source, pinned=True) if device.type == "cuda" else Ahead(source) if source.on_disk else source


class Schedules(NamedTuple):
    """The numbers of one step: its own number t, the penalty's weight, both learning rates, and the share that the EMA keeps of itself."""

    t: Number
    gamma: Number
    lr_d: Number
    lr_g: Number
    ema_keep: Number


class StepInputs(NamedTuple):
    """The inputs of one step, a tuple entry for each step of D or of G.

    real: raw samples and their labels. z_d, z_g: noise (N, dim). epsilon: (N,) in [0, 1], for a penalty between the two sides; else empty.
    u_real, u_d, u_g: uniform numbers (N, n) for augmenting the real samples, and the generated ones in D's and in G's steps; else empty.
    """

    real: tuple[Batch, ...]
    z_d: tuple[Tensor, ...]
    z_g: tuple[Tensor, ...]
    epsilon: tuple[Tensor, ...]
    u_real: tuple[Tensor, ...]
    u_d: tuple[Tensor, ...]
    u_g: tuple[Tensor, ...]
    numbers: Schedules


@dataclass(frozen=True)
class InputSampler:
    """Draws the inputs of step t, on the device. dtype: of noise. labelled: whether the game uses class labels."""

    config: Config
    source: BatchSource
    processes: Processes
    device: torch.device
    dtype: torch.dtype
    labelled: bool = False

    def __call__(self, t: int, horizon: End) -> StepInputs:
        game = self.config.game
        d_steps, g_steps = (range(t * n, (t + 1) * n) for n in (game.k, game.g_steps))
        z_d = tuple(self._noise("D", step) for step in d_steps)
        z_g = tuple(self._noise("G", step) for step in (g_steps[1:] if game.fakes == "reused" else g_steps))
        return StepInputs(
            tuple(self.real(step) for step in d_steps),
            z_d,
            (z_d[-1], *z_g) if game.fakes == "reused" else z_g,
            self._each(d_steps, "epsilon", () if _between(self.config) else None),
            self._each(d_steps, "augment x", self._numbers),
            self._each(d_steps, "augment G(z) of D", self._numbers),
            self._each(g_steps, "augment G(z) of G", self._numbers),
            schedules(self.config, t, horizon),
        )

    def real(self, step: int) -> Batch:
        """The real samples of D's step number `step`, raw, with their labels where the game uses them."""
        x, y = self.processes.batch(self.source, self.config.batch, self.config.seed, step)
        return Batch(self._sent(x), None if y is None or not self.labelled else self._sent(y))

    @property
    def _numbers(self) -> tuple[int] | None:
        """The shape of one sample's numbers for the augmentation; None without."""
        row = AUGMENTATIONS[self.config.game.augment]
        return None if row is None else (row.numbers,)

    def _noise(self, whose: str, step: int) -> Tensor:
        prior = self.config.prior
        draw: Callable[..., Tensor] = PRIORS[prior.kind]
        z = draw((self.config.batch, prior.dim), self.config.seed, f"z of {whose}", step)
        return self._sent(z[self.processes.rows(self.config.batch)]).to(self.dtype)

    def _each(self, steps: range, purpose: str, shape: tuple[int, ...] | None) -> tuple[Tensor, ...]:
        """Uniform numbers (N, *shape) for each of the steps; none where the shape is None."""
        if shape is None:
            return ()
        rows, all_rows = self.processes.rows(self.config.batch), (self.config.batch, *shape)
        return tuple(self._sent(uniform(all_rows, self.config.seed, purpose, step)[rows]) for step in steps)

    def _sent(self, drawn: Tensor) -> Tensor:
        return drawn.to(self.device, non_blocking=True)


def schedules(config: Config, t: int, horizon: End) -> Schedules:
    """The scheduled numbers of step t."""
    samples = config.game.k * config.batch
    seen = (t + 1) * samples
    lr_d, lr_g = (float(learning_rate(player, config, seen, horizon)) for player in (config.d, config.g))
    return Schedules(t, float(gamma(config, seen, horizon)), lr_d, lr_g, decay(samples, config.average, seen))


def _between(config: Config) -> bool:
    penalty = PENALTIES[config.game.penalty]
    return penalty is not None and penalty.between
