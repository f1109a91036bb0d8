"""Geometric transformations of images by amounts of their own, differentiable in the images.

Gradients are sums in a fixed order, on a GPU too: matrix products, and reads that no two places of the result share. (The backward pass of
grid_sample on a GPU adds in any order.) Places outside an image are mid-grey, 0.
"""

from __future__ import annotations

import torch
from torch import Tensor


def mirrored(x: Tensor, which: Tensor) -> Tensor:
    """x (N, C, H, W) with the images where `which` (N,) is true mirrored left to right."""
    return torch.where(which.view(-1, 1, 1, 1), x.flip(3), x)


def quarter_turned(x: Tensor, turns: Tensor) -> Tensor:
    """x (N, C, H, W) turned by turns (N,), 0 to 3, quarters of a circle. Only square images have quarters; others stay."""
    if x.shape[2] != x.shape[3]:
        return x
    turns = turns.view(-1, 1, 1, 1)
    x = torch.where(turns % 2 == 1, x.transpose(2, 3).flip(2), x)
    return torch.where(turns >= 2, x.flip(2, 3), x)


def sheared(x: Tensor, amount: Tensor, axis: int) -> Tensor:
    """x (N, C, H, W) with each line along `axis` (2: columns, 3: rows) shifted by amount (N,) times its distance from the middle line."""
    if axis == 2:
        return sheared(x.transpose(2, 3), amount, 3).transpose(2, 3)
    height, width = x.shape[2:]
    lines = torch.arange(height, dtype=x.dtype, device=x.device) - (height - 1) / 2
    shift = amount.to(x.dtype)[:, None] * lines  # (N, H), in pixels to the right
    whole = shift.floor()
    part = (shift - whole)[:, None, :, None]
    places = torch.arange(width, device=x.device) - whole.long()[..., None]  # (N, H, W): where each place is read
    return (1 - part) * _read(x, places) + part * _read(x, places - 1)


def _read(x: Tensor, places: Tensor) -> Tensor:
    """x (N, C, H, W) at `places` (N, H, W) of each row; 0 outside. Within a row no inner place is read twice."""
    width = x.shape[3]
    inside = ((places >= 0) & (places < width))[:, None]
    index = places.clamp(0, width - 1)[:, None].expand_as(x)
    return x.gather(3, index) * inside.to(x.dtype)


def resampled(x: Tensor, scale: tuple[Tensor, Tensor], shift: tuple[Tensor, Tensor]) -> Tensor:
    """x (N, C, H, W) enlarged about its middle and then shifted. scale: (N,) for height and for width. shift: (N,) pixels down, right."""
    rows = _weights(x.shape[2], scale[0], shift[0]).to(x.dtype)
    columns = _weights(x.shape[3], scale[1], shift[1]).to(x.dtype)
    return rows[:, None] @ x @ columns[:, None].transpose(2, 3)


def _weights(length: int, scale: Tensor, shift: Tensor) -> Tensor:
    """(N, length, length): how much of each old place is in each new one. Bilinear; where images shrink, averaged over what is merged."""
    places = torch.arange(length, dtype=torch.float32, device=scale.device)
    middle = (length - 1) / 2
    scale, shift = scale.float()[:, None], shift.float()[:, None]
    read = (places - middle - shift) / scale + middle  # (N, length)
    merged = (1 / scale).clamp_min(1)[..., None]
    return (1 - (read[..., None] - places).abs() / merged).clamp_min(0) / merged
