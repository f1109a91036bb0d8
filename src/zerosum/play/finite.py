"""Make sure that no update uses a number that is NaN or infinite."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from zerosum.play.inputs import Number
from zerosum.play.players import Players

PLAYER_NAMES = {"d": "discriminator", "g": "generator"}


class NotFinite(ArithmeticError):
    """A loss, gradient or weight is NaN or infinite; raised before the update that would use it. The message says whose and when."""


class FiniteGuard:
    """Watches the losses and gradients of two players on a device.

    On a CPU `check` raises NotFinite at once. On a GPU, which the host does not wait for, it switches the optimisers off, and
    `require_finite` raises when the host looks.
    """

    def __init__(self, players: Players, device: torch.device) -> None:
        self.players, self.device = players, device
        # The first step in which something was not finite; -1 is none.
        self.first = torch.full((), -1, dtype=torch.int64, device=device)

    def check(self, letter: str, number: Tensor, t: Number) -> None:
        """number: a sum of all that must be finite before the player's update in step t."""
        if self.device.type != "cpu":
            self.first.copy_(torch.where((self.first < 0) & ~torch.isfinite(number), t, self.first))
            for optimiser in self.players.optimisers.values():
                optimiser.found_inf = (self.first >= 0).float()
        elif not math.isfinite(float(number)):
            module = self.players.D if letter == "d" else self.players.G
            names = [n for n, p in module.named_parameters() if p.grad is not None and not torch.isfinite(p.grad).all()]
            what = f"the gradient of {letter.upper()}'s {names[0]}" if names else f"the {PLAYER_NAMES[letter]} loss"
            raise NotFinite(f"{what} was NaN or infinite in step {int(t) + 1}, and that update was not made")

    def require_finite(self, t: int) -> None:
        """Raises NotFinite where a number of the first t steps was not finite, or a weight is not. Waits for the device."""
        if self.device.type != "cpu" and (bad := int(self.first)) >= 0:
            raise NotFinite(f"a loss or a gradient was NaN or infinite in step {bad + 1}, and no update was made from there on")
        if name := self.players.not_finite():
            raise NotFinite(f"the weight {name} was NaN or infinite after step {t}, and it was not saved")
