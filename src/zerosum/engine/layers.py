"""One step of a chain in each of the passes (engine/passes.py): what it keeps of the way up, and what it makes of it.

A stage knows three things: h up, the logits' gradient delta down, and t, up without biases, with the gradients of its weights.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol, runtime_checkable

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, leaky_relu, leaky_relu_, linear, pixel_shuffle, pixel_unshuffle


@runtime_checkable
class Mapped(Protocol):
    """A layer with ways of its own to compute W h, W^T delta for an h, and sum_n delta_n h_n^T, without its bias."""

    weight: Tensor
    bias: Tensor | None

    def through(self, h: Tensor) -> Tensor: ...
    def back(self, delta: Tensor, h: Tensor) -> Tensor: ...
    def correlate(self, h: Tensor, delta: Tensor) -> Tensor: ...


Layer = Any  # nn.Linear, nn.Conv2d or Mapped


def is_layer(step: object) -> bool:
    return isinstance(step, nn.Conv2d | nn.Linear | Mapped)


class Slopes(NamedTuple):
    """What a cost feels of each sample: its slope (N,), the same in the passes' precision, and the rows whose gradient moves it too.

    whole: whether these are all rows.
    """

    exact: Tensor
    low: Tensor
    rows: slice
    whole: bool


class Stage(Protocol):
    """One step on a batch's way."""

    def up(self, h: Tensor) -> Tensor:
        """What leaves the step for h (N, ...)."""

    def down(self, delta: Tensor, rows: slice, keep: bool) -> Tensor:
        """The logits' gradient at what came in, for that at what left, of some rows. keep: leave it for `weigh`."""

    def weigh(self, t: Tensor | None, slopes: Slopes, found: list[Tensor]) -> Tensor | None:
        """t as it leaves the step without biases; the gradients of the step's weights are appended to `found`."""


class Weighted:
    """A layer: u = W h + b."""

    def __init__(self, layer: Layer, dtype: torch.dtype) -> None:
        self.layer = layer
        # No copy where they have the precision already.
        self.weight = layer.weight.detach().to(dtype)
        self.bias = None if layer.bias is None else layer.bias.detach().to(dtype)

    def up(self, h: Tensor) -> Tensor:
        self.h = h
        return _through(self.layer, self.weight, h, self.bias)

    def down(self, delta: Tensor, rows: slice, keep: bool) -> Tensor:
        if keep:
            self.delta = delta
        return _back(self.layer, self.weight, self.h[rows], delta)

    def weigh(self, t: Tensor | None, slopes: Slopes, found: list[Tensor]) -> Tensor | None:
        low = slopes.low.view(-1, *[1] * (self.h.ndim - 1))
        if t is None:
            mixed = self.h * low
        else:
            if slopes.whole:
                mixed = torch.addcmul(t, self.h, low)
            else:
                mixed = self.h * low
                mixed[slopes.rows].add_(t)
            t = _through(self.layer, self.weight, t, None)
        found.append(_correlate(self.layer, self.weight, mixed, self.delta).to(slopes.exact.dtype))
        if self.bias is not None:
            found.append(_bias(self.delta, slopes.exact))
        return t


class Bend:
    """f(u) = s u with s = 1 above zero and `slope` (>= 0) below. over: whether u may be written over."""

    def __init__(self, slope: float, over: bool) -> None:
        self.slope, self.bend = slope, leaky_relu_ if over else leaky_relu

    def up(self, h: Tensor) -> Tensor:
        self.out: Tensor = self.bend(h, self.slope)
        return self.out

    def _times_s(self, u: Tensor, out: Tensor) -> Tensor:
        # f keeps the sign where its slope is above zero; at slope zero, `out` is zero where s is.
        bent: Tensor = torch.ops.aten.leaky_relu_backward(u, out, self.slope, True)
        return bent

    def down(self, delta: Tensor, rows: slice, keep: bool) -> Tensor:
        return self._times_s(delta, self.out[rows])

    def weigh(self, t: Tensor | None, slopes: Slopes, found: list[Tensor]) -> Tensor | None:
        return None if t is None else self._times_s(t, self.out[slopes.rows])


class Unshuffle:
    """Space moved into channels, r x r pixels at a time."""

    def __init__(self, r: int) -> None:
        self.r = r

    def up(self, h: Tensor) -> Tensor:
        return pixel_unshuffle(h, self.r)

    def down(self, delta: Tensor, rows: slice, keep: bool) -> Tensor:
        return pixel_shuffle(delta, self.r)

    def weigh(self, t: Tensor | None, slopes: Slopes, found: list[Tensor]) -> Tensor | None:
        return None if t is None else pixel_unshuffle(t, self.r)


