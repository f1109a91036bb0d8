"""Samples of a generator, such that sample i of a seed depends on nothing else.

Noise is drawn, and G is run, in blocks of a fixed size: a sample's block is always whole, so one sample equals its row in a batch of a
thousand, to the bit.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from zerosum.data.space import Space
from zerosum.game.prior import PRIORS
from zerosum.run.config import PriorOptions

BLOCK = 128


def noise(prior: PriorOptions, n: int, seed: int) -> Tensor:
    """z (n, dim): row i depends on (seed, i) alone."""
    blocks = [PRIORS[prior.kind]((BLOCK, prior.dim), seed, "sample", i) for i in range(-(-n // BLOCK))]
    return torch.cat(blocks)[:n] if blocks else torch.empty(0, prior.dim)


@torch.inference_mode()
def through(G: nn.Module, z: Tensor, space: Space) -> Tensor:
    """Raw samples (N, *shape) of G at the rows of z, run in whole blocks whatever N is. G must be in evaluation mode."""
    device = next(G.parameters()).device
    out = []
    for part in torch.split(z, BLOCK):
        padded = torch.cat((part, part.new_zeros(BLOCK - len(part), part.shape[1])))
        out.append(space.decode(G(padded.to(device)).float()[: len(part)].cpu()))
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
