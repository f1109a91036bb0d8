"""Inception v3 as in the graph of 2015-12-05, with which Frechet distances are published: images (N, 3, 299, 299) -> 2,048 features.

Szegedy et al. 2015, arXiv 1512.00567: Table 1 is the order of blocks, Figures 5 to 7 their branches, Figure 10 where a grid is halved.
Where paper and graph differ the graph is followed: a branch of 5 x 5 windows stays at 35 x 35; there are 1,008 classes; an average over a
window leaves the padding out of the count; and the last block takes a maximum where the others average.

The names of blocks and branches are those of the published weights' keys: `Mixed_5b.branch3x3dbl_2.bn.running_var`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, max_pool2d, relu

from zerosum.errors import Refusal
from zerosum.measure.digits import fold

INPUT_SIDE = 299
INCEPTION_FEATURES = 2_048
INCEPTION_CLASSES = 1_008
BATCH_NORM_EPS = 1e-3
"""BatchNorm's, added to the variance."""


class ConvSpec(NamedTuple):
    """One convolution: its name in its block, the channels that it gives, its window, its stride, whether the borders are padded."""

    name: str
    channels: int
    window: tuple[int, int] = (1, 1)
    stride: int = 1
    padded: bool = True


Fork = tuple[ConvSpec, ConvSpec]
"""Two convolutions of the same maps, their channels side by side (Figure 7)."""

Branch = tuple[ConvSpec | Fork, ...]


class InceptionBlock(NamedTuple):
    """Branches over the same maps, their channels side by side, and one last that begins with pooling; `pooled` is what follows it."""

    branches: tuple[Branch, ...]
    pool: Callable[[Tensor], Tensor]
    pooled: Branch


def average(x: Tensor) -> Tensor:
    """Mean over windows of 3 x 3, of those pixels that exist."""
    return avg_pool2d(x, 3, 1, 1, count_include_pad=False)


def maximum(x: Tensor) -> Tensor:
    return max_pool2d(x, 3, 1, 1)


def halved(x: Tensor) -> Tensor:
    return max_pool2d(x, 3, 2)


def figure_5(pooled: int) -> InceptionBlock:
    """35 x 35: the 5 x 5 window, and beside it two of 3 x 3 in place of one."""
    return InceptionBlock(
        (
            (ConvSpec("branch1x1", 64),),
            (ConvSpec("branch5x5_1", 48), ConvSpec("branch5x5_2", 64, (5, 5))),
            (ConvSpec("branch3x3dbl_1", 64), ConvSpec("branch3x3dbl_2", 96, (3, 3)), ConvSpec("branch3x3dbl_3", 96, (3, 3))),
        ),
        average,
        (ConvSpec("branch_pool", pooled),),
    )


def figure_6(c: int) -> InceptionBlock:
    """17 x 17: windows of 7 x 7 as 1 x 7 and 7 x 1, through c channels."""
    return InceptionBlock(
        (
            (ConvSpec("branch1x1", 192),),
            (ConvSpec("branch7x7_1", c), ConvSpec("branch7x7_2", c, (1, 7)), ConvSpec("branch7x7_3", 192, (7, 1))),
            (
                ConvSpec("branch7x7dbl_1", c),
                ConvSpec("branch7x7dbl_2", c, (7, 1)),
                ConvSpec("branch7x7dbl_3", c, (1, 7)),
                ConvSpec("branch7x7dbl_4", c, (7, 1)),
                ConvSpec("branch7x7dbl_5", 192, (1, 7)),
            ),
        ),
        average,
        (ConvSpec("branch_pool", 192),),
    )


def figure_7(pool: Callable[[Tensor], Tensor]) -> InceptionBlock:
    """8 x 8: windows of 1 x 3 and 3 x 1 side by side."""
    return InceptionBlock(
        (
            (ConvSpec("branch1x1", 320),),
            (ConvSpec("branch3x3_1", 384), (ConvSpec("branch3x3_2a", 384, (1, 3)), ConvSpec("branch3x3_2b", 384, (3, 1)))),
            (
                ConvSpec("branch3x3dbl_1", 448),
                ConvSpec("branch3x3dbl_2", 384, (3, 3)),
                (ConvSpec("branch3x3dbl_3a", 384, (1, 3)), ConvSpec("branch3x3dbl_3b", 384, (3, 1))),
            ),
        ),
        pool,
        (ConvSpec("branch_pool", 192),),
    )


STEM: tuple[ConvSpec | Callable[[Tensor], Tensor], ...] = (
    ConvSpec("Conv2d_1a_3x3", 32, (3, 3), 2, False),
    ConvSpec("Conv2d_2a_3x3", 32, (3, 3), 1, False),
    ConvSpec("Conv2d_2b_3x3", 64, (3, 3)),
    halved,
    ConvSpec("Conv2d_3b_1x1", 80),
    ConvSpec("Conv2d_4a_3x3", 192, (3, 3), 1, False),
    halved,
)

