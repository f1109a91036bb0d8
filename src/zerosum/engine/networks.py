"""The two players as a backend calls them: in the run's arithmetic, with class labels where they take them, and with bf16 copies."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

import torch
from torch import Tensor, nn

from zerosum.engine.bf16_copy import Bf16Copy
from zerosum.engine.freeze import frozen_running_statistics
from zerosum.nets.conditioning import takes_labels

Gradients = dict[Tensor, Tensor | None]  # by the very weight of the player; None where the loss does not depend on it


class Networks:
    """G and D, by the letters "g" and "d" where one code serves both.

    players: the modules that the optimisers move. copies: bf16 copies that are computed with instead. arithmetic: the context in which
    nets are called. dtype: of samples and logits between the nets. labelled: the players that are called with class labels. computing:
    modules of the players' very weights that are computed with instead, where there is no copy.
    """

    def __init__(
        self,
        players: Mapping[str, nn.Module],
        copies: Mapping[str, Bf16Copy],
        arithmetic: Callable[[], AbstractContextManager[Any]],
        dtype: torch.dtype,
        labelled: frozenset[str] = frozenset(),
        computing: Mapping[str, nn.Module] | None = None,
    ) -> None:
        self.copies, self.arithmetic, self.dtype, self.labelled = dict(copies), arithmetic, dtype, labelled
        self.modules = {**players, **(computing or {}), **{letter: bf16.module for letter, bf16 in copies.items()}}
        self.frozen_statistics = {letter: frozen_running_statistics(module) for letter, module in self.modules.items()}
        self.weights = {letter: [p for p in player.parameters() if p.requires_grad] for letter, player in players.items()}

    def module(self, letter: str) -> nn.Module:
        """The module to compute with, its weights up to date."""
        if letter in self.copies:
            self.copies[letter].refresh()
        return self.modules[letter]

    def moved(self, *letters: str) -> None:
        """To be called after a player's weights may have changed: its bf16 copy is out of date."""
        for letter in self.copies.keys() & set(letters):
            self.copies[letter].stale = True

    def G(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        """G(z, y), (N, ...), for z (N, dim)."""
        return self._called("g", z, y)

    def D(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        """Logits (N,) for x (N, ...). y may be of a fraction of N: a batch of real and generated samples repeats the same labels."""
        return self._called("d", x, y).flatten()

    def _called(self, letter: str, x: Tensor, y: Tensor | None) -> Tensor:
        module = self.module(letter)
        with self.arithmetic():
            out: Tensor = module(x, repeated(y, len(x))) if letter in self.labelled and y is not None else module(x)
        return out.to(self.dtype)

    def played(self, letter: str) -> Sequence[Tensor]:
        """The weights that the module of `module` computes with, in the order of `weights`."""
        return [self.copies[letter].of[w] for w in self.weights[letter]] if letter in self.copies else self.weights[letter]

    def by_weight(self, letter: str, found: Sequence[Tensor | None]) -> Gradients:
        """Gradients of `played`, in its order, as gradients of the player's own weights and in their type."""
        weights = self.weights[letter]
        return {w: None if g is None else g.to(w.dtype) for w, g in zip(weights, found, strict=True)}


def repeated(y: Tensor | None, n: int) -> Tensor | None:
    """The labels of a batch of n that is made of n / len(y) batches with labels y, one after the other."""
    return y if y is None or len(y) == n else y.repeat(n // len(y))


def labels_for(module: nn.Module, n: int) -> tuple[Tensor, ...]:
    """The second argument of a trial call on n samples: labels of class 0 for a net that takes them. An unconditional one ignores them."""
    return (torch.zeros(n, dtype=torch.int64),) if takes_labels(module) else ()
