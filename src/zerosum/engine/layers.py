"""One layer of a chain in each of the closed form's passes (engine/passes.py): what it keeps of the forward pass, and its products.

A stage does three things: it carries activations h forward, the output's gradient delta backward, and the tangent t forward once more,
without biases, which gives the gradients of its weights. The table of layers is `_maker`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol, runtime_checkable

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, leaky_relu, leaky_relu_, linear, pad, pixel_shuffle, pixel_unshuffle

LANES = 16  # float32 numbers in a vector register of AVX-512


@runtime_checkable
class Mapped(Protocol):
    """A layer that computes W h, W^T delta for an h, and sum_n delta_n h_n^T itself, without its bias."""

    weight: Tensor
    bias: Tensor | None

    def through(self, h: Tensor) -> Tensor: ...
    def back(self, delta: Tensor, h: Tensor) -> Tensor: ...
    def correlate(self, h: Tensor, delta: Tensor) -> Tensor: ...


Layer = Any  # nn.Linear, nn.Conv2d or Mapped


def is_layer(step: object) -> bool:
    return isinstance(step, nn.Conv2d | nn.Linear | Mapped)


class SampleSlopes(NamedTuple):
    """The loss's derivative by each logit (N,), the same in the passes' precision, and the rows on which the penalty depends too.

    whole: whether these are all rows.
    """

    exact: Tensor
    low: Tensor
    rows: slice
    whole: bool


class Stage(Protocol):
    """One layer on the way of one batch."""

    def forward(self, h: Tensor) -> Tensor:
        """The layer's output for h (N, ...)."""

    def backward(self, delta: Tensor, rows: slice, keep: bool) -> Tensor:
        """The gradient at the layer's input, from that at its output, for some rows. keep: store it for `weight_gradients`."""

    def weight_gradients(self, t: Tensor | None, slopes: SampleSlopes, found: list[Tensor]) -> Tensor | None:
        """The tangent t after the layer, without its bias; the gradients of the layer's weights are appended to `found`."""


class WeightedStage:
    """A layer: u = W h + b."""

    def __init__(self, layer: Layer, weight: Tensor, bias: Tensor | None) -> None:
        """weight, bias: the layer's, without a graph and in the precision of the pass."""
        self.layer, self.weight, self.bias = layer, weight, bias

    def forward(self, h: Tensor) -> Tensor:
        self.h = h
        return _through(self.layer, self.weight, h, self.bias)

    def backward(self, delta: Tensor, rows: slice, keep: bool) -> Tensor:
        if keep:
            self.delta = delta
        return _back(self.layer, self.weight, self.h[rows], delta)

    def weight_gradients(self, t: Tensor | None, slopes: SampleSlopes, found: list[Tensor]) -> Tensor | None:
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

    def summed_gradients(self, delta: Tensor, rows: slice) -> dict[Tensor, Tensor]:
        """The layer's weight gradients for one loss whose gradient at the output's rows is delta (n, ...): sum_n delta_n h_n^T."""
        found = {self.layer.weight: _correlate(self.layer, self.weight, self.h[rows], delta)}
        if self.layer.bias is not None:
            found[self.layer.bias] = delta.sum(0)
        return found


class LeakyStage:
    """f(u) = s u with s = 1 above zero and `slope` (>= 0) below. over: whether u may be written over."""

    def __init__(self, slope: float, over: bool) -> None:
        self.slope, self.function = slope, leaky_relu_ if over else leaky_relu

    def forward(self, h: Tensor) -> Tensor:
        self.out: Tensor = self.function(h, self.slope)
        return self.out

    def _times_s(self, u: Tensor, out: Tensor) -> Tensor:
        # f keeps the sign where its slope is above zero; at slope zero, `out` is zero where s is.
        bent: Tensor = torch.ops.aten.leaky_relu_backward(u, out, self.slope, True)
        return bent

    def backward(self, delta: Tensor, rows: slice, keep: bool) -> Tensor:
        return self._times_s(delta, self.out[rows])

    def weight_gradients(self, t: Tensor | None, slopes: SampleSlopes, found: list[Tensor]) -> Tensor | None:
        return None if t is None else self._times_s(t, self.out[slopes.rows])


