"""How much memory a training step needs, computed before anything is allocated.

Linux grants more memory than a machine has, and kills the process that uses it. A batch that cannot fit is therefore refused beforehand.
"""

from __future__ import annotations

from math import prod

import torch
from torch import Tensor, nn

from zerosum.data.space import Space
from zerosum.errors import Refusal
from zerosum.play import oom
from zerosum.play.config import Config
from zerosum.play.players import skeleton

WHOLE_STEP = 2.5
"""The peak of a whole step over what D's layers keep. Measured: 2.7 to 4.3 for the presets digits, dcgan and points, with and without a
penalty. Below all of these, so that a batch that fits is not refused."""

MOST, A_WEIGHT, START = 3.0, 40.0, 1e8
"""Of an upper estimate: times what D's layers keep, bytes a weight of either net, and bytes. Measured peaks are .15 to 1.03 of it
(docs/presets.md#memory)."""

PLENTY = 64
"""Numbers for each pixel, unit of width and unit of depth that no step of the built-in nets needs as many of."""


def least_bytes_per_sample(config: Config, space: Space, value_bytes: int = 4) -> int:
    """Bytes that a discriminator update keeps for each sample of a batch, at least: outputs of D's layers, for a real and a generated one.

    value_bytes: of one number. G, the copies that an optimiser makes, and what lies between the layers come on top.
    """
    players = skeleton(config, space)
    numbers = 0

    def count(layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        nonlocal numbers
        numbers += output[0].numel()

    for layer in players.D.modules():
        if isinstance(layer, (nn.Linear, nn.Conv2d)):
            layer.register_forward_hook(count)
    two = torch.empty((2, *space.shape), device="meta")
    labels = (torch.zeros(2, dtype=torch.int64, device="meta"),) if "d" in players.labelled else ()
    with torch.no_grad():
        players.D(two, *labels)
    return 2 * numbers * value_bytes


def about_most_bytes(config: Config, space: Space, weights: int, value_bytes: int = 4) -> float:
    """Bytes that a training step needs at most, besides the process and its data: an estimate.

    weights: of G and D together. value_bytes: of one number between the layers.
    """
    kept = config.batch // config.accumulate * least_bytes_per_sample(config, space, value_bytes)
    return MOST * kept + A_WEIGHT * weights + START


def parts_of(batch: int, fits: int = 0) -> str:
    """The option that computes a batch in parts of `fits` samples, or of less than now."""
    return f"--accumulate {batch // fits}" if fits and batch % fits == 0 else "--accumulate (the same training in less memory)"


def require_memory(config: Config, space: Space, batch: int, value_bytes: int = 4) -> None:
    """Raises Refusal where this machine has less free memory than a step needs. batch: samples in this process."""
    free = 1024 * oom.available()
    # What most runs need is far below what is free. Counting exactly calls the nets on the meta device, where PyTorch loads its compiler.
    if batch * value_bytes * PLENTY * prod(space.shape[-2:]) * config.net.width * config.net.depth < free:
        return
    need = batch * least_bytes_per_sample(config, space, value_bytes) * WHOLE_STEP
    if need > free:
        stated = f"A training step at --batch {config.batch} needs more than {need / 1e9:,.1f} GB of memory"
        what = f"{stated}, and this machine has {free / 1e9:,.1f} GB free"
        raise Refusal(f"{what}: give {parts_of(config.batch)}, or a smaller --batch, --net.width or --data.size.")
