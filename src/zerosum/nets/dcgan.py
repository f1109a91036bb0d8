"""DCGAN (Radford et al. 2015, arXiv 1511.06434, section 3), for any size from 8 pixels a side and 1 to 4 channels.

G projects z to the smallest map and climbs by 4 x 4 transposed convolutions of stride 2; D comes down by 4 x 4 convolutions of stride 2.
BatchNorm stands in every layer but G's output and D's input; G has ReLU and ends in tanh, D has LeakyReLU. Weights start as N(0, 0.02).
Without normalisation that start is far too small to pass a signal, so then variance is kept through each layer instead (He et al. 2015),
and G keeps a slope below zero too. `refine` adds 3 x 3 convolutions of stride 1 at each size below the image's, which the published nets
do not have. `elastic` gives some of z's numbers to a displacement of G's smallest map (nets/elastic.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu

from zerosum.errors import Refusal
from zerosum.nets.elastic import NUMBERS, WIDER, displaced
from zerosum.nets.init import Weighted, normal_, start
from zerosum.nets.resolutions import ladder

MOST_DOUBLINGS = 3  # 64, 128, 256, 512 channels in the published nets


def channels(width: int, rungs: int) -> list[int]:
    """Channels of the maps below the image, widest map first: width x 1, 2, 4, 8, 8, ..."""
    return [width * 2 ** min(i, MOST_DOUBLINGS) for i in range(rungs)]


def _start(layer: Weighted, norm: str, slope: float | None = None) -> None:
    start(layer, slope)
    if norm == "batch":
        normal_(layer.weight, 0.0, 0.02)


def _refined(width: int, norm: str, slope: float, times: int) -> list[nn.Conv2d]:
    """3 x 3 convolutions that keep a map's size and channels."""
    layers = [nn.Conv2d(width, width, 3, 1, 1, bias=norm == "none") for _ in range(times)]
    for layer in layers:
        _start(layer, norm, slope)
    return layers


def _norm(norm: str, width: int) -> nn.Module:
    if norm != "batch":
        return nn.Identity()
    layer = nn.BatchNorm2d(width)
    normal_(layer.weight, 1.0, 0.02)
    return layer


class Generator(nn.Module):
    """G: z (N, dim) -> images (N, C, H, W) in (-1, 1).

    elastic: the standard deviation of displacements, in pixels of the image, by z's last NUMBERS numbers; 0 for none. In evaluation mode it
    is WIDER times as much.
    """

    def __init__(
        self, shape: Sequence[int], dim: int, *, width: int, norm: str, slope: float, hidden: int, refine: int, elastic: float = 0.0
    ) -> None:
        super().__init__()
        if elastic and dim <= NUMBERS:
            raise Refusal(
                f"--net.elastic takes {NUMBERS} numbers of z, and --prior.dim {dim} leaves none: give a larger one, or --net.elastic 0."
            )
        self.moves = NUMBERS if elastic else 0
        self.slope = 0.0 if norm == "batch" else slope
        c, h, w = shape
        sizes = ladder(h, w)
        widths = channels(width, len(sizes) - 1)[::-1]
        self.base = (*sizes[-1], widths[0])
        # In cells of the smallest map, where strokes are moved before they are drawn.
        self.amount = elastic * sizes[-1][0] / h
        self.project = nn.Linear(dim - self.moves, prod(self.base), bias=norm == "none")
        _start(self.project, norm, self.slope)
        # In the place of D's hidden layer: one of G's own would be a narrow door, and cost recall (docs/presets.md).
        layers: list[nn.Module] = [*_refined(widths[0], norm, self.slope, 1 if hidden else 0)]
        self.climb = len(layers) + refine  # The first layer that leaves the smallest map.
        for i, (last, (bh, bw), (th, tw)) in enumerate(zip(widths, sizes[:0:-1], sizes[-2::-1], strict=True)):
            layers += _refined(last, norm, self.slope, refine)
            final = i == len(widths) - 1
            out = c if final else widths[i + 1]
            up = nn.ConvTranspose2d(last, out, 4, 2, 1, output_padding=(th - 2 * bh, tw - 2 * bw), bias=final or norm == "none")
            _start(up, norm, None if final else self.slope)
            layers.append(up)
        self.layers = nn.ModuleList(layers)
        # One stands before each layer: after what came from z, then after all layers but the last.
        self.norms = nn.ModuleList(_norm(norm, layer.in_channels) for layer in self.layers)  # type: ignore[arg-type]

    def forward(self, z: Tensor) -> Tensor:
        # Rows are read as H x W x C, which is how channels-last convolutions hold their maps: no copy.
        z, field = z.tensor_split([z.shape[1] - self.moves], 1)
        h = self.project(z).unflatten(1, self.base).permute(0, 3, 1, 2)
        for i, (norm, layer) in enumerate(zip(self.norms, self.layers, strict=True)):
            h = leaky_relu(norm(h), self.slope)
            if self.moves and i == self.climb:
                h = displaced(h, field, self.amount if self.training else WIDER * self.amount)
            h = layer(h)
        return torch.tanh(h)


class Discriminator(nn.Module):
    """D: images (N, C, H, W) -> logits (N,)."""

    def __init__(self, shape: Sequence[int], *, width: int, norm: str, slope: float, hidden: int, refine: int) -> None:
        super().__init__()
        c, h, w = shape
        sizes = ladder(h, w)
        widths = channels(width, len(sizes) - 1)
        self.slope = slope
        layers: list[nn.Conv2d] = []
        for last, out in zip([c, *widths], widths, strict=False):
            layers.append(nn.Conv2d(last, out, 4, 2, 1, bias=not layers or norm == "none"))
            _start(layers[-1], norm, slope)
            layers += _refined(out, norm, slope, refine)
        self.layers = nn.ModuleList(layers)
        self.norms = nn.ModuleList(_norm(norm, layer.out_channels) if i else nn.Identity() for i, layer in enumerate(layers))
        features = widths[-1] * prod(sizes[-1])
        self.leave = nn.Linear(features, hidden) if hidden else None
        if self.leave is not None:
            _start(self.leave, norm, slope)
        self.head = nn.Linear(hidden or features, 1)
        _start(self.head, norm)

    def forward(self, x: Tensor) -> Tensor:
        h = x.contiguous(memory_format=torch.channels_last)
        for layer, norm in zip(self.layers, self.norms, strict=True):
            h = leaky_relu(norm(layer(h)), self.slope)
        h = h.permute(0, 2, 3, 1).flatten(1)
        if self.leave is not None:
            h = leaky_relu(self.leave(h), self.slope)
        logits: Tensor = self.head(h)[:, 0]
        return logits

    def chain(self) -> tuple[nn.Module, ...] | None:
        """D's steps (engine/passes.py) where there are linear layers and leaky ReLUs and nothing else: without BatchNorm. Else None."""
        if any(isinstance(norm, nn.BatchNorm2d) for norm in self.norms):
            return None
        below = [*self.layers, *([] if self.leave is None else [self.leave])]
        return (*(step for layer in below for step in (layer, nn.LeakyReLU(self.slope))), self.head)


def generator(
    shape: Sequence[int], dim: int, *, width: int, norm: str, slope: float, hidden: int, refine: int, elastic: float = 0.0
) -> nn.Module:
    return Generator(shape, dim, width=width, norm=norm, slope=slope, hidden=hidden, refine=refine, elastic=elastic)


def discriminator(shape: Sequence[int], *, width: int, norm: str, slope: float, hidden: int, refine: int) -> nn.Module:
    return Discriminator(shape, width=width, norm=norm, slope=slope, hidden=hidden, refine=refine)
