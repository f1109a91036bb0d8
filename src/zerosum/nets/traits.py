"""Questions about any network, a person's own included, that decide how it can be trained."""

from __future__ import annotations

from inspect import Parameter, signature

from torch import nn

BATCH_NORMS = (nn.modules.batchnorm._BatchNorm,)
RANDOM = (nn.modules.dropout._DropoutNd,)


def uses_batch_statistics(module: nn.Module) -> bool:
    """Whether a sample's output depends on the other samples of its batch: with BatchNorm it does."""
    return any(isinstance(m, BATCH_NORMS) for m in module.modules())


def draws_random_numbers(module: nn.Module) -> bool:
    """Whether a module draws random numbers of its own in training: dropout does."""
    return any(isinstance(m, RANDOM) for m in module.modules())


def takes_labels(module: nn.Module) -> bool:
    """Whether a module can be called with class labels, forward(x, y): whether it takes two arguments by position."""
    parameters = list(signature(module.forward).parameters.values())
    return sum(p.kind in (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD) for p in parameters) >= 2
