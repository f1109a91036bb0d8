"""One batch's passes through a player in closed form: h forward, delta backward, t forward with the weights' gradients.

engine/closed_form.py has the formulas. `Passes` is for a piecewise-linear D; `GeneratorPasses` is for a G of Linear layers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor, nn
from torch.nn.functional import linear

from zerosum.engine.layers import Layer, Make, SampleSlopes, WeightedStage, flat, is_layer, like, makers


@runtime_checkable
class Smooth(Protocol):
    """A fixed map S of rows without weights, given by its value h = S(x) and its Jacobian J at x, which h determines.

    vjp is J^T g, and jvp is J v.
    """

    def __call__(self, x: Tensor) -> Tensor: ...
    def vjp(self, h: Tensor, g: Tensor) -> Tensor: ...
    def jvp(self, h: Tensor, v: Tensor) -> Tensor: ...


@dataclass(frozen=True)
class Chain:
    """The steps of such a D from x to the logit; the last is a Linear to one number.

    A step is a layer (Linear, Conv2d or Mapped), LeakyReLU or ReLU, PixelUnshuffle, or a tuple of steps, which stands for
    h + steps(h). The first may be Smooth. Maps are flattened as (H, W, C) where Linear layers begin; where D begins with one, x as it is.
    embedding: of class labels, where D adds <embedding(y), h> to the logit, h being what the last Linear is given (Miyato and Koyama
    2018, arXiv 1802.05637, eq. 3).
    """

    steps: tuple[Any, ...]
    embedding: nn.Embedding | None = None

    @cached_property
    def smooth(self) -> Smooth | None:
        return self.steps[0] if isinstance(self.steps[0], Smooth) else None

    @cached_property
    def head(self) -> nn.Linear:
        head: nn.Linear = self.steps[-1]
        return head

    @cached_property
    def body(self) -> Sequence[Make]:
        """The constructors of one batch's stages, found once: a small net's step lasts about as long as finding them."""
        return makers(self._between)

    @cached_property
    def begins_with_rows(self) -> bool:
        """Whether it begins with a Linear layer, for which x is flattened."""
        return not self._between or isinstance(self._between[0], nn.Linear)

    @property
    def _between(self) -> tuple[Any, ...]:
        return self.steps[0 if self.smooth is None else 1 : -1]

    @cached_property
    def weights(self) -> list[Tensor]:
        """Each layer's weight, and its bias where it has one, in the order of the steps and of `Passes.weight_gradients`."""
        labels = [] if self.embedding is None else [self.embedding.weight]
        return [*(p for layer in _layers(self.steps) for p in (layer.weight, layer.bias) if p is not None), *labels]


def _layers(steps: tuple[Any, ...]) -> Iterator[Layer]:
    for step in steps:
        if isinstance(step, tuple):
            yield from _layers(step)
        elif is_layer(step):
            yield step


