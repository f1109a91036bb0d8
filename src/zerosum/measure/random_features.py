"""Features of any images without trained weights: random convolutions at several scales, reduced by principal components of real images.

Random filters followed by rectification and pooling describe edges, texture and rough layout nearly as well as learned ones (Jarrett et
al. 2009, ICCV, "What is the best multi-stage architecture for object recognition?", section 3). The principal components weight
each direction by how much real images vary in it, so that features of real images have variance 1 in each.

On GANs at all stages of training on six data sets, the kernel distance of these features orders samples as a Frechet distance does in a
classifier that was trained on that data: Spearman rank correlation .90 to .97 (benchmarks/RESULTS.md, "Image distance").
"""

from __future__ import annotations

import hashlib
import math

import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d, avg_pool2d, conv2d, pad

from zerosum.chance import normal
from zerosum.errors import Refusal

DIM = 64  # features, at most
SIDE = 32  # larger images are averaged down to at most this many pixels a side
SMALLEST = 4  # pixels a side of the coarsest scale
GRID = 4  # pooled cells a side
FILTERS = 32  # of the first layer at each scale; the second has twice as many
FITTED = 1500  # real images whose principal components are computed, at most
_CHUNK = 128  # images at a time


class RandomConvolutions:
    """uint8 images (N, C, H, W) -> (N, at most DIM) float32 features. A sample's features do not depend on its batch.

    real: images (M, C, H, W) whose principal components are used, at least 2. Raises Refusal for fewer, and for other types.
    """

    name = "random"
    classes: tuple[str, ...] | None = None
    chunk = _CHUNK

    def __init__(self, real: Tensor) -> None:
        if real.ndim != 4 or real.dtype != torch.uint8 or len(real) < 2:
            raise Refusal(f"Random features are fitted on at least 2 uint8 images (N, C, H, W), not on {tuple(real.shape)}: give images.")
        real = real[:FITTED]
        self.hash = hashlib.sha256(real.contiguous().numpy().tobytes()).hexdigest()
        maps = _each(real)
        self._mean = maps.mean(0)
        # The generator of torch's own randomised SVD is global; the exact one of M x M products is as fast for so few rows.
        variance, axes = torch.linalg.eigh((maps - self._mean) @ (maps - self._mean).T / len(maps))
        kept = [i for i in range(len(variance) - 1, -1, -1) if variance[i] > 1e-6 * variance[-1]][:DIM]
        # Columns: principal axes divided by the standard deviation along them.
        self._axes = (maps - self._mean).T @ axes[:, kept] / (variance[kept] * math.sqrt(len(maps)))

    @property
    def label(self) -> str:
        """Name and the hash of the images that the components are of, as scores carry it."""
        return f"{self.name}:{self.hash[:12]}"

    def __call__(self, images: Tensor) -> Tensor:
        rows: Tensor = (_each(images) - self._mean) @ self._axes
        return rows

    def of(self, images: Tensor) -> tuple[Tensor, None]:
        """Features (N, d), and no guesses of classes."""
        return self(images), None


def _each(images: Tensor) -> Tensor:
    return torch.cat([_maps(part) for part in torch.split(images, _CHUNK)])


@torch.no_grad()
def _maps(images: Tensor) -> Tensor:
    """Pooled responses (N, D) of uint8 images (N, C, H, W), from the finest scale to the coarsest, then the coarsest image itself."""
    x = images.float() / 127.5 - 1
    shrink = math.ceil(max(x.shape[2:]) / SIDE)
    if shrink > 1:
        x = avg_pool2d(x, shrink, ceil_mode=True)
    found, scale = [], 0
    while True:
        edges = _filtered(x, FILTERS, scale, "edges", centred=True)
        edges = torch.cat([edges.relu(), (-edges).relu()], 1)
        texture = _filtered(edges, 2 * FILTERS, scale, "texture", stride=2).relu()
        found += [_pooled(edges), _pooled(texture)]
        if min(x.shape[2:]) < 2 * SMALLEST:
            return torch.cat([*found, x.flatten(1)], 1)
        x, scale = avg_pool2d(x, 2), scale + 1


def _filtered(x: Tensor, filters: int, scale: int, purpose: str, stride: int = 1, centred: bool = False) -> Tensor:
    """x through random 3 x 3 filters of norm 1. centred: each sums to 0 over its pixels, so that it responds to edges and not to grey."""
    w = normal((filters, x.shape[1], 3, 3), 0, f"random features: {purpose}", scale)
    if centred:
        w = w - w.mean((2, 3), keepdim=True)
    w = w / w.flatten(1).norm(dim=1).view(-1, 1, 1, 1)
    return conv2d(pad(x, (1, 1, 1, 1), mode="replicate"), w, stride=stride)


def _pooled(maps: Tensor) -> Tensor:
    return adaptive_avg_pool2d(maps, (min(GRID, maps.shape[2]), min(GRID, maps.shape[3]))).flatten(1)
