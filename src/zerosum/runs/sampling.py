"""Samples of a generator. Sample i depends on the seed, on i and on its class, and on nothing else.

Noise is drawn, and G is run, in blocks of a fixed size. A sample's block is always whole, so one sample is bit-identical to its row in a
batch of a thousand. A run that was trained in bf16 is sampled in bf16 too, on a machine with a unit for it. Elsewhere it is sampled in
float32; the two differ by what bf16 rounds away, mostly less than a grey level.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from math import prod
from typing import Any

import torch
from torch import Tensor, nn

from zerosum.chance import uniform
from zerosum.data.space import Space
from zerosum.engine.bf16_copy import Bf16Copy, can_be_copied, routes_of, with_routes
from zerosum.game.prior import PRIORS
from zerosum.nets import displacement_numbers
from zerosum.nets.elastic import WIDEN, widened
from zerosum.play.config import PriorOptions
from zerosum.play.device import bf16_unit

BLOCK = 128
"""Samples whose noise is drawn together, and the most that go through G together."""
FEWEST, PIXELS = 8, 128 * 64 * 64
"""The fewest samples that go through G together, and the pixels for which there are no more: a block of 256 x 256 has 8 images."""


def sampling_module(G: nn.Module, engine: Mapping[str, Any]) -> nn.Module:
    """The module to sample with: a copy of G in bf16 where that is faster and its run was trained so; else G's own weights.

    engine: as in the run's record. G must not change while the copy is in use.
    """
    routes = routes_of(str(engine.get("routes", "")), "g")
    if engine.get("engine") != "bf16_copy" or not bf16_unit() or not can_be_copied(G):
        return with_routes(G, routes) if next(G.parameters()).device.type == "cpu" else G
    return Bf16Copy(G, routes).module


def default_widening(G: nn.Module) -> float:
    """How many times as widely as in training samples of G are displaced, unless another number is given; 1 where G displaces nothing."""
    return WIDEN if displacement_numbers(G) else 1.0


def noise(prior: PriorOptions, n: int, seed: int) -> Tensor:
    """z (n, dim): row i depends on (seed, i) alone."""
    blocks = [PRIORS[prior.kind]((BLOCK, prior.dim), seed, "sample", i) for i in range(-(-n // BLOCK))]
    return torch.cat(blocks)[:n] if blocks else torch.empty(0, prior.dim)


def drawn_classes(shares: Sequence[float], n: int, seed: int) -> Tensor:
    """Class numbers (n,) drawn with probabilities proportional to `shares`: number i depends on (seed, i) alone."""
    below = torch.tensor(shares, dtype=torch.float64).cumsum(0)
    blocks = [uniform((BLOCK,), seed, "class of sample", i) for i in range(-(-n // BLOCK))]
    u = torch.cat([torch.empty(0), *blocks])[:n].double()
    # right: a class of share 0 is never drawn, not even for u = 0.
    return torch.searchsorted(below / below[-1], u, right=True)


@torch.inference_mode()
def through(G: nn.Module, z: Tensor, space: Space, y: Tensor | None = None, widen: float = 1.0) -> Tensor:
    """Raw samples (N, *shape) of G at the rows of z, run in whole blocks whatever N is. G must be in evaluation mode.

    y: class numbers (N,), or weights of the classes (N, classes), for a G that takes them. widen: how many times as widely as in training G
    displaces (nets/elastic.py).
    """
    device = next(G.parameters()).device
    low = any(p.dtype == torch.bfloat16 for p in G.parameters())
    z = widened(z, displacement_numbers(G), widen)
    given = [z] if y is None else [z, y]
    out, size = [], together(space)
    for first in range(0, len(z), size):
        block = [rows[first : first + size] for rows in given]
        with torch.autocast(device.type, torch.bfloat16) if low else nullcontext():
            made = G(*(_padded(rows, size).to(device) for rows in block))
        out.append(space.decode(made.float()[: len(block[0])].cpu()))
    return torch.cat(out) if out else space.decode(torch.empty(0, *space.shape))


def together(space: Space) -> int:
    """How many samples go through G together. A function of their size alone: a sample is then the same bits on any machine's memory."""
    pixels = prod(space.shape[1:]) if len(space.shape) == 3 else 1
    size = BLOCK
    while size > FEWEST and size * pixels > PIXELS:
        size //= 2
    return size


def _padded(rows: Tensor, size: int) -> Tensor:
    """rows (N, ...) with zeros appended up to a whole block."""
    return torch.cat((rows, rows.new_zeros(size - len(rows), *rows.shape[1:])))


def draw_samples(
    G: nn.Module, prior: PriorOptions, space: Space, n: int, seed: int, y: Tensor | None = None, widen: float = 1.0, truncation: float = 1.0
) -> Tensor:
    """n raw samples: uint8 (n, C, H, W) or float32 (n, d). y, widen: as for `through`. truncation: see `truncated`."""
    return through(G, truncated(noise(prior, n, seed), truncation, displacement_numbers(G)), space, y, widen)


def truncated(z: Tensor, truncation: float, numbers: int = 0) -> Tensor:
    """z (N, dim) times `truncation`: nearer to the prior's mean 0, at which a conditional G draws the mean of a class. 1: as drawn.

    numbers: z's last ones, which displace an image; they stay. Karras et al. 2019 (arXiv 1812.04948), appendix B, in z.
    """
    rest, field = z.tensor_split([z.shape[1] - numbers], 1)
    return z if truncation == 1 else torch.cat((rest * truncation, field), 1)


def between(start: Tensor, end: Tensor, u: Tensor, normal: bool) -> Tensor:
    """The points at u in [0, 1] of the paths from start to end, (..., dim); u: (..., 1).

    normal: a great circle, because normal noise lies near a sphere; else a line.
    """
    if not normal or start.shape[-1] == 1:
        return (1 - u) * start + u * end
    angle = torch.arccos((torch.nn.functional.cosine_similarity(start, end, dim=-1)).clamp(-1 + 1e-6, 1 - 1e-6))[..., None]
    return (torch.sin((1 - u) * angle) * start + torch.sin(u * angle) * end) / torch.sin(angle)


def interpolate(
    G: nn.Module, prior: PriorOptions, space: Space, rows: int, steps: int, seed: int, y: Tensor | None = None, widen: float = 1.0
) -> Tensor:
    """rows x steps raw samples, each row on a path between two draws of z. y: class numbers (rows,), or weights of the classes for each of
    the samples (rows x steps, classes)."""
    z = noise(prior, 2 * rows, seed)
    path = between(z[:rows, None], z[rows:, None], torch.linspace(0, 1, steps)[None, :, None], prior.kind == "normal")
    given = y if y is None or y.is_floating_point() else y.repeat_interleave(steps)
    return through(G, path.flatten(0, 1), space, given, widen)
