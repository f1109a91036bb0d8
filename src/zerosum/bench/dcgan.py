"""The plain reference: DCGAN as published and as widely copied, in eager float32 PyTorch, using nothing of zerosum.

Radford et al. 2015 (arXiv 1511.06434): z of 100 coordinates, transposed convolutions from 4 x 4, BatchNorm in both players but not at
G's output nor D's input, ReLU in G and tanh out, LeakyReLU 0.2 in D, Adam 2e-4 with beta1 0.5, weights N(0, 0.02), binary cross-entropy,
real and generated samples through D in separate calls, the generated ones of D's step used again in G's.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Tensor, nn


def generator(size: int, channels: int, width: int, z: int = 100) -> nn.Sequential:
    """size: 32 or 64 pixels a side."""
    stages = {32: (4, 2, 1), 64: (8, 4, 2, 1)}[size]
    layers: list[nn.Module] = [nn.ConvTranspose2d(z, width * stages[0], 4, 1, 0, bias=False)]
    for last, now in pairwise(stages):
        layers += [nn.BatchNorm2d(width * last), nn.ReLU(True), nn.ConvTranspose2d(width * last, width * now, 4, 2, 1, bias=False)]
    layers += [nn.BatchNorm2d(width), nn.ReLU(True), nn.ConvTranspose2d(width, channels, 4, 2, 1, bias=False), nn.Tanh()]
    return nn.Sequential(*layers)


def discriminator(size: int, channels: int, width: int) -> nn.Sequential:
    stages = {32: (1, 2, 4), 64: (1, 2, 4, 8)}[size]
    layers: list[nn.Module] = [nn.Conv2d(channels, width, 4, 2, 1, bias=False), nn.LeakyReLU(0.2, True)]
    for last, now in pairwise(stages):
        layers += [nn.Conv2d(width * last, width * now, 4, 2, 1, bias=False), nn.BatchNorm2d(width * now), nn.LeakyReLU(0.2, True)]
    layers += [nn.Conv2d(width * stages[-1], 1, 4, 1, 0, bias=False), nn.Sigmoid(), nn.Flatten(0)]
    return nn.Sequential(*layers)


def initialise(module: nn.Module) -> None:
    for m in module.modules():
        if isinstance(m, (nn.Conv2d, nn.ConvTranspose2d)):
            nn.init.normal_(m.weight, 0.0, 0.02)
        elif isinstance(m, nn.BatchNorm2d):
            nn.init.normal_(m.weight, 1.0, 0.02)
            nn.init.zeros_(m.bias)


class PublishedDCGAN:
    """The two players and their optimisers; `step(x)` takes one training step on float32 images (N, C, S, S) in [-1, 1]."""

    def __init__(self, size: int, channels: int, width: int = 64, device: str = "cpu", seed: int = 0) -> None:
        torch.manual_seed(seed)
        self.G, self.D, self.z = generator(size, channels, width).to(device), discriminator(size, channels, width).to(device), 100
        initialise(self.G)
        initialise(self.D)
        self.d = torch.optim.Adam(self.D.parameters(), lr=2e-4, betas=(0.5, 0.999))
        self.g = torch.optim.Adam(self.G.parameters(), lr=2e-4, betas=(0.5, 0.999))
        self.bce = nn.BCELoss()

    def step(self, x: Tensor) -> None:
        real, fake = torch.ones(len(x), device=x.device), torch.zeros(len(x), device=x.device)
        self.D.zero_grad()
        self.bce(self.D(x), real).backward()
        y = self.G(torch.randn(len(x), self.z, 1, 1, device=x.device))
        self.bce(self.D(y.detach()), fake).backward()
        self.d.step()
        self.G.zero_grad()
        self.bce(self.D(y), real).backward()
        self.g.step()

    @torch.no_grad()
    def sample(self, n: int) -> Tensor:
        """n images in [-1, 1], with running statistics."""
        self.G.eval()
        device = next(self.G.parameters()).device
        images = torch.cat([self.G(torch.randn(min(250, n - i), self.z, 1, 1, device=device)) for i in range(0, n, 250)])
        self.G.train()
        return images


def train_for(seconds: float, reference: PublishedDCGAN, batches: Callable[[int], Tensor]) -> int:
    """Train for a time; return the number of real samples seen."""
    end, seen, t = time.perf_counter() + seconds, 0, 0
    while time.perf_counter() < end:
        x = batches(t)
        reference.step(x)
        seen, t = seen + len(x), t + 1
    return seen
