"""The exponential moving average of G, whose half-life is counted in samples seen; sampling uses it."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

# Early on the half-life is at most this share of the samples seen, so that the average forgets the start (Karras et al. 2024, section 3).
RAMP = 0.05


def decay(samples_a_step: int, half_life: float, seen: int) -> float:
    """What the average keeps of itself in one round: 2^(-samples / half-life), with half-life <= RAMP x seen. 0 for no average."""
    life = min(half_life, RAMP * seen)
    return 0.5 ** (samples_a_step / life) if life > 0 else 0.0


class EMA:
    """A copy of G in evaluation mode that follows it. Parameters and running statistics are averaged, counters copied."""

    def __init__(self, G: nn.Module) -> None:
        self.module = copy.deepcopy(G).eval().requires_grad_(False)
        self._followers, self._followed = self._floats(self.module), self._floats(G)
        self._copies = [(a, b) for a, b in zip(self.module.buffers(), G.buffers(), strict=True) if not a.is_floating_point()]

    @staticmethod
    def _floats(module: nn.Module) -> list[Tensor]:
        return [t.detach() for t in [*module.parameters(), *module.buffers()] if t.is_floating_point()]

    @torch.no_grad()
    def update(self, keep: float | Tensor) -> None:
        """average <- keep x average + (1 - keep) x G."""
        if isinstance(keep, Tensor):
            torch._foreach_lerp_(self._followers, self._followed, [1 - keep] * len(self._followers))
        else:
            torch._foreach_lerp_(self._followers, self._followed, 1 - keep)
        for mine, theirs in self._copies:
            mine.copy_(theirs)
