"""The 4 x 4 convolutions of stride 2 that DCGAN climbs and descends by, each map by PyTorch's convolution or by another route.

With w (O, C, 4, 4), three maps are linear in each of their arguments, and the gradient of each is made of the other two:

    y  = down(x, w)     (N, C, H, W) -> (N, O, H/2, W/2)     convolution
    x' = up(y, w)       the transpose of down in x           transposed convolution
    w' = outer(x, y)    the transpose of down in w           patches of x against y

So backward, and the backward of backward that penalties need, close on these three, and each may be computed by any route: PyTorch's
convolution; one matrix product of all patches; or a 2 x 2 convolution of stride 1 on unshuffled maps, which have a pixel's 2 x 2
neighbours as channels. Where one side has a few channels (the image), PyTorch's transposed convolution leaves most of a vector register
empty, and the unshuffled map has four times as many. Which is fastest depends on the channels and on the machine (docs/speed.md); all are
the same sums in another order.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, conv_transpose2d, pad, pixel_shuffle, pixel_unshuffle
from torch.nn.grad import conv2d_weight

K, S, P = 4, 2, 1  # kernel, stride, padding


CONVOLUTION, PRODUCT, UNSHUFFLED = "", "product", "unshuffled"  # the routes of a map


class Routes(NamedTuple):
    """The route of each of the three maps."""

    down: str = CONVOLUTION
    up: str = CONVOLUTION
    outer: str = CONVOLUTION


def is_strided(layer: nn.Module) -> bool:
    """Whether a layer is one of these convolutions."""
    if not isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d)):
        return False
    shape = (layer.kernel_size, layer.stride, layer.padding, layer.dilation, layer.groups, layer.padding_mode)
    return shape == ((K, K), (S, S), (P, P), (1, 1), 1, "zeros")


def _patches(x: Tensor) -> Tensor:
    """What meets in each output: (N, C, H, W) -> (N H/2 W/2, 4 4 C), rows and columns in the order of channels-last maps and weights."""
    x = pad(x.permute(0, 2, 3, 1), (0, 0, P, P, P, P)).contiguous()
    n, h, w, c = x.shape
    a, b, d, e = x.stride()
    size = (n, (h - K) // S + 1, (w - K) // S + 1, K, K, c)
    return x.as_strided(size, (a, S * b, S * d, b, d, e)).reshape(-1, K * K * c)


def _rows(y: Tensor) -> Tensor:
    """Maps (N, O, h, w), or weights, as rows: (N h w, O)."""
    return y.permute(0, 2, 3, 1).reshape(-1, y.shape[1])


def _matrix(w: Tensor) -> Tensor:
    """Weights (O, C, 4, 4) as a matrix (O, 4 4 C)."""
    return w.permute(0, 2, 3, 1).reshape(w.shape[0], -1)


def _channels_last(h: Tensor) -> Tensor:
    return h.contiguous(memory_format=torch.channels_last)


def _unshuffled(x: Tensor) -> Tensor:
    """x (N, C, H, W) with its border, 2 x 2 pixels as channels: (N, 4 C, H/2 + 1, W/2 + 1). An odd last row or column needs no border."""
    return _channels_last(pixel_unshuffle(pad(x, (P, P - x.shape[3] % 2, P, P - x.shape[2] % 2)), 2))


def _unshuffled_weights(w: Tensor) -> Tensor:
    """Weights (O, C, 4, 4) of the same map on unshuffled ones, (O, 4 C, 2, 2): tap (2 a + s, 2 b + u) is tap (a, b) of pixel (s, u)."""
    o, c = w.shape[:2]
    return _channels_last(w.view(o, c, 2, 2, 2, 2).permute(0, 1, 3, 5, 2, 4).reshape(o, 4 * c, 2, 2))


def down(x: Tensor, w: Tensor, route: str) -> Tensor:
    """y of x (N, C, H, W) and w (O, C, 4, 4)."""
    if route == UNSHUFFLED:
        return conv2d(_unshuffled(x), _unshuffled_weights(w))
    if route == CONVOLUTION:
        return conv2d(x, w, None, S, P)
    h, v = (x.shape[2] + 2 * P - K) // S + 1, (x.shape[3] + 2 * P - K) // S + 1
    return (_patches(x) @ _matrix(w).t()).view(x.shape[0], h, v, w.shape[0]).permute(0, 3, 1, 2)


def up(y: Tensor, w: Tensor, odd: tuple[int, int], route: str) -> Tensor:
    """x of y (N, O, h, w) and w (O, C, 4, 4); odd: rows and columns beyond twice y's."""
    if route == CONVOLUTION:
        return conv_transpose2d(y, w, None, S, P, odd)
    n, _, h, v = y.shape
    c = w.shape[1]
    if route == UNSHUFFLED:
        whole = pixel_shuffle(conv_transpose2d(y, _unshuffled_weights(w)), 2)
        return _channels_last(whole[:, :, P : P + 2 * h + odd[0], P : P + 2 * v + odd[1]])
    taps = (_rows(y) @ _matrix(w)).view(n, h, v, 2, 2, 2, 2, c)
    # Each pixel of the padded map is reached by 2 x 2 outputs: tap (2p + s, 2q + t) of output (i, j) lands on (2(i + p) + s, 2(j + q) + t).
    x = y.new_zeros(n, h + 1, 2, v + 1, 2, c)
    for p in range(2):
        for q in range(2):
            x[:, p : p + h, :, q : q + v] += taps[:, :, :, p, :, q].permute(0, 1, 3, 2, 4, 5)
    padded = x.view(n, 2 * h + 2, 2 * v + 2, c)
    return padded[:, P : P + 2 * h + odd[0], P : P + 2 * v + odd[1]].permute(0, 3, 1, 2)


