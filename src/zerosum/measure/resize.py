"""The input of the Inception network: three channels of 8 bits, resized by TensorFlow 1's bilinear filter.

Scores depend on the filter (Parmar et al. 2022, arXiv 2104.11222), so this is the one of the published scores, with its faults: the source
coordinate of destination i is i x in / out, without the half-pixel shift, and nothing is averaged where the image shrinks.
"""

from __future__ import annotations

import torch
from torch import Tensor

from zerosum.errors import Refusal

WHITE = 255


def coloured(images: Tensor) -> Tensor:
    """uint8 (N, C, H, W), C = 1 grey, 2 grey and alpha, 3 RGB, 4 RGBA -> uint8 (N, 3, H, W): grey repeated, alpha composited on white.

    Raises Refusal for anything else.
    """
    if images.dtype != torch.uint8 or images.ndim != 4 or images.shape[1] not in (1, 2, 3, 4) or not images.numel():
        shape = f"{images.dtype} {tuple(images.shape)}".removeprefix("torch.")
        raise Refusal(
            f"Inception features need uint8 images (N, C, H, W) with 1 to 4 channels, not {shape}: convert them, or choose other features."
        )
    colours = images.shape[1] - (images.shape[1] in (2, 4))
    x = images[:, :colours]
    if colours < images.shape[1]:
        alpha = images[:, -1:].int()
        x = ((x * alpha + WHITE * (WHITE - alpha) + WHITE // 2) // WHITE).to(torch.uint8)
    return x.expand(-1, 3, -1, -1)


def tf1_bilinear(x: Tensor, side: int) -> Tensor:
    """Images (N, C, H, W) of any numbers -> (N, C, side, side), along the width and then the height."""
    # Bilinear interpolation is separable: one axis after the other, in float32 as the original graph.
    for axis in (3, 2):
        low, high, share = _taps(x.shape[axis], side, axis)
        near = x.index_select(axis, low)
        x = near + (x.index_select(axis, high) - near) * share.to(x.dtype)
    return x


def _taps(size: int, side: int, axis: int) -> tuple[Tensor, Tensor, Tensor]:
    """The two pixels between which each destination is along an axis, and the weight of the second; in float32, as in TensorFlow."""
    at = torch.arange(side, dtype=torch.float32) * (torch.tensor(size, dtype=torch.float32) / side)
    low = at.floor().long().clamp(max=size - 1)
    share = (at - low).reshape([-1 if i == axis else 1 for i in range(4)])
    return low, (low + 1).clamp(max=size - 1), share
