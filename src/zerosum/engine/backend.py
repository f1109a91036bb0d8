"""How a training step is computed: generated samples, and the gradients of both players' losses, by weight.

play/step.py is Algorithm 1 and knows no more of a backend than the three methods of `Backend`. `Autograd` is PyTorch's own way;
engine/closed_form.py has another for nets that allow it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import torch
from torch import Tensor

from zerosum.engine.freeze import frozen_weights
from zerosum.engine.networks import Gradients, Networks
from zerosum.game.losses import DiscriminatorLoss, GeneratorLoss, discriminator_loss, generator_loss
from zerosum.game.penalty import Penalty
from zerosum.game.value import Value

Transform = Callable[[Tensor], Tensor]


class Backend(Protocol):
    """Gradients are those of the mean over the batch, each by the player's own weight and in its type."""

    networks: Networks

    def generated_samples(self, z: Tensor, y: Tensor | None = None, ahead: Tensor | None = None) -> Tensor:
        """G(z, y), (N, ...), for a step of D: G keeps its weights and its running statistics.

        ahead: the noise of the step of G that follows, if there is no step of G in between. A backend may compute both at once; where
        it is z itself, the same samples are used in both steps.
        """

    def discriminator_gradients(
        self, x: Tensor, fake: Tensor, y: Tensor | None, gamma: float | Tensor, epsilon: Tensor | None
    ) -> tuple[DiscriminatorLoss, Gradients]:
        """The discriminator loss on real samples x and generated samples, both (N, ...) with labels y, and its gradient by D's weights."""

    def generator_gradients(self, z: Tensor, x: Tensor, y: Tensor | None, transform: Transform | None) -> tuple[GeneratorLoss, Gradients]:
        """The generator loss of D(transform(G(z, y)), y), and its gradient by G's weights. x: real samples, as D sees them."""


class Autograd:
    """A backend of PyTorch's automatic differentiation alone."""

    def __init__(self, networks: Networks, value: Value, penalty: Penalty | None, together: bool = True) -> None:
        """together: whether D may see real and generated samples as one batch; not where it uses batch statistics."""
        self.networks, self.value, self.penalty, self.together = networks, value, penalty, together
        self._ahead: tuple[Tensor, Tensor] | None = None  # noise and samples of G's coming step, computed with D's

    def generated_samples(self, z: Tensor, y: Tensor | None = None, ahead: Tensor | None = None) -> Tensor:
        if ahead is z:
            # With its graph, for G's step; so G's running statistics move once a step, as they do otherwise.
            fake = self.networks.G(z, y)
            self._ahead = (z, fake)
            return fake
        with torch.no_grad(), self.networks.frozen_statistics["g"]:
            return self.networks.G(z, y)

    def discriminator_gradients(
        self, x: Tensor, fake: Tensor, y: Tensor | None, gamma: float | Tensor, epsilon: Tensor | None
    ) -> tuple[DiscriminatorLoss, Gradients]:
        loss = discriminator_loss(lambda s: self.networks.D(s, y), x, fake, self.value, self.penalty, gamma, epsilon, self.together)
        return loss, self._differentiated("d", loss.total)

    def generator_gradients(self, z: Tensor, x: Tensor, y: Tensor | None, transform: Transform | None) -> tuple[GeneratorLoss, Gradients]:
        fake = self._for_generator(z, y)
        seen = fake if transform is None else transform(fake)
        # Nothing of D's is needed for its own gradients: neither they nor what they would need is computed or kept.
        with self.networks.frozen_statistics["d"], frozen_weights(self.networks.module("d")):
            loss = generator_loss(lambda s: self.networks.D(s, y), seen, self.value, x)
        return loss, self._differentiated("g", loss.total)

    def _for_generator(self, z: Tensor, y: Tensor | None) -> Tensor:
        """G(z, y) with its graph: what a step of D has left for this z, or new."""
        ahead, self._ahead = self._ahead, None
        return ahead[1] if ahead is not None and ahead[0] is z else self.networks.G(z, y)

    def _differentiated(self, letter: str, loss: Tensor) -> Gradients:
        found = torch.autograd.grad(loss, self.networks.played(letter), allow_unused=True)
        return self.networks.by_weight(letter, found)
