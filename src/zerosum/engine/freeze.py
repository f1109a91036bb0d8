"""Keep a player as it is while the other one learns: no gradients of its weights, no update of its running statistics."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn


@contextmanager
def frozen_weights(module: nn.Module) -> Iterator[None]:
    """Within this context no gradient of the module's weights is computed."""
    weights = [p for p in module.parameters() if p.requires_grad]
    try:
        for p in weights:
            p.requires_grad_(False)
        yield
    finally:
        for p in weights:
            p.requires_grad_(True)


class frozen_running_statistics:
    """Within this context a module's BatchNorm layers use the batch's statistics and do not update their running ones."""

    def __init__(self, module: nn.Module) -> None:
        self.layers = [m for m in module.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm) and m.track_running_stats]

    def __enter__(self) -> None:
        self._track(False)

    def __exit__(self, *_: object) -> None:
        self._track(True)

    def _track(self, on: bool) -> None:
        for layer in self.layers:
            layer.track_running_stats = on
