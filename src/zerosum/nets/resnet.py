"""Residual networks without normalisation, after R3GAN (Huang et al. 2024, arXiv 2501.05441, section 3).

There is no normalisation, so that each sample has a gradient of its own. Initialisation keeps the variance instead (fix-up, Zhang et al.
2019, arXiv 1901.09321): a residual branch begins at zero, and its other layers are scaled by the number of blocks. Maps have sizes from
half the image's down to the smallest of `resolutions`. The first layer of D and the last of G are 4 x 4 convolutions of stride 2. Between
two maps pixels are moved from space to channels or back (Shi et al. 2016, arXiv 1609.05158), which needs no weights and loses nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import prod

import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu, leaky_relu_, pad, pixel_shuffle, pixel_unshuffle

from zerosum.nets.conditioning import class_input, class_projection, input_size, projected, with_class
from zerosum.nets.init import initialise
from zerosum.nets.resolutions import resolutions

MOST_DOUBLINGS = 3


class Block(nn.Module):
    """x + W2 f(W1 f(x)) with f = LeakyReLU and 3 x 3 convolutions; W2 starts at zero, W1 with variance 2 / (fan-in x blocks)."""

    def __init__(self, channels: int, blocks: int, slope: float) -> None:
        super().__init__()
        self.slope = slope
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        initialise(self.first, slope, blocks**-0.5)
        initialise(self.second, scale=0.0)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = x + self.second(leaky_relu_(self.first(leaky_relu(x, self.slope)), self.slope))
        return out

    def branch(self) -> tuple[nn.Module, ...]:
        """The steps whose result is added to x."""
        return nn.LeakyReLU(self.slope), self.first, nn.LeakyReLU(self.slope), self.second


def _widths(width: int, maps: int) -> list[int]:
    return [width * 2 ** min(i, MOST_DOUBLINGS) for i in range(maps)]


def _mix(last: int, out: int) -> nn.Conv2d:
    """A 1 x 1 convolution that keeps the variance."""
    layer = nn.Conv2d(last, out, 1)
    initialise(layer)
    return layer


def _blocks(width: int, depth: int, total: int, slope: float) -> nn.Sequential:
    return nn.Sequential(*(Block(width, total, slope) for _ in range(depth)))


class Generator(nn.Module):
    """G: z (N, dim) -> images (N, C, H, W), unbounded: they are clamped to [-1, 1] when they become pixels.

    classes: of y (nets/conditioning.py); 0 for none.
    """

    def __init__(self, shape: Sequence[int], dim: int, *, width: int, depth: int, slope: float, classes: int = 0) -> None:
        super().__init__()
        c, h, w = shape
        sizes = resolutions(h, w)[1:]
        widths = _widths(width, len(sizes))
        total = depth * len(sizes)
        self.slope, self.sizes = slope, sizes[::-1]
        self.base = (*sizes[-1], widths[-1])
        self.embedding = class_input(classes, dim)
        self.project = nn.Linear(input_size(dim, self.embedding), prod(self.base))
        initialise(self.project)
        self.blocks = nn.ModuleList(_blocks(n, depth, total, slope) for n in reversed(widths))
        self.up = nn.ModuleList(_mix(big, 4 * small) for small, big in zip(widths[-2::-1], widths[:0:-1], strict=True))
        self.out = nn.ConvTranspose2d(width, c, 4, 2, 1, output_padding=(h - 2 * sizes[0][0], w - 2 * sizes[0][1]))
        initialise(self.out)

    def forward(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        h = self.project(with_class(z, y, self.embedding)).unflatten(1, self.base).permute(0, 3, 1, 2)
        h = self.blocks[0](h)
        for up, blocks, size in zip(self.up, self.blocks[1:], self.sizes[1:], strict=True):
            h = blocks(_fit(pixel_shuffle(up(h), 2), size))
        out: Tensor = self.out(leaky_relu(h, self.slope))
        return out


class Discriminator(nn.Module):
    """D: images (N, C, H, W) -> logits (N,). classes: of y (nets/conditioning.py); 0 for none."""

    def __init__(self, shape: Sequence[int], *, width: int, depth: int, slope: float, classes: int = 0) -> None:
        super().__init__()
        c, h, w = shape
        sizes = resolutions(h, w)[1:]
        widths = _widths(width, len(sizes))
        total = depth * len(sizes)
        self.slope, self.sizes = slope, sizes
        self.enter = nn.Conv2d(c, width, 4, 2, 1)
        initialise(self.enter)
        self.blocks = nn.ModuleList(_blocks(n, depth, total, slope) for n in widths)
        self.down = nn.ModuleList(_mix(4 * small, big) for small, big in pairwise(widths))
        self.head = nn.Linear(widths[-1] * prod(sizes[-1]), 1)
        initialise(self.head)
        self.embedding = class_projection(classes, self.head)

    def forward(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        h = self.blocks[0](self.enter(x.contiguous(memory_format=torch.channels_last)))
        for down, blocks in zip(self.down, self.blocks[1:], strict=True):
            h = blocks(down(pixel_unshuffle(_fit(h, (h.shape[2] // 2 * 2, h.shape[3] // 2 * 2)), 2)))
        h = leaky_relu(h, self.slope).permute(0, 2, 3, 1).flatten(1)
        return projected(self.head(h)[:, 0], h, y, self.embedding)

    def chain(self) -> tuple[nn.Module | tuple[nn.Module, ...], ...] | None:
        """D's steps from x to the head's logit (engine/passes.py), a tuple for the steps of a block's branch.

        None where an odd size loses a row or a column on the way down.
        """
        if any(h % 2 or w % 2 for h, w in self.sizes[:-1]):
            return None
        steps: list[nn.Module | tuple[nn.Module, ...]] = [self.enter]
        for i, blocks in enumerate(self.blocks):
            steps += [nn.PixelUnshuffle(2), self.down[i - 1]] if i else []
            steps += [block.branch() for block in blocks.modules() if isinstance(block, Block)]
        return (*steps, nn.LeakyReLU(self.slope), self.head)


def _fit(h: Tensor, size: tuple[int, int]) -> Tensor:
    """h with its last row and column repeated or dropped, where a size is odd."""
    down, right = size[0] - h.shape[2], size[1] - h.shape[3]
    if down > 0 or right > 0:
        return pad(h, (0, right, 0, down), mode="replicate")
    return h[:, :, : size[0], : size[1]] if down or right else h