class Passes:
    """One batch's way through a chain, in the precision of `dtype`: call forward, backward and, for a gradient, weight_gradients."""

    def __init__(self, chain: Chain, dtype: torch.dtype) -> None:
        self.chain, self.head, self.dtype = chain, chain.head, dtype
        self.stages = [make(dtype) for make in chain.body]

    def forward(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        """Logits (N,) in float32 or better for x (N, ...) and, where the chain has an embedding, class labels y (N,)."""
        h = x.flatten(1) if self.chain.begins_with_rows else x
        if self.chain.smooth is not None:
            h = self.chain.smooth(h)
        self.h, self.y = h, y
        h = h.to(self.dtype)
        if h.ndim == 4:
            h = h.contiguous(memory_format=torch.channels_last)
        for stage in self.stages:
            h = stage.forward(h)
        self.last = h
        head, bias = _wide(self.head.weight), _wide(self.head.bias)
        rows = flat(h).to(head.dtype)
        logits = linear(rows, head, bias)[:, 0]
        # The projection is one more linear form of the last activations, which differs by class.
        return logits if self.chain.embedding is None else logits + (self._embedded(slice(None)) * rows).sum(1)

    def backward(self, slope: Tensor | None = None, rows: slice = slice(None), keep: bool = True) -> Tensor:
        """The gradient at x[rows] of the sum of the logits, each times its `slope` (N of them); 1 each by default.

        keep: store the layers' delta for `weight_gradients`.
        """
        head, last = _wide(self.head.weight), self.last[rows]
        delta = head.expand(len(last), -1)
        if self.chain.embedding is not None:
            delta = delta + self._embedded(rows)
        if slope is not None:
            delta = slope[:, None].to(head.dtype) * delta
        delta = like(delta.to(self.dtype), last)
        for stage in reversed(self.stages):
            delta = stage.backward(delta, rows, keep)
        h = self.h[rows]
        return delta if self.chain.smooth is None else self.chain.smooth.vjp(h, delta.to(h.dtype))

    def weight_gradients(self, slope: Tensor, v: Tensor | None, rows: slice) -> list[Tensor]:
        """Gradients of sum_n slope_n D(x_n) + sum_{n in rows} v_n . g_n by the chain's weights, in their order.

        slope: (N,); the gradients have its precision. v: shaped as g, which `backward` gave for the rows; None for no second term.
        """
        t = v if v is None or self.chain.smooth is None else self.chain.smooth.jvp(self.h[rows], v)
        t = None if t is None else t.to(self.dtype)
        whole = t is not None and len(t) == len(slope)
        slopes, found = SampleSlopes(slope, slope.to(self.dtype), rows, whole), list[Tensor]()
        for stage in self.stages:
            t = stage.weight_gradients(t, slopes, found)
        last = slope @ flat(self.last).to(slope.dtype)
        if t is not None:
            last = last + flat(t).to(slope.dtype).sum(0)
        return [*found, last[None], slope.sum()[None], *self._embedding_gradient(slope, t, rows)]

    def _embedding_gradient(self, slope: Tensor, t: Tensor | None, rows: slice) -> list[Tensor]:
        """As the head's, each sample's part added to the row of its class."""
        if self.chain.embedding is None or self.y is None:
            return []
        each = slope[:, None] * flat(self.last).to(slope.dtype)
        if t is not None:
            each[rows] += flat(t).to(slope.dtype)
        return [slope.new_zeros(self.chain.embedding.weight.shape).index_add_(0, self.y, each)]

    def _embedded(self, rows: slice) -> Tensor:
        """The embedding of the rows' labels, (n, features). Raises ValueError without labels."""
        if self.y is None:
            raise ValueError("a conditional D needs class labels: call D(x, y)")
        assert self.chain.embedding is not None
        return _wide(self.chain.embedding.weight)[self.y[rows]]


def _wide(weight: Tensor) -> Tensor:
    return weight.detach().to(torch.promote_types(weight.dtype, torch.float32))


class GeneratorPasses:
    """A G of Linear layers, each followed by at most one activation, with the gradients of its weights but no graph.

    A small net's step takes many small operations, and a graph for each of them was a fifth of its time (docs/speed.md).
    """

    def __init__(self, steps: Sequence[nn.Module]) -> None:
        self.weights = [p for step in steps for p in step.parameters()]
        self._dtype = self.weights[0].dtype
        self._makers = makers((*steps,))

    @torch.no_grad()
    def forward(self, z: Tensor) -> Tensor:
        """G(z), (N, d), for z (N, dim)."""
        self._stages = [make(self._dtype) for make in self._makers]
        self._rows, h = len(z), z
        for stage in self._stages:
            h = stage.forward(h)
        return h

    @torch.no_grad()
    def gradients(self, delta: Tensor) -> dict[Tensor, Tensor]:
        """By weight, of a loss whose gradient at the last len(delta) rows of G(z) is delta, and zero at the others."""
        rows = slice(self._rows - len(delta), None)
        found: dict[Tensor, Tensor] = {}
        for i in range(len(self._stages) - 1, -1, -1):
            stage = self._stages[i]
            if isinstance(stage, WeightedStage):
                found |= stage.summed_gradients(delta, rows)
            if i:  # Nobody needs the gradient at z.
                delta = stage.backward(delta, rows, keep=False)
        return found