class Residual:
    """h + stages(h)."""

    def __init__(self, stages: list[Stage]) -> None:
        self.stages = stages

    def up(self, h: Tensor) -> Tensor:
        out = h
        for stage in self.stages:
            out = stage.up(out)
        return h + out

    def down(self, delta: Tensor, rows: slice, keep: bool) -> Tensor:
        inner = delta
        for stage in reversed(self.stages):
            inner = stage.down(inner, rows, keep)
        return delta + inner

    def weigh(self, t: Tensor | None, slopes: Slopes, found: list[Tensor]) -> Tensor | None:
        inner = t
        for stage in self.stages:
            inner = stage.weigh(inner, slopes, found)
        return None if t is None or inner is None else t + inner


Make = Callable[[torch.dtype], Stage]


def makers(steps: tuple[Any, ...]) -> list[Make]:
    """What makes a batch's stages, one for each step, in a precision."""
    found: list[Make] = []
    for i, step in enumerate(steps):
        # What a layer gave is nobody else's, and may be written over.
        found.append(_maker(step, over=i > 0 and is_layer(steps[i - 1])))
    return found


def _maker(step: Any, over: bool) -> Make:
    if isinstance(step, tuple):
        inner = makers(step)
        return lambda dtype: Residual([make(dtype) for make in inner])
    if isinstance(step, nn.PixelUnshuffle):
        return lambda _: Unshuffle(step.downscale_factor)
    if isinstance(step, nn.LeakyReLU | nn.ReLU):
        slope = step.negative_slope if isinstance(step, nn.LeakyReLU) else 0.0
        return lambda _: Bend(slope, over)
    if is_layer(step):
        return lambda dtype: Weighted(step, dtype)
    raise TypeError(f"{type(step).__name__} is no step of a chain")


# -- the layers' linear maps and their transposes -----------------------------------------------------------------------------------------


def flat(h: Tensor) -> Tensor:
    return h.permute(0, 2, 3, 1).flatten(1) if h.ndim == 4 else h.flatten(1)


def like(flat: Tensor, h: Tensor) -> Tensor:
    """Rows (N, H W C) as the maps (N, C, H, W) that h has, where it has maps."""
    if h.ndim != 4:
        return flat
    n, c, height, width = h.shape
    return flat.view(n, height, width, c).permute(0, 3, 1, 2)


def _through(layer: Layer, weight: Tensor, h: Tensor, bias: Tensor | None) -> Tensor:
    if isinstance(layer, nn.Conv2d):
        return conv2d(h, weight, bias, layer.stride, layer.padding, layer.dilation, layer.groups)
    if isinstance(layer, nn.Linear):
        return linear(flat(h), weight, bias)
    out: Tensor = layer.through(h)
    return out if bias is None else out + bias[:, None, None]


def _transposed(layer: nn.Conv2d, weight: Tensor, h: Tensor, delta: Tensor, which: int) -> Tensor:
    """The transpose of a convolution: as a map of its output's gradient to its input's (which 0), or to its weight's (1)."""
    wanted = [i == which for i in range(3)]
    geometry = (list(layer.stride), list(layer.padding), list(layer.dilation), False, [0, 0], layer.groups)
    gradient: Tensor = torch.ops.aten.convolution_backward(delta, h, weight, None, *geometry, wanted)[which]
    return gradient


def _back(layer: Layer, weight: Tensor, h: Tensor, delta: Tensor) -> Tensor:
    if isinstance(layer, nn.Conv2d):
        return _transposed(layer, weight, h, delta, 0)
    below: Tensor = like(delta @ weight, h) if isinstance(layer, nn.Linear) else layer.back(delta, h)
    return below


def _correlate(layer: Layer, weight: Tensor, h: Tensor, delta: Tensor) -> Tensor:
    if isinstance(layer, nn.Conv2d):
        return _transposed(layer, weight, h, delta, 1)
    gradient: Tensor = delta.T @ flat(h) if isinstance(layer, nn.Linear) else layer.correlate(h, delta)
    return gradient


def _bias(delta: Tensor, slope: Tensor) -> Tensor:
    """sum_n slope_n delta_n, over a map's places too."""
    each = delta.sum((2, 3), dtype=slope.dtype) if delta.ndim == 4 else delta.to(slope.dtype)
    return slope @ each
