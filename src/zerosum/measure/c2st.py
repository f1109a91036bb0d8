"""A small classifier, trained from scratch to separate generated from real samples: one design for points, one for images.

It is the classifier of a two-sample test (Lopez-Paz and Oquab 2017, arXiv 1610.06545) and, read as a discriminator, gives the bound of
divergence.py. Points: an MLP on the standardised coordinates and on random Fourier features of them at three scales. Without those an MLP
of this size cannot see the width of narrow modes: on ring8 it finds 0.000 nats between sigma .01 and .03, where the truth is 0.326 and this
one finds 0.32. Images: three strided convolutions on the pixels.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import adaptive_avg_pool2d, avg_pool2d, silu, softplus

from zerosum.chance import generator
from zerosum.measure.twosample import logistic

WIDTH = 64
SCALES = (1.0, 5.0, 25.0)
WAVES = 16  # Fourier frequencies a scale
CHANNELS = (16, 32, 64)
MOST_PIXELS = 64  # pixels a side; larger images are averaged down
CANDIDATES = 12  # times at which the net is scored on the calibration part; the best is used
STEPS_POINTS, BATCH_POINTS = 288, 250  # on points
STEPS_IMAGES, BATCH_IMAGES = 384, 64
LR, DECAY = 3e-3, 1e-2


class PointClassifier(nn.Module):
    """Logit of "real" for points (N, d): two hidden layers on (x, sin xB, cos xB), x standardised by the rows that it is trained on."""

    centre: Tensor
    scale: Tensor
    B: Tensor

    def __init__(self, rows: Tensor, seed: int) -> None:
        super().__init__()
        d = rows.shape[1]
        g = generator(seed, "fresh D: frequencies")
        self.register_buffer("centre", rows.mean(0))
        self.register_buffer("scale", rows.std(0).clamp(min=1e-12))
        # Divided by sqrt d, so that a scale means the same phase per standardised distance in any dimension.
        self.register_buffer("B", torch.cat([torch.randn(d, WAVES, generator=g) * s / math.sqrt(d) for s in SCALES], 1))
        with torch.device("meta"):
            self.first, self.second, self.last = nn.Linear(d + 2 * WAVES * len(SCALES), WIDTH), nn.Linear(WIDTH, WIDTH), nn.Linear(WIDTH, 1)
        _initialise([self.first, self.second, self.last], seed)

    def features(self, x: Tensor) -> Tensor:
        x = (x - self.centre) / self.scale
        phase = x @ self.B
        return silu(self.second(silu(self.first(torch.cat([x, phase.sin(), phase.cos()], 1)))))

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.last(self.features(x))[:, 0]
        return logits


class ImageClassifier(nn.Module):
    """Logit of "real" for uint8 images (N, *shape), shape (C, H, W): three strided convolutions, a map of at most 4 x 4, a hidden layer."""

    def __init__(self, shape: Sequence[int], seed: int) -> None:
        super().__init__()
        (channels, *sides), (a, b, c) = shape, CHANNELS
        self.shrink = math.ceil(max(sides) / MOST_PIXELS)
        # Three strides of two leave an eighth, rounded up.
        height, width = (min(4, math.ceil(math.ceil(side / self.shrink) / 8)) for side in sides)
        self.map = (height, width)
        with torch.device("meta"):
            self.c1, self.c2, self.c3 = nn.Conv2d(channels, a, 3, 2, 1), nn.Conv2d(a, b, 3, 2, 1), nn.Conv2d(b, c, 3, 2, 1)
            self.hidden, self.last = nn.Linear(c * height * width, WIDTH), nn.Linear(WIDTH, 1)
        _initialise([self.c1, self.c2, self.c3, self.hidden, self.last], seed)
        # With the channels last a training step takes a CPU two thirds of the time.
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def features(self, images: Tensor) -> Tensor:
        x = (images.float() / 127.5 - 1).contiguous(memory_format=torch.channels_last)
        x = avg_pool2d(x, self.shrink, ceil_mode=True) if self.shrink > 1 else x
        x = silu(self.c3(silu(self.c2(silu(self.c1(x))))))
        x = x if tuple(x.shape[2:]) == self.map else adaptive_avg_pool2d(x, self.map)
        return silu(self.hidden(x.flatten(1)))

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.last(self.features(images))[:, 0]
        return logits


def _initialise(layers: list[nn.Linear | nn.Conv2d], seed: int) -> None:
    """Weights N(0, 1/fan-in) and biases zero, from the seed alone; PyTorch's global generator is not used."""
    for index, layer in enumerate(layers):
        layer.to_empty(device="cpu")
        with torch.no_grad():
            fan_in = layer.weight[0].numel()
            layer.weight.normal_(0, fan_in**-0.5, generator=generator(seed, "fresh D: weights", index))
            assert layer.bias is not None
            layer.bias.zero_()