def outer(x: Tensor, y: Tensor, route: str) -> Tensor:
    """w of x (N, C, H, W) and y (N, O, H/2, W/2)."""
    o, c = y.shape[1], x.shape[1]
    if route == PRODUCT:
        return (_rows(y).t() @ _patches(x)).view(o, K, K, c).permute(0, 3, 1, 2)
    if route == UNSHUFFLED:
        small: Tensor = conv2d_weight(_unshuffled(x), [o, 4 * c, 2, 2], y)  # type: ignore[no-untyped-call]
        return small.view(o, c, 2, 2, 2, 2).permute(0, 1, 4, 2, 5, 3).reshape(o, c, K, K)
    w: Tensor = conv2d_weight(x, [o, c, K, K], y, S, P)  # type: ignore[no-untyped-call]
    return w


class Down(torch.autograd.Function):
    """apply(x, w, routes) -> y, differentiable as often as wanted; so are Up and Outer."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, w: Tensor, routes: Routes) -> Tensor:
        ctx.save_for_backward(x, w)
        ctx.routes = routes
        return down(x, w, routes.down)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        (y,), (x, w) = grads, ctx.saved_tensors
        odd = (x.shape[2] % 2, x.shape[3] % 2)
        return (
            Up.apply(y, w, odd, ctx.routes) if ctx.needs_input_grad[0] else None,  # type: ignore[no-untyped-call]
            Outer.apply(x, y, ctx.routes) if ctx.needs_input_grad[1] else None,  # type: ignore[no-untyped-call]
            None,
        )


class Up(torch.autograd.Function):
    """apply(y, w, odd, routes) -> x; odd: rows and columns beyond twice y's."""

    @staticmethod
    def forward(ctx: Any, y: Tensor, w: Tensor, odd: tuple[int, int], routes: Routes) -> Tensor:
        ctx.save_for_backward(y, w)
        ctx.routes = routes
        return up(y, w, odd, routes.up)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        (x,), (y, w) = grads, ctx.saved_tensors
        return (
            Down.apply(x, w, ctx.routes) if ctx.needs_input_grad[0] else None,  # type: ignore[no-untyped-call]
            Outer.apply(x, y, ctx.routes) if ctx.needs_input_grad[1] else None,  # type: ignore[no-untyped-call]
            None,
            None,
        )


class Outer(torch.autograd.Function):
    """apply(x, y, routes) -> w."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, y: Tensor, routes: Routes) -> Tensor:
        ctx.save_for_backward(x, y)
        ctx.routes = routes
        return outer(x, y, routes.outer)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        (w,), (x, y) = grads, ctx.saved_tensors
        odd = (x.shape[2] % 2, x.shape[3] % 2)
        return (
            Up.apply(y, w, odd, ctx.routes) if ctx.needs_input_grad[0] else None,  # type: ignore[no-untyped-call]
            Down.apply(x, w, ctx.routes) if ctx.needs_input_grad[1] else None,  # type: ignore[no-untyped-call]
            None,
        )


class Routed(nn.Module):
    """A strided convolution (`is_strided`) with the same weights, by other routes. Its weights' type is the type it computes in."""

    def __init__(self, layer: nn.Conv2d | nn.ConvTranspose2d, routes: Routes) -> None:
        super().__init__()
        self.weight, self.bias, self.routes = layer.weight, layer.bias, routes
        self.odd: tuple[int, ...] | None = layer.output_padding if isinstance(layer, nn.ConvTranspose2d) else None

    def forward(self, x: Tensor) -> Tensor:
        x = x.to(self.weight.dtype)
        if self.odd is None:
            out: Tensor = Down.apply(x, self.weight, self.routes)  # type: ignore[no-untyped-call]
        else:
            out = Up.apply(x, self.weight, self.odd, self.routes)  # type: ignore[no-untyped-call]
        return out if self.bias is None else out + self.bias[:, None, None]

    # A layer that comes down (of D), in the three maps that engine/passes.py asks for.

    def through(self, h: Tensor) -> Tensor:
        return down(h, self.weight, self.routes.down)

    def back(self, delta: Tensor, h: Tensor) -> Tensor:
        return up(delta, self.weight, (h.shape[2] % 2, h.shape[3] % 2), self.routes.up)

    def correlate(self, h: Tensor, delta: Tensor) -> Tensor:
        return outer(h, delta, self.routes.outer)
