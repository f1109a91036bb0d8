"""The tuned baseline: DCGAN as a good engineer would write it today, in PyTorch, using nothing of zerosum.

The nets of `bench/dcgan.py` without BatchNorm in D, which R1 needs; R1 at real samples (Mescheder et al. 2018, arXiv 1801.04406, eq. 9),
an EMA of G (Yazici et al. 2019, arXiv 1806.04498), bf16 autocast where the processor has bf16 products, channels-last layout, fused Adam,
and real and generated samples through D as one batch.
"""

from __future__ import annotations

import copy
from contextlib import AbstractContextManager, nullcontext
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from zerosum.bench.dcgan import generator

WIDTH, GAMMA, LR, HALF_LIFE = 64, 1.0, 5e-4, 4_000  # channels, weight of R1, learning rate, samples in which the EMA forgets half


def discriminator(size: int, channels: int, width: int) -> nn.Sequential:
    """D without normalisation, weights by He et al. 2015. size: 32 or 64 pixels a side."""
    stages = {32: (1, 2, 4), 64: (1, 2, 4, 8)}[size]
    layers: list[nn.Module] = [nn.Conv2d(channels, width, 4, 2, 1), nn.LeakyReLU(0.2)]
    for last, now in pairwise(stages):
        layers += [nn.Conv2d(width * last, width * now, 4, 2, 1), nn.LeakyReLU(0.2)]
    net = nn.Sequential(*layers, nn.Conv2d(width * stages[-1], 1, 4), nn.Flatten(0))
    for layer in net:
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, 0.2)
    return net


class TunedDCGAN:
    """The two players and their optimisers; `step(x)` takes one training step on float32 images (N, C, S, S) in [-1, 1]."""

    def __init__(self, size: int, channels: int, width: int = WIDTH, seed: int = 0, low: bool = True) -> None:
        """low: whether products are computed in bf16."""
        torch.manual_seed(seed)
        self.G, self.D = (net(size, channels, width).to(memory_format=torch.channels_last) for net in (generator, discriminator))  # type: ignore[call-overload]
        self.average, self.low, self.z = copy.deepcopy(self.G).requires_grad_(False), low, 100
        self.d, self.g = (torch.optim.Adam(net.parameters(), lr=LR, betas=(0.0, 0.99), fused=True) for net in (self.D, self.G))

    def _arithmetic(self) -> AbstractContextManager[Any]:
        return torch.autocast("cpu", torch.bfloat16) if self.low else nullcontext()

    def step(self, x: Tensor) -> None:
        x = x.contiguous(memory_format=torch.channels_last).requires_grad_()
        with self._arithmetic():
            fake = self.G(torch.randn(len(x), self.z, 1, 1))
            a, b = self.D(torch.cat((x, fake.detach().to(x.dtype)))).float().chunk(2)
        (slope,) = torch.autograd.grad(a.sum(), x, create_graph=True)
        loss = (softplus(-a) + softplus(b)).mean() + GAMMA / 2 * slope.square().flatten(1).sum(1).mean()
        self.D.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        self.d.step()
        self.D.requires_grad_(False)
        with self._arithmetic():
            g_loss = softplus(-self.D(self.G(torch.randn(len(x), self.z, 1, 1))).float()).mean()
        self.G.zero_grad()
        g_loss.backward()  # type: ignore[no-untyped-call]
        self.D.requires_grad_(True)
        self.g.step()
        self._follow(0.5 ** (len(x) / HALF_LIFE))

    @torch.no_grad()
    def _follow(self, decay: float) -> None:
        for mean, now in zip(self.average.parameters(), self.G.parameters(), strict=True):
            mean.lerp_(now, 1 - decay)
        for mean, now in zip(self.average.buffers(), self.G.buffers(), strict=True):
            mean.copy_(now)

    @torch.no_grad()
    def sample(self, n: int) -> Tensor:
        """n images in [-1, 1] of the EMA, with running statistics."""
        self.average.eval()
        return torch.cat([self.average(torch.randn(min(250, n - i), self.z, 1, 1)) for i in range(0, n, 250)])