@dataclass(frozen=True, eq=False)
class TwoSampleClassifier:
    """A trained classifier. gain, offset: the calibration of its logit, gain x logit + offset."""

    net: PointClassifier | ImageClassifier
    gain: float
    offset: float

    @torch.no_grad()
    def logits(self, x: Tensor) -> Tensor:
        """Calibrated logits of "real", (N,), float64."""
        return torch.cat([self.net(part) for part in torch.split(x, 1000)]).double() * self.gain + self.offset

    @torch.no_grad()
    def features(self, x: Tensor) -> Tensor:
        """Its last hidden layer, (N, WIDTH) float32: features of what this classifier was trained on."""
        return torch.cat([self.net.features(part) for part in torch.split(x, 1000)])

    @property
    def hash(self) -> str:
        """SHA-256 of its weights, hexadecimal."""
        digest = hashlib.sha256()
        for value in self.net.state_dict().values():
            digest.update(value.contiguous().numpy().tobytes())
        return digest.hexdigest()


def balanced_cross_entropy(a: Tensor, b: Tensor) -> Tensor:
    """(E -log D(x) + E -log(1 - D(G(z)))) / 2 = -V / 2, nats, of logits a on real samples and b on generated ones."""
    return (softplus(-a).mean() + softplus(b).mean()) / 2


def fit(fake: Tensor, real: Tensor, fake_calibrate: Tensor, real_calibrate: Tensor, seed: int) -> TwoSampleClassifier:
    """Train a classifier with AdamW; the best of CANDIDATES states on the calibration part is used, and its logit calibrated there.

    fake, real: to train on; fake_calibrate, real_calibrate: to choose and calibrate on. Points (N, d) float32 or uint8 images (N, C, H, W).
    The number of steps does not depend on the number of samples.
    """
    net: PointClassifier | ImageClassifier = (
        ImageClassifier(real.shape[1:], seed) if real.ndim == 4 else PointClassifier(torch.cat([fake, real]), seed)
    )
    total, batch = (STEPS_IMAGES, BATCH_IMAGES) if real.ndim == 4 else (STEPS_POINTS, BATCH_POINTS)
    optimiser = torch.optim.AdamW(net.parameters(), lr=LR, betas=(0.9, 0.99), weight_decay=DECAY)
    best, kept = math.inf, net.state_dict()
    draws = generator(seed, "fresh D: batches")
    for step in range(total):
        for group in optimiser.param_groups:
            # A tenth of the steps to warm up, then half a cosine down to zero.
            group["lr"] = LR * min((step + 1) / (0.1 * total), 1) * (1 + math.cos(math.pi * step / total)) / 2
        i, j = (torch.randint(len(x), (batch,), generator=draws) for x in (real, fake))
        loss = balanced_cross_entropy(*torch.split(net(torch.cat([real[i], fake[j]])), batch))
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        if (step + 1) % (total // CANDIDATES) == 0:
            now = _read(net, real_calibrate, fake_calibrate)
            if now < best:
                best, kept = now, deepcopy(net.state_dict())
    net.load_state_dict(kept)
    return _calibrated(net.requires_grad_(False), real_calibrate, fake_calibrate)


@torch.no_grad()
def _read(net: nn.Module, real: Tensor, fake: Tensor) -> float:
    return float(balanced_cross_entropy(*(torch.cat([net(part) for part in torch.split(x, 1000)]) for x in (real, fake))))


def _calibrated(net: PointClassifier | ImageClassifier, real: Tensor, fake: Tensor) -> TwoSampleClassifier:
    """Platt 1999: a logistic regression of real against generated on the one logit."""
    raw = TwoSampleClassifier(net, 1.0, 0.0)
    gain, offset = logistic(raw.logits(real)[:, None], raw.logits(fake)[:, None])
    return TwoSampleClassifier(net, float(gain), float(offset))
