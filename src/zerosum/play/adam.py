"""Adam (Kingma and Ba 2015, arXiv 1412.6980, Algorithm 1) by PyTorch's fused kernel, one call a group and nothing around it.

Small nets feel what torch.optim.Adam does beside the kernel in every step: for groups of a few thousand weights it takes longer than the
kernel. And making one of torch's optimisers loads its compiler, which takes longer than all the rest of a training's start. State and
groups are as torch's own, so that a checkpoint of one is a checkpoint of the other.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor

EPS = 1e-8


class Adam:
    """torch.optim.Adam, fused, for dense gradients and no weight decay: the same numbers to the bit.

    param_groups: dicts of `params`, `lr`, `betas`, `eps` and whatever a group was given. state: by weight.
    found_inf: 1 where no update may be made; set by whoever does not wait for the device.
    """

    def __init__(self, groups: Iterable[dict[str, Any]], lr: float, betas: tuple[float, float]) -> None:
        self.param_groups = [{"lr": lr, "betas": betas, "eps": EPS, **group} for group in groups]
        self.state: defaultdict[Tensor, dict[str, Tensor]] = defaultdict(dict)
        self.found_inf: Tensor | None = None

    @torch.no_grad()
    def step(self) -> None:
        """One update of all parameters that have a gradient."""
        for group in self.param_groups:
            self._update(group, self.found_inf)

    def _update(self, group: dict[str, Any], skip: Tensor | None) -> None:
        for weights in _by_type([p for p in group["params"] if p.grad is not None]):
            self._update_of_one_type(weights, group, skip)

    def _update_of_one_type(self, weights: list[Tensor], group: dict[str, Any], skip: Tensor | None) -> None:
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
            found_inf=skip,
        )
        if skip is not None:
            torch._foreach_sub_(steps, [skip] * len(steps))

    def _moments(self, p: Tensor) -> dict[str, Tensor]:
        state = self.state[p]
        if not state:
            state["step"] = torch.zeros((), dtype=torch.float32, device=p.device)
            state["exp_avg"] = torch.zeros_like(p, memory_format=torch.preserve_format)
            state["exp_avg_sq"] = torch.zeros_like(p, memory_format=torch.preserve_format)
        return state


def _by_type(weights: list[Tensor]) -> list[list[Tensor]]:
    """The weights by their type: a kernel is of one."""
    found: dict[torch.dtype, list[Tensor]] = {}
    for p in weights:
        found.setdefault(p.dtype, []).append(p)
    return list(found.values())
