"""Gradient accumulation: a backend that computes a batch in equal parts, so that a step needs the memory of one part.

A loss is a mean over the batch, and the mean of the parts' means is the mean over the batch. The gradients are therefore those of the whole
batch, up to the order of additions. This does not hold for a net with batch statistics, which would be those of a part.
"""

from __future__ import annotations

import torch
from torch import Tensor

from zerosum.engine.backend import Backend, Transform
from zerosum.engine.networks import Gradients
from zerosum.game.augment import Augmented
from zerosum.game.losses import DiscriminatorLoss, GeneratorLoss


class Accumulated:
    """`backend` with each batch in `parts` parts, which must divide it."""

    def __init__(self, backend: Backend, parts: int) -> None:
        self.backend, self.parts, self.networks = backend, parts, backend.networks

    def _slices(self, n: int) -> list[slice]:
        size = n // self.parts
        return [slice(i * size, (i + 1) * size) for i in range(self.parts)]

    def generated_samples(self, z: Tensor, y: Tensor | None = None, ahead: Tensor | None = None) -> Tensor:
        # Nothing is computed ahead for G's step: that would keep the graph of the whole batch.
        return torch.cat([self.backend.generated_samples(z[rows], _rows(y, rows)) for rows in self._slices(len(z))])

    def discriminator_gradients(
        self, x: Tensor, fake: Tensor, y: Tensor | None, gamma: float | Tensor, epsilon: Tensor | None
    ) -> tuple[DiscriminatorLoss, Gradients]:
        losses: list[DiscriminatorLoss] = []
        total = _Mean(self.parts)
        for rows in self._slices(len(x)):
            found, gradients = self.backend.discriminator_gradients(x[rows], fake[rows], _rows(y, rows), gamma, _rows(epsilon, rows))
            losses.append(DiscriminatorLoss(*(value.detach() for value in found)))
            total.add(gradients)
        loss, penalty = (torch.stack([one[i] for one in losses]).mean() for i in (0, 1))
        return DiscriminatorLoss(loss, penalty, torch.cat([one.a for one in losses]), torch.cat([one.b for one in losses])), total.gradients

    def generator_gradients(self, z: Tensor, x: Tensor, y: Tensor | None, transform: Transform | None) -> tuple[GeneratorLoss, Gradients]:
        losses: list[GeneratorLoss] = []
        total = _Mean(self.parts)
        for rows in self._slices(len(z)):
            seen = transform.part(rows) if isinstance(transform, Augmented) else transform
            loss, gradients = self.backend.generator_gradients(z[rows], x[rows], _rows(y, rows), seen)
            losses.append(GeneratorLoss(*(value.detach() for value in loss)))
            total.add(gradients)
        return GeneratorLoss(torch.stack([one.loss for one in losses]).mean(), torch.cat([one.b for one in losses])), total.gradients


class _Mean:
    """The mean of the parts' gradients, by weight; None where a weight has none."""

    def __init__(self, parts: int) -> None:
        self.parts, self.gradients = parts, Gradients()

    def add(self, gradients: Gradients) -> None:
        for weight, gradient in gradients.items():
            if gradient is None:
                self.gradients.setdefault(weight, None)
            elif (before := self.gradients.get(weight)) is None:
                self.gradients[weight] = gradient / self.parts
            else:
                before.add_(gradient, alpha=1 / self.parts)


def _rows(values: Tensor | None, rows: slice) -> Tensor | None:
    return None if values is None else values[rows]