class TanhStage:
    """f(u) = tanh(u), which writes over u. For G alone: it is not piecewise linear, so it has no part in a penalty's tangent."""

    def forward(self, h: Tensor) -> Tensor:
        # 2 sigmoid(2 u) - 1: PyTorch's tanh takes four times as long, as long as the product before it. The two differ by a rounding.
        self.out = h.mul_(2).sigmoid_().mul_(2).sub_(1)
        return self.out

    def backward(self, delta: Tensor, rows: slice, keep: bool) -> Tensor:
        # tanh' = 1 - tanh^2, known from the output alone.
        below: Tensor = torch.ops.aten.tanh_backward(delta, self.out[rows])
        return below

    def weight_gradients(self, t: Tensor | None, slopes: SampleSlopes, found: list[Tensor]) -> Tensor | None:
        raise TypeError("tanh is not piecewise linear: the closed form of D's gradients does not include it")


class Unshuffle:
    """Space moved into channels, r x r pixels at a time."""

    def __init__(self, r: int) -> None:
        self.r = r

    def forward(self, h: Tensor) -> Tensor:
        return pixel_unshuffle(h, self.r)

    def backward(self, delta: Tensor, rows: slice, keep: bool) -> Tensor:
        return pixel_shuffle(delta, self.r)

    def weight_gradients(self, t: Tensor | None, slopes: SampleSlopes, found: list[Tensor]) -> Tensor | None:
        return None if t is None else pixel_unshuffle(t, self.r)


class Residual:
    """h + stages(h)."""

    def __init__(self, stages: list[Stage]) -> None:
        self.stages = stages

    def forward(self, h: Tensor) -> Tensor:
        out = h
        for stage in self.stages:
            out = stage.forward(out)
        return h + out

    def backward(self, delta: Tensor, rows: slice, keep: bool) -> Tensor:
        inner = delta
        for stage in reversed(self.stages):
            inner = stage.backward(inner, rows, keep)
        return delta + inner

    def weight_gradients(self, t: Tensor | None, slopes: SampleSlopes, found: list[Tensor]) -> Tensor | None:
        inner = t
        for stage in self.stages:
            inner = stage.weight_gradients(inner, slopes, found)
        return None if t is None or inner is None else t + inner


Make = Callable[[torch.dtype], Stage]


def makers(steps: tuple[Any, ...]) -> list[Make]:
    """A constructor for each step of a chain, which makes the step's stage of one batch in a given precision."""
    found: list[Make] = []
    for i, step in enumerate(steps):
        # The output of a layer is used nowhere else, so an activation may write over it.
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
        return lambda _: LeakyStage(slope, over)
    if isinstance(step, nn.Tanh):
        return lambda _: TanhStage()
    if is_layer(step):
        # Found once: these see every update, since optimisers write into the weights. No copy is made where the precision is theirs.
        weight, bias = step.weight.detach(), None if step.bias is None else step.bias.detach()
        return lambda dtype: WeightedStage(step, weight.to(dtype), None if bias is None else bias.to(dtype))
    raise TypeError(f"{type(step).__name__} cannot be a step of a chain")


# -- the layers' linear maps and their transposes -----------------------------------------------------------------------------------------


def flat(h: Tensor) -> Tensor:
    return h.permute(0, 2, 3, 1).flatten(1) if h.ndim == 4 else h.flatten(1)


def like(flat: Tensor, h: Tensor) -> Tensor:
    """Rows (N, H W C) in the shape of h: as maps (N, C, H, W) where h has maps."""
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
    if isinstance(layer, nn.Linear):
        return like(_times(delta, weight), h)
    below: Tensor = layer.back(delta, h)
    return below


def _times(delta: Tensor, weight: Tensor) -> Tensor:
    """delta @ weight. MKL takes nearly twice as long for 30 columns as for 32, so a narrow matrix gets columns of zeros first."""
    columns = weight.shape[1]
    missing = -columns % LANES
    if not missing or not LANES < columns < 8 * LANES:
        return delta @ weight
    return (delta @ pad(weight, (0, missing)))[:, :columns]


def _correlate(layer: Layer, weight: Tensor, h: Tensor, delta: Tensor) -> Tensor:
    if isinstance(layer, nn.Conv2d):
        return _transposed(layer, weight, h, delta, 1)
    if isinstance(layer, nn.Linear):
        h = flat(h)
        # Of the two orders, MKL is nearly twice as fast where the narrower side comes first.
        return delta.T @ h if delta.shape[1] <= h.shape[1] else (h.T @ delta).T.contiguous()
    gradient: Tensor = layer.correlate(h, delta)
    return gradient


def _bias(delta: Tensor, slope: Tensor) -> Tensor:
    """sum_n slope_n delta_n, over a map's places too."""
    each = delta.sum((2, 3), dtype=slope.dtype) if delta.ndim == 4 else delta.to(slope.dtype)
    return slope @ each
