"""Questions about any network, a person's own included, that decide how it can be trained."""

from __future__ import annotations

from torch import nn

BATCH_NORMS = (nn.modules.batchnorm._BatchNorm,)
DROPOUTS = (nn.modules.dropout._DropoutNd,)


def uses_batch_statistics(module: nn.Module) -> bool:
    """Whether a sample's output depends on the other samples of its batch: with BatchNorm it does."""
    return any(isinstance(m, BATCH_NORMS) for m in module.modules())


def draws_random_numbers(module: nn.Module) -> bool:
    """Whether a module draws random numbers of its own in training: dropout does."""
    return any(isinstance(m, DROPOUTS) for m in module.modules())
