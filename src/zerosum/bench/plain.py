"""The second reference: the relativistic game with R1 and R2 written in plain eager float32 PyTorch.

The nets are ours layer by layer, with the same first weights, as plain stacks in PyTorch's default layout; the loop is a
direct transcription of Huang et al. 2024 (arXiv 2501.05441, section 2): real and generated samples through D in separate calls, a
gradient for each penalty, `.backward()` and Adam.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from itertools import chain

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from zerosum.nets import dcgan, mlp, resnet


class _Rows(nn.Module):
    """Maps (N, C, H, W) as rows (N, H W C), in the order of our weights."""

    def forward(self, h: Tensor) -> Tensor:
        return h.permute(0, 2, 3, 1).flatten(1)


class _Maps(nn.Module):
    """Rows (N, H W C) as maps (N, C, H, W)."""

    def __init__(self, base: tuple[int, int, int]) -> None:
        super().__init__()
        self.base = base

    def forward(self, h: Tensor) -> Tensor:
        height, width, channels = self.base
        return h.view(-1, height, width, channels).permute(0, 3, 1, 2).contiguous()


def _dcgan_G(G: dcgan.Generator) -> Iterator[nn.Module]:
    slope = nn.LeakyReLU(G.slope)
    if G.displacement_numbers:
        raise TypeError("there is no plain stack for a G with displacements")
    yield from (G.project, _Maps(G.base))
    yield from chain.from_iterable((norm, slope, layer) for norm, layer in zip(G.norms, G.layers, strict=True))
    yield nn.Tanh()


def _dcgan_D(D: dcgan.Discriminator) -> Iterator[nn.Module]:
    slope = nn.LeakyReLU(D.slope)
    yield from chain.from_iterable((layer, norm, slope) for layer, norm in zip(D.layers, D.norms, strict=True))
    yield _Rows()
    if D.leave is not None:
        yield from (D.leave, slope)
    yield D.head


def _resnet_G(G: resnet.Generator) -> Iterator[nn.Module]:
    yield from (G.project, _Maps(G.base), G.blocks[0])
    for up, blocks in zip(G.up, list(G.blocks)[1:], strict=True):
        yield from (up, nn.PixelShuffle(2), blocks)
    yield from (nn.LeakyReLU(G.slope), G.out)


def _resnet_D(D: resnet.Discriminator) -> Iterator[nn.Module]:
    yield from (D.enter, D.blocks[0])
    for down, blocks in zip(D.down, list(D.blocks)[1:], strict=True):
        yield from (nn.PixelUnshuffle(2), down, blocks)
    yield from (nn.LeakyReLU(D.slope), _Rows(), D.head)


def _layers(player: nn.Module) -> Iterator[nn.Module]:
    match player:
        case dcgan.Generator():
            return _dcgan_G(player)
        case dcgan.Discriminator():
            return _dcgan_D(player)
        case resnet.Generator():
            return _resnet_G(player)
        case resnet.Discriminator():
            return _resnet_D(player)
        case mlp.Generator():
            return iter(player.body.layers)
        case mlp.Discriminator():
            return iter((player.seen, player.body.layers))
    raise TypeError(f"there is no plain stack for {type(player).__name__}")


def stack(player: nn.Module) -> nn.Sequential:
    """A player of `nets` as a plain float32 stack in the default layout: the same layers and weights, copied. Sizes must halve evenly."""
    plain = nn.Sequential(*(copy.deepcopy(layer) for layer in _layers(player)))
    plain.to(torch.float32, memory_format=torch.contiguous_format)  # type: ignore[call-overload]
    return plain


class Relativistic:
    """Two players, an Adam for each; `step(x)` takes one training step on float32 real samples (N, ...). prior: coordinates of z."""

    def __init__(self, G: nn.Module, D: nn.Module, prior: int, gamma: float, lr: float = 2e-4) -> None:
        self.G, self.D, self.prior, self.gamma = G, D, prior, gamma
        self.d = torch.optim.Adam(D.parameters(), lr=lr, betas=(0.0, 0.99))
        self.g = torch.optim.Adam(G.parameters(), lr=lr, betas=(0.0, 0.99))

    def d_loss(self, x: Tensor, y: Tensor) -> Tensor:
        x, y = x.detach().requires_grad_(), y.detach().requires_grad_()
        a, b = self.D(x).flatten(), self.D(y).flatten()
        (at_x,) = torch.autograd.grad(a.sum(), x, create_graph=True)
        (at_y,) = torch.autograd.grad(b.sum(), y, create_graph=True)
        r1, r2 = (g.square().flatten(1).sum(1).mean() for g in (at_x, at_y))
        return softplus(b - a).mean() + self.gamma / 2 * (r1 + r2)

    def g_loss(self, x: Tensor, y: Tensor) -> Tensor:
        loss: Tensor = softplus(self.D(x).flatten() - self.D(y).flatten()).mean()
        return loss

    def _z(self, x: Tensor) -> Tensor:
        return torch.randn(len(x), self.prior, device=x.device)

    def step(self, x: Tensor) -> None:
        self.D.zero_grad()
        self.d_loss(x, self.G(self._z(x))).backward()  # type: ignore[no-untyped-call]
        self.d.step()
        self.G.zero_grad()
        self.g_loss(x, self.G(self._z(x))).backward()  # type: ignore[no-untyped-call]
        self.g.step()
