from __future__ import annotations

import pytest
import torch
from torch.nn.functional import affine_grid, grid_sample, interpolate
from torch.testing import assert_close

from zerosum.chance import normal
from zerosum.nets.elastic import KNOTS, NUMBERS, displaced

MAP = (5, 3, 7, 6)


def test_no_displacement_changes_nothing() -> None:
    h = normal(MAP, 0, "h")
    assert_close(displaced(h, torch.zeros(5, NUMBERS), 1.0), h)
    assert_close(displaced(h, normal((5, NUMBERS), 0, "field"), 0.0), h)


@pytest.mark.parametrize(("axis", "dim"), [(0, 2), (1, 3)])
def test_a_field_of_ones_shifts_by_the_amount(axis: int, dim: int) -> None:
    h = normal(MAP, 0, "h")
    field = torch.zeros(5, 2, KNOTS**2)
    field[:, axis] = 1
    length = MAP[dim]
    read = displaced(h, field.flatten(1), 2.0)
    assert_close(read.narrow(dim, 0, length - 2), h.narrow(dim, 2, length - 2))
    assert_close(read.narrow(dim, length - 2, 2), h.narrow(dim, length - 1, 1).expand_as(read.narrow(dim, length - 2, 2)))
    half = displaced(h, field.flatten(1), 0.5)
    assert_close(half.narrow(dim, 0, length - 1), (h.narrow(dim, 0, length - 1) + h.narrow(dim, 1, length - 1)) / 2)


def test_it_is_bilinear_sampling() -> None:
    """Against PyTorch's own, in double precision."""
    h, field = normal(MAP, 0, "h").double(), normal((5, NUMBERS), 0, "field")
    n, _, height, width = MAP
    moves = interpolate(field.view(n, 2, KNOTS, KNOTS), (height, width), mode="bicubic").double() * 1.5
    grid = affine_grid(torch.eye(2, 3).double().expand(n, 2, 3), [n, 1, height, width], align_corners=True)
    grid = grid + 2 * moves.flip(1).permute(0, 2, 3, 1) / torch.tensor([width - 1, height - 1])
    theirs = grid_sample(h, grid, padding_mode="border", align_corners=True)
    assert_close(displaced(h, field, 1.5), theirs, rtol=1e-5, atol=1e-5)


def test_gradients_reach_the_map_and_not_the_field() -> None:
    h = normal((2, 1, 4, 4), 0, "h").double().requires_grad_()
    field = normal((2, NUMBERS), 0, "field").requires_grad_()
    assert not torch.autograd.grad(displaced(h, field, 1.0).sum(), field, allow_unused=True)[0]
    assert torch.autograd.gradcheck(lambda x: displaced(x, field, 1.0), h)


def test_each_sample_has_a_field_of_its_own() -> None:
    h, field = normal(MAP, 0, "h"), normal((5, NUMBERS), 0, "field")
    assert_close(displaced(h, field, 1.0)[2:3], displaced(h[2:3], field[2:3], 1.0))
