"""The exponential moving average (EMA) of G, whose half-life is counted in samples seen. Samples are drawn from it."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

# Early on the half-life is at most this share of the samples seen, so that the EMA forgets the initial weights (Karras et al. 2024,
# arXiv 2312.02696, section 3).
RAMP = 0.05


def decay(samples_a_step: int, half_life: float, seen: int) -> float:
    """The EMA's decay in one step: 2^(-samples / half-life), with half-life <= RAMP x seen. 0, for no averaging, where that is 0."""
    life = min(half_life, RAMP * seen)
    return 0.5 ** (samples_a_step / life) if life > 0 else 0.0


class EMA:
    """A copy of G in evaluation mode, `module`, that follows G. Parameters and running statistics are averaged, counters copied."""

    def __init__(self, G: nn.Module) -> None:
        self.module = copy.deepcopy(G).eval().requires_grad_(False)
        self._averaged, self._current = self._floats(self.module), self._floats(G)
        self._counters = [(a, b) for a, b in zip(self.module.buffers(), G.buffers(), strict=True) if not a.is_floating_point()]

    @staticmethod
    def _floats(module: nn.Module) -> list[Tensor]:
        return [t.detach() for t in [*module.parameters(), *module.buffers()] if t.is_floating_point()]

    @torch.no_grad()
    def update(self, decay: float | Tensor) -> None:
        """EMA <- decay x EMA + (1 - decay) x G."""
        if isinstance(decay, Tensor):
            torch._foreach_lerp_(self._averaged, self._current, [1 - decay] * len(self._averaged))
        else:
            torch._foreach_lerp_(self._averaged, self._current, 1 - decay)
        for averaged, current in self._counters:
            averaged.copy_(current)