INCEPTION_BLOCKS: dict[str, InceptionBlock] = {
    "Mixed_5b": figure_5(32),
    "Mixed_5c": figure_5(64),
    "Mixed_5d": figure_5(64),
    # Figure 10: from 35 x 35 to 17 x 17.
    "Mixed_6a": InceptionBlock(
        (
            (ConvSpec("branch3x3", 384, (3, 3), 2, False),),
            (ConvSpec("branch3x3dbl_1", 64), ConvSpec("branch3x3dbl_2", 96, (3, 3)), ConvSpec("branch3x3dbl_3", 96, (3, 3), 2, False)),
        ),
        halved,
        (),
    ),
    "Mixed_6b": figure_6(128),
    "Mixed_6c": figure_6(160),
    "Mixed_6d": figure_6(160),
    "Mixed_6e": figure_6(192),
    # Figure 10 again: from 17 x 17 to 8 x 8.
    "Mixed_7a": InceptionBlock(
        (
            (ConvSpec("branch3x3_1", 192), ConvSpec("branch3x3_2", 320, (3, 3), 2, False)),
            (
                ConvSpec("branch7x7x3_1", 192),
                ConvSpec("branch7x7x3_2", 192, (1, 7)),
                ConvSpec("branch7x7x3_3", 192, (7, 1)),
                ConvSpec("branch7x7x3_4", 192, (3, 3), 2, False),
            ),
        ),
        halved,
        (),
    ),
    "Mixed_7b": figure_7(average),
    "Mixed_7c": figure_7(maximum),
}


class Convolution(nn.Module):
    """relu(BatchNorm(convolution)), from c_in channels to step.channels."""

    def __init__(self, c_in: int, step: ConvSpec) -> None:
        super().__init__()
        padding = (step.window[0] // 2, step.window[1] // 2) if step.padded else (0, 0)
        self.conv = nn.Conv2d(c_in, step.channels, step.window, step.stride, padding, bias=False)
        self.bn: nn.Module = nn.BatchNorm2d(step.channels, eps=BATCH_NORM_EPS)

    def forward(self, x: Tensor) -> Tensor:
        return relu(self.bn(self.conv(x)))

    def fold(self) -> None:
        """Takes BatchNorm, as it is in eval mode, into the convolution: the same function, a sixth less time on a CPU."""
        assert isinstance(self.bn, nn.BatchNorm2d)
        weight, bias = fold(self.conv, self.bn)
        self.conv.weight, self.conv.bias = nn.Parameter(weight), nn.Parameter(bias)
        self.bn = nn.Identity()


class Mixed(nn.Module):
    """One block: (N, c_in, H, W) -> (N, self.channels, H', W')."""

    def __init__(self, c_in: int, block: InceptionBlock) -> None:
        super().__init__()
        self.block = block
        widths = [self._add(c_in, branch) for branch in (*block.branches, block.pooled)]
        self.channels = sum(widths)

    def _add(self, channels: int, branch: Branch) -> int:
        """Makes a branch's convolutions; how many channels it gives."""
        for part in branch:
            steps = (part,) if isinstance(part, ConvSpec) else part
            for step in steps:
                self.add_module(step.name, Convolution(channels, step))
            channels = sum(step.channels for step in steps)
        return channels

    def _through(self, x: Tensor, branch: Branch) -> Tensor:
        for part in branch:
            steps = (part,) if isinstance(part, ConvSpec) else part
            x = torch.cat([self.get_submodule(step.name)(x) for step in steps], 1)
        return x

    def forward(self, x: Tensor) -> Tensor:
        pooled = self._through(self.block.pool(x), self.block.pooled)
        return torch.cat([*(self._through(x, branch) for branch in self.block.branches), pooled], 1)


class InceptionNet(nn.Module):
    """x (N, 3, 299, 299), (v - 128) / 128 of pixels v in 0..255 -> features (N, 2048), non-negative, and logits (N, 1008)."""

    def __init__(self) -> None:
        super().__init__()
        channels = 3
        for part in STEM:
            if isinstance(part, ConvSpec):
                self.add_module(part.name, Convolution(channels, part))
                channels = part.channels
        for name, block in INCEPTION_BLOCKS.items():
            mixed = Mixed(channels, block)
            self.add_module(name, mixed)
            channels = mixed.channels
        self.fc = nn.Linear(channels, INCEPTION_CLASSES)

    def features(self, x: Tensor) -> Tensor:
        for part in STEM:
            x = self.get_submodule(part.name)(x) if isinstance(part, ConvSpec) else part(x)
        for name in INCEPTION_BLOCKS:
            x = self.get_submodule(name)(x)
        return x.mean((2, 3))

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.fc(self.features(x))
        return logits


def fitted(state: Mapping[str, Tensor]) -> InceptionNet:
    """The network with these weights, in float32, for use alone. Raises Refusal where they are those of another network.

    `num_batches_tracked`, which later PyTorch adds and nothing here reads, may be among them or not.
    """
    # Without storage of its own the network spends no global draw on first weights.
    with torch.device("meta"):
        net = InceptionNet()
    uncounted = {key: value.float() for key, value in state.items() if not key.endswith("num_batches_tracked")}
    wanted = {key for key in net.state_dict() if not key.endswith("num_batches_tracked")}
    if odd := sorted(wanted ^ uncounted.keys()):
        raise Refusal(f"The inception weights have {len(odd)} keys too many or too few, such as {odd[0]}: give the published file.")
    try:
        net.load_state_dict(uncounted, strict=False, assign=True)
    except RuntimeError as error:
        raise Refusal("The inception weights have other shapes than the network of 2015-12-05: give the published file.") from error
    net.eval().requires_grad_(False)
    for part in net.modules():
        if isinstance(part, Convolution):
            part.fold()
    return net.requires_grad_(False)


def encode(v: Tensor) -> Tensor:
    """Pixels 0..255, floating -> the network's x."""
    return (v - 128) / 128
