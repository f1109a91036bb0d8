"""The passes over a D that is piecewise linear: h up, delta down, and t up with the weights' gradients (engine/closed_form.py)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor, nn
from torch.nn.functional import linear

from zerosum.engine.layers import Layer, Make, Slopes, flat, is_layer, like, makers


@runtime_checkable
class Smooth(Protocol):
    """A fixed map S of rows, given by its value h = S(x) and its Jacobian J at x, which h determines: vjp is J^T g, jvp is J v."""

    def __call__(self, x: Tensor) -> Tensor: ...
    def vjp(self, h: Tensor, g: Tensor) -> Tensor: ...
    def jvp(self, h: Tensor, v: Tensor) -> Tensor: ...


@dataclass(frozen=True)
class Chain:
    """The steps of such a D from x to the logit; the last is a Linear to one number.

    A step is a layer (Linear, Conv2d or Mapped), a bend (LeakyReLU or ReLU), PixelUnshuffle, or a tuple of steps, which stands for
    h + steps(h). The first may be Smooth. Maps are flattened as (H, W, C) where Linear layers begin; where D begins with one, x as it is.
    """

    steps: tuple[Any, ...]

    @cached_property
    def seen(self) -> Smooth | None:
        return self.steps[0] if isinstance(self.steps[0], Smooth) else None

    @cached_property
    def head(self) -> nn.Linear:
        head: nn.Linear = self.steps[-1]
        return head

    @cached_property
    def body(self) -> Sequence[Make]:
        """What makes the stages of one batch: looked up once, for a small net's round is as long as such questions."""
        return makers(self._between)

    @cached_property
    def rows(self) -> bool:
        """Whether it begins with a Linear layer, for which x is flattened."""
        return not self._between or isinstance(self._between[0], nn.Linear)

    @property
    def _between(self) -> tuple[Any, ...]:
        return self.steps[0 if self.seen is None else 1 : -1]

    @cached_property
    def weights(self) -> list[Tensor]:
        """Each layer's weight, and its bias where it has one, in the order of the steps: that of `Passes.weigh`."""
        return [p for layer in _layers(self.steps) for p in (layer.weight, layer.bias) if p is not None]


def _layers(steps: tuple[Any, ...]) -> Iterator[Layer]:
    for step in steps:
        if isinstance(step, tuple):
            yield from _layers(step)
        elif is_layer(step):
            yield step


class Passes:
    """One batch's way through a chain, in the precision of `dtype`. Call up, then down, then, for the weights' gradients, weigh."""

    def __init__(self, chain: Chain, dtype: torch.dtype) -> None:
        self.seen, self.head, self.rows, self.dtype = chain.seen, chain.head, chain.rows, dtype
        self.stages = [make(dtype) for make in chain.body]

    def up(self, x: Tensor) -> Tensor:
        """Logits (N,) in float32 or better for x (N, ...)."""
        h = x.flatten(1) if self.rows else x
        if self.seen is not None:
            h = self.seen(h)
        self.h = h
        h = h.to(self.dtype)
        if h.ndim == 4:
            h = h.contiguous(memory_format=torch.channels_last)
        for stage in self.stages:
            h = stage.up(h)
        self.last = h
        head, bias = _wide(self.head.weight), _wide(self.head.bias)
        return linear(flat(h).to(head.dtype), head, bias)[:, 0]

    def down(self, slope: Tensor | None = None, rows: slice = slice(None), keep: bool = True) -> Tensor:
        """The gradient at x[rows] of the sum of the logits, each times its `slope` (N of them); 1 each without.

        keep: leave the layers' delta for `weigh`.
        """
        head, last = _wide(self.head.weight), self.last[rows]
        delta = head.expand(len(last), -1) if slope is None else slope[:, None].to(head.dtype) * head
        delta = like(delta.to(self.dtype), last)
        for stage in reversed(self.stages):
            delta = stage.down(delta, rows, keep)
        h = self.h[rows]
        return delta if self.seen is None else self.seen.vjp(h, delta.to(h.dtype))

    def weigh(self, slope: Tensor, v: Tensor | None, rows: slice) -> list[Tensor]:
        """Gradients of sum_n slope_n D(x_n) + sum_{n in rows} v_n . g_n by the chain's weights, in their order.

        slope: (N,), whose precision the gradients have. v: as g, what `down` gave for the rows; None for no second term.
        """
        t = v if v is None or self.seen is None else self.seen.jvp(self.h[rows], v)
        t = None if t is None else t.to(self.dtype)
        whole = t is not None and len(t) == len(slope)
        slopes, found = Slopes(slope, slope.to(self.dtype), rows, whole), list[Tensor]()
        for stage in self.stages:
            t = stage.weigh(t, slopes, found)
        last = slope @ flat(self.last).to(slope.dtype)
        if t is not None:
            last = last + flat(t).to(slope.dtype).sum(0)
        return [*found, last[None], slope.sum()[None]]


def _wide(weight: Tensor) -> Tensor:
    return weight.detach().to(torch.promote_types(weight.dtype, torch.float32))
