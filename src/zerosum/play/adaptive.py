"""The state of an adaptive augmentation: its probability p, which follows how well D separates real samples (game/ada.py)."""

from __future__ import annotations

import torch
from torch import Tensor

from zerosum.game.ada import strength
from zerosum.game.augment import AUGMENTATIONS
from zerosum.game.value import Value
from zerosum.play.distributed import Processes


def is_adaptive(augment: str) -> bool:
    """Whether the augmentation of this name has a probability of its own."""
    row = AUGMENTATIONS[augment]
    return row is not None and row.gates > 0


class Adaptive:
    """p in [0, 0.8], and the sum and number of signs since it last changed: scalars on the device, part of each checkpoint."""

    def __init__(self, device: torch.device) -> None:
        self.p, self.signs, self.count = (torch.zeros((), device=device) for _ in range(3))

    def tensors(self) -> dict[str, Tensor]:
        """The very tensors, by their names in a checkpoint."""
        return {"augment.p": self.p, "augment.signs": self.signs, "augment.count": self.count}

    @torch.no_grad()
    def update(self, value: Value, a: Tensor, b: Tensor, batch: int, processes: Processes) -> None:
        """After a step of D with logits a, b (N,). In a paired game D judges pairs, so that the sign is that of a - b. batch: of all
        processes."""
        judged = a - b if value.paired else a
        sign = torch.sign(judged - (value.boundary or 0.0)).mean(dtype=torch.float32)
        processes.average([sign])
        for mine, new in zip((self.p, self.signs, self.count), strength(self.p, self.signs, self.count, sign, batch), strict=True):
            mine.copy_(new)
