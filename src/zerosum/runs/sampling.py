"""Samples of a generator, such that sample i of a seed depends on nothing else.

Noise is drawn, and G is run, in blocks of a fixed size: a sample's block is always whole, so one sample equals its row in a batch of a
thousand, to the bit. A run that was played in bf16 is sampled in bf16 too, where this machine has a unit for it; elsewhere in float32, and
the two differ by what bf16 rounds away, mostly less than a grey level.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from typing import Any

import torch
from torch import Tensor, nn

from zerosum.data.space import Space
from zerosum.engine.bf16_copy import Bf16Copy, can_be_copied, routes_of
from zerosum.game.prior import PRIORS
from zerosum.play.config import PriorOptions
from zerosum.play.device import has_bf16_unit

BLOCK = 128


def quick(G: nn.Module, engine: Mapping[str, Any]) -> nn.Module:
    """G as it is to be sampled, a copy in bf16 where that is faster and its run was played so; else G itself.

    engine: as in the run's record. G must not move while the copy is in use.
    """
    if engine.get("engine") != "bf16_copy" or not has_bf16_unit() or not can_be_copied(G):
        return G
    return Bf16Copy(G, routes_of(str(engine.get("routes", "")), "g")).module


def noise(prior: PriorOptions, n: int, seed: int) -> Tensor:
    """z (n, dim): row i depends on (seed, i) alone."""
    blocks = [PRIORS[prior.kind]((BLOCK, prior.dim), seed, "sample", i) for i in range(-(-n // BLOCK))]
    return torch.cat(blocks)[:n] if blocks else torch.empty(0, prior.dim)


@torch.inference_mode()
def through(G: nn.Module, z: Tensor, space: Space) -> Tensor:
    """Raw samples (N, *shape) of G at the rows of z, run in whole blocks whatever N is. G must be in evaluation mode."""
    device = next(G.parameters()).device
    low = any(p.dtype == torch.bfloat16 for p in G.parameters())
    out = []
    for part in torch.split(z, BLOCK):
        padded = torch.cat((part, part.new_zeros(BLOCK - len(part), part.shape[1])))
        with torch.autocast(device.type, torch.bfloat16) if low else nullcontext():
            y = G(padded.to(device))
        out.append(space.decode(y.float()[: len(part)].cpu()))
    return torch.cat(out) if out else space.decode(torch.empty(0, *space.shape))


def draw_samples(G: nn.Module, prior: PriorOptions, space: Space, n: int, seed: int) -> Tensor:
    """n raw samples: uint8 (n, C, H, W) or float32 (n, d)."""
    return through(G, noise(prior, n, seed), space)


def interpolate(G: nn.Module, prior: PriorOptions, space: Space, rows: int, steps: int, seed: int) -> Tensor:
    """rows x steps raw samples, each row on a path between two draws of z: the great circle for a normal prior, whose mass lies on a
    sphere, else the line."""
    z = noise(prior, 2 * rows, seed)
    u = torch.linspace(0, 1, steps)[None, :, None]
    start, end = z[:rows, None], z[rows:, None]
    if prior.kind == "normal" and prior.dim > 1:
        angle = torch.arccos((torch.nn.functional.cosine_similarity(start, end, dim=2)).clamp(-1 + 1e-6, 1 - 1e-6))[..., None]
        path = (torch.sin((1 - u) * angle) * start + torch.sin(u * angle) * end) / torch.sin(angle)
    else:
        path = (1 - u) * start + u * end
    return through(G, path.flatten(0, 1), space)
