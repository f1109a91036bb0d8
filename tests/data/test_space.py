from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from zerosum.chance import normal
from zerosum.data import space
from zerosum.data.space import Space
from zerosum.errors import Refusal


def test_every_byte_comes_back() -> None:
    raw = torch.arange(256, dtype=torch.uint8).reshape(4, 1, 8, 8)
    images = space.images((1, 8, 8))
    y = images.encode(raw)
    assert y.dtype == torch.float32
    torch.testing.assert_close(y.flatten(), torch.linspace(-1, 1, 256))
    assert torch.equal(images.decode(y), raw)
    assert torch.equal(raw.flatten(), torch.arange(256, dtype=torch.uint8))


def test_images_beyond_the_range_are_clamped() -> None:
    y = torch.tensor([-9.0, -1.001, 1.001, 9.0]).reshape(1, 1, 2, 2)
    assert space.images((1, 2, 2)).decode(y).flatten().tolist() == [0, 0, 255, 255]


def test_points_are_affine_and_come_back() -> None:
    points = space.points((3.0, -1.0), (2.0, 0.5))
    x = torch.tensor([[3.0, -1.0], [5.0, -0.5]])
    torch.testing.assert_close(points.encode(x), torch.tensor([[0.0, 0.0], [1.0, 1.0]]))
    noise = normal((100, 2), 0, "test")
    torch.testing.assert_close(points.encode(points.decode(noise)), noise, atol=1e-5, rtol=0)


def test_a_constant_dimension_has_scale_one() -> None:
    assert space.points((7.0,), (0.0,)).scale == (1.0,)


@pytest.mark.parametrize(("channels", "shape"), [(1, (5, 6, 7)), (2, (5, 6, 7, 2)), (3, (5, 6, 7, 3)), (4, (5, 6, 7, 4))])
def test_a_user_gets_channels_last(channels: int, shape: tuple[int, ...]) -> None:
    raw = torch.arange(5 * channels * 42, dtype=torch.uint8).reshape(5, channels, 6, 7)
    array = space.images((channels, 6, 7)).to_array(raw)
    assert array.shape == shape
    assert array.dtype == np.uint8
    assert array[3, 2, 1].ravel().tolist() == raw[3, :, 2, 1].tolist()


def test_json_gives_the_same_space() -> None:
    for one in (space.images((3, 8, 9)), space.points((0.1, 1 / 3), (2.0, 0.7))):
        assert Space.from_json(json.loads(json.dumps(one.to_json()))) == one


@pytest.mark.parametrize("values", [{}, {"kind": "points", "shape": [2], "offset": [0], "scale": [1]}, {"kind": "images", "shape": [2]}])
def test_damaged_json_is_refused(values: dict[str, object]) -> None:
    with pytest.raises(Refusal, match="damaged"):
        Space.from_json(values)
