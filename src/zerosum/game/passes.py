"""The passes over a D that is piecewise linear: h up, delta down, and t up with the weights' gradients (game/piecewise.py)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor, nn
from torch.nn.functional import linear

from zerosum.game.stages import Layer, Slopes, flat, is_layer, like, stages_of


@runtime_checkable
class Smooth(Protocol):
    """A fixed map S of rows, given by its value h = S(x) and its Jacobian J at x, which h determines: pull is J^T g, push is J v."""

    def __call__(self, x: Tensor) -> Tensor: ...
    def pull(self, h: Tensor, g: Tensor) -> Tensor: ...
    def push(self, h: Tensor, v: Tensor) -> Tensor: ...


@dataclass(frozen=True)
class Chain:
    """The steps of such a D from x to the logit; the last is a Linear to one number.

    A step is a layer (Linear, Conv2d or Mapped), a bend (LeakyReLU or ReLU), PixelUnshuffle, or a tuple of steps, which stands for
    h + steps(h). The first may be Smooth. Maps are flattened as (H, W, C) where Linear layers begin; where D begins with one, x as it is.
    """

    steps: tuple[Any, ...]

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
        *steps, self.head = chain.steps
        self.dtype = dtype
        self.seen: Smooth | None = steps.pop(0) if isinstance(steps[0], Smooth) else None
        self.rows = isinstance(steps[0], nn.Linear) if steps else True
        self.stages = stages_of(tuple(steps), dtype)

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
        return delta if self.seen is None else self.seen.pull(h, delta.to(h.dtype))

    def weigh(self, slope: Tensor, v: Tensor | None, rows: slice) -> list[Tensor]:
        """Gradients of sum_n slope_n D(x_n) + sum_{n in rows} v_n . g_n by the chain's weights, in their order.

        slope: (N,), whose precision the gradients have. v: as g, what `down` gave for the rows; None for no second term.
        """
        t = v if v is None or self.seen is None else self.seen.push(self.h[rows], v)
        t = None if t is None else t.to(self.dtype)
        slopes, found = Slopes(slope, slope.to(self.dtype), rows), list[Tensor]()
        for stage in self.stages:
            t = stage.weigh(t, slopes, found)
        last = slope @ flat(self.last).to(slope.dtype)
        if t is not None:
            last = last + flat(t).to(slope.dtype).sum(0)
        return [*found, last[None], slope.sum()[None]]


def _wide(weight: Tensor) -> Tensor:
    return weight.detach().to(torch.promote_types(weight.dtype, torch.float32))
