from fractions import Fraction
from math import floor

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from zerosum.chance import generator
from zerosum.errors import Refusal
from zerosum.measure.resize import coloured, tf1_bilinear


def drawn(*shape: int) -> Tensor:
    return torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator(0, f"images {shape}"))


def by_hand(x: Tensor, side: int) -> Tensor:
    """One map (H, W) pixel by pixel: weights of the four neighbours of i H / side, j W / side, in rational numbers."""
    h, w = x.shape
    out = torch.empty(side, side, dtype=torch.float64)
    for i in range(side):
        for j in range(side):
            y, z = Fraction(i * h, side), Fraction(j * w, side)
            a, b = floor(y), floor(z)
            s, t = y - a, z - b
            c, d = min(a + 1, h - 1), min(b + 1, w - 1)
            v = [int(x[p, q]) for p, q in ((a, b), (a, d), (c, b), (c, d))]
            out[i, j] = float((1 - s) * ((1 - t) * v[0] + t * v[1]) + s * ((1 - t) * v[2] + t * v[3]))
    return out


@pytest.mark.parametrize(("h", "w", "side"), [(8, 8, 19), (5, 9, 13), (13, 26, 13), (40, 31, 13), (1, 1, 5)])
def test_it_is_the_four_neighbours_weighted(h: int, w: int, side: int) -> None:
    x = drawn(2, 3, h, w)
    found = tf1_bilinear(x.float(), side)
    assert found.shape == (2, 3, side, side)
    assert_close(found[1, 2].double(), by_hand(x[1, 2], side), atol=2e-3, rtol=0)


def test_the_size_itself_changes_nothing() -> None:
    x = drawn(2, 3, 21, 21).float()
    assert_close(tf1_bilinear(x, 21), x, atol=0, rtol=0)


def test_there_is_no_half_pixel_shift_and_no_averaging() -> None:
    """Doubled, the first pixel stays and the last is repeated; halved, every other pixel is dropped."""
    line = torch.tensor([0.0, 8.0, 16.0, 24.0]).expand(1, 1, 4, 4)
    assert tf1_bilinear(line, 8)[0, 0, 0].tolist() == [0, 4, 8, 12, 16, 20, 24, 24]
    assert tf1_bilinear(line, 2)[0, 0, 0].tolist() == [0, 16]


def test_grey_is_repeated() -> None:
    grey = drawn(2, 1, 4, 5)
    assert_close(coloured(grey), grey.repeat(1, 3, 1, 1))
    colour = drawn(2, 3, 4, 5)
    assert_close(coloured(colour), colour)


@pytest.mark.parametrize("colours", [1, 3])
def test_alpha_is_laid_on_white(colours: int) -> None:
    x = drawn(5, colours + 1, 16, 16)
    x[0, -1], x[1, -1] = 255, 0
    on_white = coloured(x)
    assert on_white.dtype == torch.uint8
    assert on_white.shape == (5, 3, 16, 16)
    assert_close(on_white[0], coloured(x[:1, :colours])[0])
    assert (on_white[1] == 255).all()
    share = x[:, -1:].double() / 255
    exact = x[:, :colours].double() * share + 255 * (1 - share)
    assert_close(on_white.double(), exact.round().expand(-1, 3, -1, -1), atol=0, rtol=0)


@pytest.mark.parametrize(
    "images", [torch.zeros(2, 3, 8, 8), drawn(2, 5, 8, 8), drawn(2, 8, 8), drawn(2, 3, 8, 8)[:0], drawn(2, 3, 8, 8)[..., :0]]
)
def test_what_is_no_image_is_refused(images: Tensor) -> None:
    with pytest.raises(Refusal, match=r"need uint8 images .*, not .*: convert them, or choose other features\."):
        coloured(images)
