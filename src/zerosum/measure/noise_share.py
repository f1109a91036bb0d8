"""How far generated images are from real ones, in a unit that people can picture: the share of real images replaced by noise.

The kernel distance (MMD) between p_data and a mixture (1 - e) p_data + e p_noise is e MMD(p_data, p_noise), for every e from 0 to 1: the
mean embedding is linear in the distribution (Gretton et al. 2012, JMLR 13, section 2.2). So the MMD of generated images divided by that of
noise images says which e is as far from the data. The noise has the mean and the standard deviation of real images at every pixel. A
generator can be farther than noise, and then the share is above 1.

The kernel is a sum of three Gaussian ones on random convolutional features (random_features.py), a quarter, one and four times as wide as
the median squared distance between real images.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from zerosum.chance import normal
from zerosum.measure.inputs import MeasureInputs, check_pair
from zerosum.measure.kid import mmd2
from zerosum.measure.random_features import RandomConvolutions
from zerosum.measure.score import Z95, Reading

LIMIT = 2_000
WIDTHS = (0.25, 1.0, 4.0)
FEWEST = 20  # images a side


@dataclass(frozen=True, eq=False)
class NoiseScale:
    """What a distance from these real images is divided by.

    rows: features of real images (m, d). width: median squared distance between two of them. noise: squared MMD of noise images.
    """

    rows: Tensor
    width: float
    noise: float

    def kernel(self, x: Tensor, y: Tensor) -> Tensor:
        """Sum of Gaussian kernels between rows x (n, d) and y (m, d): (n, m), from 0 to 3."""
        squared = torch.cdist(x, y).square_()
        return torch.stack([torch.exp(squared / (-w * self.width)) for w in WIDTHS]).sum(0)

    def share(self, rows: Tensor) -> Reading:
        """The share of noise that is as far from the data as images with features `rows` (n, d), with a 95 % interval."""
        value, variance = mmd2(rows, self.rows, self.kernel)
        half = Z95 * math.sqrt(max(variance, 0.0))
        share, low, high = (math.sqrt(max(0.0, v) / self.noise) for v in (value, value - half, value + half))
        return Reading("noise_share", share, low, high)


def scale(images: Tensor, features: RandomConvolutions) -> NoiseScale:
    """The scale of uint8 images (N, C, H, W), N at least FEWEST. Raises Refusal where they are too few, or all alike."""
    rows, noise = features(images), features(noise_like(images))
    check_pair(noise, rows, least=FEWEST)
    width = float(torch.pdist(rows[:500]).median()) ** 2
    unscaled = NoiseScale(rows, width, 1.0)
    # A positive floor: data that are noise themselves are as far from noise as one draw is from another.
    return NoiseScale(rows, width, max(1e-3, mmd2(noise, rows, unscaled.kernel)[0]))


def noise_like(images: Tensor) -> Tensor:
    """As many noise images, uint8: every pixel and channel is an independent normal with the mean and deviation of the images there."""
    x = images.float()
    drawn = normal(x.shape, 0, "noise images")
    return (x.mean(0) + x.std(0) * drawn).clamp(0, 255).round().byte()


def measure_noise_share(sets: MeasureInputs) -> tuple[Reading, ...]:
    """Row of MEASURES: on the images themselves, at most LIMIT a side, chosen by the seed."""
    fake, real = (part.first(LIMIT, sets.seed, "noise share") for part in (sets.fake, sets.real))
    check_pair(fake.samples.flatten(1), real.samples.flatten(1), least=FEWEST, spread=False)
    features = RandomConvolutions(real.samples if sets.train is None else sets.train)
    return (scale(real.samples, features).share(features(fake.samples)),)
