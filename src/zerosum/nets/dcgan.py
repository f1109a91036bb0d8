"""DCGAN (Radford et al. 2015, arXiv 1511.06434, section 3), for any size from 8 pixels a side and 1 to 4 channels.

G projects z to the smallest map and doubles its size by 4 x 4 transposed convolutions of stride 2; D halves the size by 4 x 4 convolutions
of stride 2. BatchNorm follows every layer but G's output and D's input; G has ReLU and ends in tanh, D has LeakyReLU. Weights are drawn
from N(0, 0.02^2). Without normalisation such weights are far too small to pass a signal, so then each layer keeps the variance instead (He
et al. 2015), and G's ReLU is leaky too. `refine` adds 3 x 3 convolutions of stride 1 at each size below the image's, which the published
nets do not have. `elastic` uses some of z's numbers for a displacement of G's smallest map (nets/elastic.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu_

from zerosum.errors import Refusal
from zerosum.nets.conditioning import class_input, class_projection, input_size, projected, with_class
from zerosum.nets.elastic import NUMBERS, displaced
from zerosum.nets.init import WeightedLayer, initialise, normal_
from zerosum.nets.resolutions import resolutions

MOST_DOUBLINGS = 3  # 64, 128, 256, 512 channels in the published nets
STD = 0.02  # of the published nets' weights


def channels(width: int, maps: int) -> list[int]:
    """Channels of the maps below the image, the largest map first: width x 1, 2, 4, 8, 8, ..."""
    return [width * 2 ** min(i, MOST_DOUBLINGS) for i in range(maps)]


def _initialise(layer: WeightedLayer, norm: str, slope: float | None = None) -> None:
    initialise(layer, slope)
    if norm == "batch":
        normal_(layer.weight, 0.0, STD)


def _refined(width: int, norm: str, slope: float, times: int) -> list[nn.Conv2d]:
    """3 x 3 convolutions that keep a map's size and channels."""
    layers = [nn.Conv2d(width, width, 3, 1, 1, bias=norm == "none") for _ in range(times)]
    for layer in layers:
        _initialise(layer, norm, slope)
    return layers


def _norm(norm: str, width: int) -> nn.Module:
    if norm != "batch":
        return nn.Identity()
    layer = nn.BatchNorm2d(width)
    normal_(layer.weight, 1.0, STD)
    return layer


class Generator(nn.Module):
    """G: z (N, dim) -> images (N, C, H, W) in (-1, 1).

    elastic: the standard deviation of displacements, in pixels of the image, by z's last NUMBERS numbers; 0 for none. classes: of y
    (nets/conditioning.py); 0 for none.
    """

    def __init__(
        self,
        shape: Sequence[int],
        dim: int,
        *,
        width: int,
        norm: str,
        slope: float,
        hidden: int,
        refine: int,
        elastic: float = 0.0,
        classes: int = 0,
    ) -> None:
        super().__init__()
        if elastic and dim <= NUMBERS:
            raise Refusal(
                f"--net.elastic takes {NUMBERS} numbers of z, and --prior.dim {dim} leaves none: give a larger one, or --net.elastic 0."
            )
        self.displacement_numbers = NUMBERS if elastic else 0
        self.slope = 0.0 if norm == "batch" else slope
        c, h, w = shape
        sizes = resolutions(h, w)
        widths = channels(width, len(sizes) - 1)[::-1]
        self.base = (*sizes[-1], widths[0])
        # In cells of the smallest map, whose cells are displaced before strokes are drawn from them.
        self.amount = elastic * sizes[-1][0] / h
        dim -= self.displacement_numbers
        self.embedding = class_input(classes, dim)
        self.project = nn.Linear(input_size(dim, self.embedding), prod(self.base), bias=norm == "none")
        _initialise(self.project, norm, self.slope)
        # In place of D's hidden layer. A hidden layer in G too would be a bottleneck, and lower recall (docs/presets.md).
        layers: list[nn.Module] = [*_refined(widths[0], norm, self.slope, 1 if hidden else 0)]
        self.first_up = len(layers) + refine  # The index of the first layer that enlarges the map.
        for i, (last, (bh, bw), (th, tw)) in enumerate(zip(widths, sizes[:0:-1], sizes[-2::-1], strict=True)):
            layers += _refined(last, norm, self.slope, refine)
            final = i == len(widths) - 1
            out = c if final else widths[i + 1]
            up = nn.ConvTranspose2d(last, out, 4, 2, 1, output_padding=(th - 2 * bh, tw - 2 * bw), bias=final or norm == "none")
            _initialise(up, norm, None if final else self.slope)
            layers.append(up)
        self.layers = nn.ModuleList(layers)
        # One before each layer: after the projection of z, then after all layers but the last.
        self.norms = nn.ModuleList(_norm(norm, layer.in_channels) for layer in self.layers)  # type: ignore[arg-type]

    def forward(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        z, field = z.tensor_split([z.shape[1] - self.displacement_numbers], 1)
        # Rows are read as H x W x C, the memory layout of channels-last convolutions: no copy.
        h = self.project(with_class(z, y, self.embedding)).unflatten(1, self.base).permute(0, 3, 1, 2)
        for i, (norm, layer) in enumerate(zip(self.norms, self.layers, strict=True)):
            h = leaky_relu_(norm(h), self.slope)  # In place: neither a convolution nor BatchNorm needs its output again.
            if self.displacement_numbers and i == self.first_up:
                h = displaced(h, field, self.amount)
            h = layer(h)
        return torch.tanh(h)


class Discriminator(nn.Module):
    """D: images (N, C, H, W) -> logits (N,). classes: of y (nets/conditioning.py); 0 for none."""

    def __init__(self, shape: Sequence[int], *, width: int, norm: str, slope: float, hidden: int, refine: int, classes: int = 0) -> None:
        super().__init__()
        c, h, w = shape
        sizes = resolutions(h, w)
        widths = channels(width, len(sizes) - 1)
        self.slope = slope
        layers: list[nn.Conv2d] = []
        for last, out in zip([c, *widths], widths, strict=False):
            layers.append(nn.Conv2d(last, out, 4, 2, 1, bias=not layers or norm == "none"))
            _initialise(layers[-1], norm, slope)
            layers += _refined(out, norm, slope, refine)
        self.layers = nn.ModuleList(layers)
        self.norms = nn.ModuleList(_norm(norm, layer.out_channels) if i else nn.Identity() for i, layer in enumerate(layers))
        features = widths[-1] * prod(sizes[-1])
        self.leave = nn.Linear(features, hidden) if hidden else None
        if self.leave is not None:
            _initialise(self.leave, norm, slope)
        self.head = nn.Linear(hidden or features, 1)
        _initialise(self.head, norm)
        self.embedding = class_projection(classes, self.head, STD if norm == "batch" else None)

    def forward(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        h = x.contiguous(memory_format=torch.channels_last)
        for layer, norm in zip(self.layers, self.norms, strict=True):
            h = leaky_relu_(norm(layer(h)), self.slope)
        h = h.permute(0, 2, 3, 1).flatten(1)
        if self.leave is not None:
            h = leaky_relu_(self.leave(h), self.slope)
        return projected(self.head(h)[:, 0], h, y, self.embedding)

    def chain(self) -> tuple[nn.Module, ...] | None:
        """D's steps from x to the head's logit (engine/passes.py) where it has no BatchNorm; else None."""
        if any(isinstance(norm, nn.BatchNorm2d) for norm in self.norms):
            return None
        below = [*self.layers, *([] if self.leave is None else [self.leave])]
        return (*(step for layer in below for step in (layer, nn.LeakyReLU(self.slope))), self.head)
