"""Adam (Kingma and Ba 2015, arXiv 1412.6980, Algorithm 1) by PyTorch's fused kernel, one call a group and nothing around it.

Small nets feel what torch.optim.Adam does beside the kernel in every step: for groups of a few thousand weights it takes longer than the
kernel. State and groups are torch's own, so that a checkpoint of one is a checkpoint of the other.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, overload

import torch
from torch import Tensor


class Adam(torch.optim.Adam):
    """torch.optim.Adam, fused, for dense gradients and no weight decay: the same numbers to the bit."""

    found_inf: Tensor  # 1 where no update may be made; set by whoever does not wait for the device.

    def __init__(self, groups: Any, lr: float, betas: tuple[float, float]) -> None:
        super().__init__(groups, lr=lr, betas=betas, fused=True)

    @overload
    def step(self, closure: None = None) -> None: ...
    @overload
    def step(self, closure: Callable[[], float]) -> float: ...
    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:
        """One update of all parameters that have a gradient. closure: not used; a GAN's costs are taken before."""
        heed = getattr(self, "found_inf", None)
        for group in self.param_groups:
            self._update(group, heed)
        return None

    def _update(self, group: dict[str, Any], heed: Tensor | None) -> None:
        for weights in _alike([p for p in group["params"] if p.grad is not None]):
            self._move(weights, group, heed)

    def _move(self, weights: list[Tensor], group: dict[str, Any], heed: Tensor | None) -> None:
        kept = [self._moments(p) for p in weights]
        steps = [state["step"] for state in kept]
        torch._foreach_add_(steps, 1)
        torch._fused_adam_(
            weights,
            [p.grad for p in weights if p.grad is not None],
            [state["exp_avg"] for state in kept],
            [state["exp_avg_sq"] for state in kept],
            [],
            steps,
            lr=group["lr"],
            beta1=group["betas"][0],
            beta2=group["betas"][1],
            weight_decay=0.0,
            eps=group["eps"],
            amsgrad=False,
            maximize=False,
            grad_scale=None,
            found_inf=heed,
        )
        if heed is not None:
            torch._foreach_sub_(steps, [heed] * len(steps))

    def _moments(self, p: Tensor) -> dict[str, Tensor]:
        state: dict[str, Tensor] = self.state[p]
        if not state:
            state["step"] = torch.zeros((), dtype=torch.float32, device=p.device)
            state["exp_avg"] = torch.zeros_like(p, memory_format=torch.preserve_format)
            state["exp_avg_sq"] = torch.zeros_like(p, memory_format=torch.preserve_format)
        return state


def _alike(weights: list[Tensor]) -> list[list[Tensor]]:
    """The weights by their type: a kernel is of one."""
    found: dict[torch.dtype, list[Tensor]] = {}
    for p in weights:
        found.setdefault(p.dtype, []).append(p)
    return list(found.values())
