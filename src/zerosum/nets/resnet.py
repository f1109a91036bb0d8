"""Residual networks without normalisation, after R3GAN (Huang et al. 2024, arXiv 2501.05441, section 3).

No normalisation, so that each sample has a gradient of its own and the variance is held by the start instead (fix-up, Zhang et al. 2019,
arXiv 1901.09321): a residual branch begins at zero, and its other layers are scaled by the number of blocks. Maps run from half the
image's size to the base of the ladder; the ends are learned 4 x 4 convolutions of stride 2, and a rung is climbed by moving pixels
between space and channels (Shi et al. 2016, arXiv 1609.05158), which costs nothing and loses nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import prod

import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu, pad, pixel_shuffle, pixel_unshuffle

from zerosum.nets.init import start
from zerosum.nets.resolutions import ladder

MOST_DOUBLINGS = 3


class Block(nn.Module):
    """x + W2 f(W1 f(x)) with f = LeakyReLU and 3 x 3 convolutions; W2 starts at zero, W1 at variance 2 / (fan-in x blocks)."""

    def __init__(self, channels: int, blocks: int, slope: float) -> None:
        super().__init__()
        self.slope = slope
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        start(self.first, slope, blocks**-0.5)
        start(self.second, scale=0.0)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = x + self.second(leaky_relu(self.first(leaky_relu(x, self.slope)), self.slope))
        return out

    def branch(self) -> tuple[nn.Module, ...]:
        """The steps of what is added to x."""
        return nn.LeakyReLU(self.slope), self.first, nn.LeakyReLU(self.slope), self.second


def _widths(width: int, rungs: int) -> list[int]:
    return [width * 2 ** min(i, MOST_DOUBLINGS) for i in range(rungs)]


def _mix(last: int, out: int) -> nn.Conv2d:
    """A 1 x 1 convolution that keeps the variance."""
    layer = nn.Conv2d(last, out, 1)
    start(layer)
    return layer


def _blocks(width: int, depth: int, total: int, slope: float) -> nn.Sequential:
    return nn.Sequential(*(Block(width, total, slope) for _ in range(depth)))


class Generator(nn.Module):
    """G: z (N, dim) -> images (N, C, H, W), unbounded: they are clamped to [-1, 1] when they become pixels."""

    def __init__(self, shape: Sequence[int], dim: int, *, width: int, depth: int, slope: float) -> None:
        super().__init__()
        c, h, w = shape
        rungs = ladder(h, w)[1:]
        widths = _widths(width, len(rungs))
        total = depth * len(rungs)
        self.slope, self.size, self.rungs = slope, (h, w), rungs[::-1]
        self.base = (*rungs[-1], widths[-1])
        self.project = nn.Linear(dim, prod(self.base))
        start(self.project)
        self.blocks = nn.ModuleList(_blocks(n, depth, total, slope) for n in reversed(widths))
        self.up = nn.ModuleList(_mix(big, 4 * small) for small, big in zip(widths[-2::-1], widths[:0:-1], strict=True))
        self.out = nn.ConvTranspose2d(width, c, 4, 2, 1, output_padding=(h - 2 * rungs[0][0], w - 2 * rungs[0][1]))
        start(self.out)

    def forward(self, z: Tensor) -> Tensor:
        h = self.project(z).unflatten(1, self.base).permute(0, 3, 1, 2)
        h = self.blocks[0](h)
        for up, blocks, size in zip(self.up, self.blocks[1:], self.rungs[1:], strict=True):
            h = blocks(_fit(pixel_shuffle(up(h), 2), size))
        out: Tensor = self.out(leaky_relu(h, self.slope))
        return out


class Discriminator(nn.Module):
    """D: images (N, C, H, W) -> logits (N,)."""

    def __init__(self, shape: Sequence[int], *, width: int, depth: int, slope: float) -> None:
        super().__init__()
        c, h, w = shape
        rungs = ladder(h, w)[1:]
        widths = _widths(width, len(rungs))
        total = depth * len(rungs)
        self.slope, self.rungs = slope, rungs
        self.enter = nn.Conv2d(c, width, 4, 2, 1)
        start(self.enter)
        self.blocks = nn.ModuleList(_blocks(n, depth, total, slope) for n in widths)
        self.down = nn.ModuleList(_mix(4 * small, big) for small, big in pairwise(widths))
        self.head = nn.Linear(widths[-1] * prod(rungs[-1]), 1)
        start(self.head)

    def forward(self, x: Tensor) -> Tensor:
        h = self.blocks[0](self.enter(x.contiguous(memory_format=torch.channels_last)))
        for down, blocks in zip(self.down, self.blocks[1:], strict=True):
            h = blocks(down(pixel_unshuffle(_fit(h, (h.shape[2] // 2 * 2, h.shape[3] // 2 * 2)), 2)))
        logits: Tensor = self.head(leaky_relu(h, self.slope).permute(0, 2, 3, 1).flatten(1))[:, 0]
        return logits

    def chain(self) -> tuple[nn.Module | tuple[nn.Module, ...], ...] | None:
        """D's steps (engine/passes.py), a tuple for what a block adds; None where an odd rung loses a row or a column on the way down."""
        if any(h % 2 or w % 2 for h, w in self.rungs[:-1]):
            return None
        steps: list[nn.Module | tuple[nn.Module, ...]] = [self.enter]
        for i, blocks in enumerate(self.blocks):
            steps += [nn.PixelUnshuffle(2), self.down[i - 1]] if i else []
            steps += [block.branch() for block in blocks.modules() if isinstance(block, Block)]
        return (*steps, nn.LeakyReLU(self.slope), self.head)


def _fit(h: Tensor, size: tuple[int, int]) -> Tensor:
    """h with its last row and column repeated or dropped, where a rung is odd."""
    down, right = size[0] - h.shape[2], size[1] - h.shape[3]
    if down > 0 or right > 0:
        return pad(h, (0, right, 0, down), mode="replicate")
    return h[:, :, : size[0], : size[1]] if down or right else h


def generator(shape: Sequence[int], dim: int, *, width: int, depth: int, slope: float) -> nn.Module:
    return Generator(shape, dim, width=width, depth=depth, slope=slope)


def discriminator(shape: Sequence[int], *, width: int, depth: int, slope: float) -> nn.Module:
    return Discriminator(shape, width=width, depth=depth, slope=slope)
