"""The kernel distance in units of noise, and the random features that it compares."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from zerosum.chance import generator, normal
from zerosum.errors import Refusal
from zerosum.measure.noise_share import noise_like, scale
from zerosum.measure.random_features import DIM, RandomConvolutions


def edges(n: int, seed: int, side: int = 16, channels: int = 1) -> Tensor:
    """Soft edges at any place and angle, uint8 (n, channels, side, side)."""
    u = torch.rand((n, 2, 1, 1), generator=generator(seed, "edges"))
    at = torch.linspace(-1, 1, side)
    angle = 6.2832 * u[:, 0]
    along = at[None, :, None] * angle.cos() + at[None, None, :] * angle.sin() + u[:, 1] - 0.5
    grey = 128 + 90 * (4 * along).tanh()
    return grey.clamp(0, 255).to(torch.uint8)[:, None].repeat(1, channels, 1, 1)


@pytest.fixture(scope="module")
def features() -> RandomConvolutions:
    return RandomConvolutions(edges(1000, 0))


@pytest.mark.parametrize("share", [0.2, 0.5, 1.0])
def test_real_images_with_a_share_of_noise_read_as_that_share(share: float, features: RandomConvolutions) -> None:
    real, other = edges(500, 1), edges(500, 2)
    k = round(share * len(other))
    other[:k] = noise_like(edges(500, 3))[:k]
    reading = scale(real, features).share(features(other))
    assert_close(reading.value, share, atol=0.04, rtol=0)
    assert reading.low is not None
    assert reading.high is not None
    assert reading.low <= reading.value <= reading.high


def test_real_images_are_near_real_images_and_worse_ones_farther(features: RandomConvolutions) -> None:
    real = scale(edges(500, 1), features)
    other = edges(500, 2)
    blurred = torch.nn.functional.avg_pool2d(other.float(), 5, 1, 2).to(torch.uint8)
    half = other.clone()
    half[:, :, 8:] = other.roll(1, 0)[:, :, 8:]
    found = [real.share(features(x)).value for x in (other, blurred, half, 255 - 0 * other)]
    assert found[0] < 0.06
    assert found[0] + 0.1 < found[1]
    assert found[0] + 0.1 < found[2]
    assert found[3] > 0.9
    with pytest.raises(Refusal, match="at least 20"):
        scale(edges(19, 1), features)


@pytest.mark.parametrize("shape", [(1, 7, 5), (3, 70, 40), (4, 16, 16), (2, 1, 9)])
def test_images_of_any_shape_have_features(shape: tuple[int, int, int]) -> None:
    x = (normal((60, *shape), 0, "any") * 40 + 128).clamp(0, 255).to(torch.uint8)
    net = RandomConvolutions(x)
    rows = net(x)
    assert rows.shape[0] == 60
    assert rows.shape[1] <= DIM
    # Principal components of the fitted images: mean 0, variance 1, uncorrelated.
    assert_close(rows.mean(0), torch.zeros(rows.shape[1]), atol=1e-2, rtol=0)
    assert_close(torch.cov(rows.T, correction=0), torch.eye(rows.shape[1]), atol=5e-2, rtol=0)
    assert_close(net(x[:3]), rows[:3], atol=1e-3, rtol=1e-3)


def test_features_need_images_and_are_named_by_them() -> None:
    one, other = RandomConvolutions(edges(50, 0)), RandomConvolutions(edges(50, 1))
    assert one.label == RandomConvolutions(edges(50, 0)).label != other.label
    for bad in (edges(1, 0), normal((30, 2), 0, "points"), edges(30, 0).float()):
        with pytest.raises(Refusal, match="at least 2 uint8 images"):
            RandomConvolutions(bad)
