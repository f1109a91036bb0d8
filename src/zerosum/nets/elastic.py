"""Elastic displacement of G's smallest map: some of z's numbers move an image's strokes, smoothly and a little.

Handwriting varies by small smooth displacements; Simard et al. 2003 ("Best practices for convolutional neural networks", section 2) made
training digits with them. A convolutional G learns few of these directions, and D hardly notices, so that generated digits lie closer
together than real ones. Here G has the directions from the start: it learns images that stay good when they are displaced. The sampling of
the map is that of Jaderberg et al. 2015 (arXiv 1506.02025, eq. 5). The layers after the map draw the displaced strokes sharply, where
displaced pixels would be blurred.

Samples of a run are displaced `WIDEN` times as widely as in training. This is the truncation trick (Brock et al. 2019, arXiv 1809.11096,
section 3.1) in the other direction, for these numbers of z alone: it restores variety that training loses.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import interpolate

KNOTS = 3  # points a side at which the displacement is drawn; between them it is smooth
NUMBERS = 2 * KNOTS**2  # of z that the displacement is made of
WIDEN = 1.05  # times the displacements of training, for samples; what it improves and what it costs: docs/presets.md


def displaced(h: Tensor, field: Tensor, amount: float) -> Tensor:
    """h (N, C, H, W) read at displaced places, bilinearly; at the border where a place would lie beyond it.

    field: (N, 2 KNOTS^2), downwards and then to the right at each knot, in units of `amount`, which is in cells of the map. No gradient
    flows to it. The reading is a matrix product, (N, H W, H W) times (N, H W, C): grid_sample's backward on a GPU adds in any order.
    """
    _, _, height, width = h.shape
    with torch.no_grad():
        moves = interpolate(field.detach().float().view(-1, 2, KNOTS, KNOTS), (height, width), mode="bicubic") * amount
        rows, columns = (_hats(move, axis) for axis, move in enumerate(moves.unbind(1)))
        weights = (rows[..., :, None] * columns[..., None, :]).flatten(3).flatten(1, 2)
    read: Tensor = weights.to(h.dtype) @ h.permute(0, 2, 3, 1).flatten(1, 2)
    return read.view(-1, height, width, h.shape[1]).permute(0, 3, 1, 2)


def _hats(move: Tensor, axis: int) -> Tensor:
    """For moves (N, H, W) along an axis of the map, the weights (N, H, W, length) of the cells between which each place then lies."""
    length = move.shape[1 + axis]
    cells = torch.arange(length, dtype=move.dtype, device=move.device)
    places = (cells.view(-1, 1) if axis == 0 else cells) + move
    return (1 - (places.clamp(0, length - 1)[..., None] - cells).abs()).clamp_min(0)


def widened(z: Tensor, numbers: int, factor: float) -> Tensor:
    """z (N, dim) with its last `numbers`, those of the displacement, multiplied by `factor`: the displacement is linear in them."""
    if numbers == 0 or factor == 1:
        return z
    rest, field = z.tensor_split([z.shape[1] - numbers], 1)
    return torch.cat((rest, field * factor), 1)
