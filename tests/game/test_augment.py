"""Every row of AUGMENTATIONS: what a transformation promises; and the published ones at numbers of which the result is known."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from zerosum.chance import uniform
from zerosum.game.augment import AUGMENTATIONS, Augmentation, colour, cutout, translation

ROWS = {name: row for name, row in AUGMENTATIONS.items() if row is not None}
# By the number of axes of a sample: an even number of channels ends with opacity.
SHAPES = {1: [(1,), (5,)], 2: [(16, 1), (7, 3)], 3: [(1, 8, 8), (3, 9, 14), (4, 16, 8)]}
CASES = [(name, shape) for name, row in ROWS.items() for shape in SHAPES[row.axes]]


def samples(row: Augmentation, shape: tuple[int, ...], n: int = 12) -> tuple[Tensor, Tensor]:
    return 2 * uniform((n, *shape), 0, "x") - 1, uniform((n, row.numbers), 0, "u")


@pytest.mark.parametrize(("name", "shape"), CASES)
def test_each_sample_is_transformed_by_its_own_numbers_alone(name: str, shape: tuple[int, ...]) -> None:
    row = ROWS[name]
    x, u = samples(row, shape)
    before = x.clone()
    out = row.transform(x, u)
    assert torch.equal(x, before)
    assert (out.shape, out.dtype) == (x.shape, x.dtype)
    assert torch.isfinite(out).all()
    assert torch.equal(row.transform(x, u), out)
    assert_close(row.transform(x[3:5], u[3:5]), out[3:5])
    assert row.source


@pytest.mark.parametrize("name", ROWS)
def test_the_numbers_matter(name: str) -> None:
    row = ROWS[name]
    x, u = samples(row, SHAPES[row.axes][-1])
    assert not torch.equal(row.transform(x, u), row.transform(x, u.flip(0)))


@pytest.mark.parametrize("name", ROWS)
def test_g_learns_through_it(name: str) -> None:
    """The derivative in the sample is that of finite differences, and it is not zero."""
    row = ROWS[name]
    x, u = samples(row, SHAPES[row.axes][0], 2)
    x, u = x.double().requires_grad_(), u.double()
    assert torch.autograd.gradcheck(lambda y: row.transform(y, u), (x,))
    (gradient,) = torch.autograd.grad(row.transform(x, u).sum(), x)
    assert gradient.abs().sum() > 0


def test_colour_in_the_middle_of_its_range_changes_nothing() -> None:
    x = 2 * uniform((3, 4, 5, 5), 0, "x") - 1
    assert_close(colour(x, torch.full((3, 3), 0.5)), x)


def test_translation_moves_by_an_eighth_at_its_ends() -> None:
    x = 2 * uniform((2, 1, 16, 16), 0, "x") - 1
    down_right = translation(x, torch.tensor([[0.999, 0.999], [0.5, 0.5]]))
    assert_close(down_right[0, :, 2:, 2:], x[0, :, :-2, :-2])
    assert (down_right[0, :, :2] == 0).all()
    assert (down_right[0, :, :, :2] == 0).all()
    assert_close(down_right[1], x[1])


def test_cutout_in_the_centre_empties_a_quarter() -> None:
    hole = cutout(torch.ones(1, 3, 8, 8), torch.tensor([[0.5, 0.5]]))
    assert (hole[..., 2:6, 2:6] == 0).all()
    assert hole.sum() == 3 * (64 - 16)
