"""Multilayer perceptrons, as in Goodfellow et al. 2014: for points, and for small images as flat vectors."""

from __future__ import annotations

from collections.abc import Sequence
from math import pi, prod

import torch
from torch import Tensor, nn

from zerosum.nets.init import start

ACTIVATIONS = ("relu", "leaky_relu", "prelu", "tanh", "maxout")
SAME = "same"  # G's activation where it is D's
LONGEST = 8.0  # the first octave's wavelength: eight standard deviations hold nearly any data once
PIECES = 2  # Goodfellow et al. 2013 (arXiv 1302.4389) take the largest of a few linear pieces; two keep a layer cheap.


class Maxout(nn.Module):
    """The largest of `PIECES` values for each unit: (N, PIECES w) -> (N, w). Goodfellow et al. 2013, section 2."""

    def forward(self, h: Tensor) -> Tensor:
        largest: Tensor = h.unflatten(1, (PIECES, -1)).amax(1)  # type: ignore[no-untyped-call]
        return largest


def activation(name: str, slope: float) -> nn.Module:
    """The module for a name in ACTIVATIONS; slope: LeakyReLU's negative slope and PReLU's start."""
    match name:
        case "relu":
            return nn.ReLU()
        case "leaky_relu":
            return nn.LeakyReLU(slope)
        case "prelu":
            return nn.PReLU(init=slope)
        case "tanh":
            return nn.Tanh()
        case "maxout":
            return Maxout()
    raise ValueError(f"no activation is called {name!r}: {', '.join(ACTIVATIONS)}")


class Octaves(nn.Module):
    """x (N, d) -> x beside sin(w x) and cos(w x) of each coordinate, (N, d + 2 d octaves): w = 2 pi / LONGEST, and its doubles.

    A perceptron learns slow functions long before fast ones; given fast ones to begin with, D sees detail at every scale at once, and the
    penalty on its gradient decides how much of it counts. Mildenhall et al. 2020 (arXiv 2003.08934), eq. 4; Tancik et al. 2020
    (arXiv 2006.10739). The wavelengths are in x's unit, the standard deviation for points.
    """

    def __init__(self, octaves: int) -> None:
        super().__init__()
        self.register_buffer("w", 2 * pi / LONGEST * 2.0 ** torch.arange(octaves), persistent=False)

    w: Tensor

    def forward(self, x: Tensor) -> Tensor:
        phase = (x[:, :, None] * self.w).flatten(1)
        return torch.cat((x, phase.sin(), phase.cos()), 1)

    # The derivatives of sin and cos are among the values themselves, so the Jacobian needs no x.

    def pull(self, h: Tensor, g: Tensor) -> Tensor:
        """J^T g (N, d), for h = forward(x) and g of its shape."""
        d = self._inputs(h)
        sin, cos = h[:, d:].chunk(2, 1)
        by_sin, by_cos = g[:, d:].chunk(2, 1)
        at_phase = torch.addcmul(by_sin * cos, by_cos, sin, value=-1).view(-1, d, len(self.w))
        return g[:, :d] + at_phase @ self.w

    def push(self, h: Tensor, v: Tensor) -> Tensor:
        """J v, of h's shape, for h = forward(x) and v (N, d)."""
        sin, cos = h[:, self._inputs(h) :].chunk(2, 1)
        moved = (v[:, :, None] * self.w).flatten(1)
        return torch.cat((v, moved * cos, -moved * sin), 1)

    def _inputs(self, h: Tensor) -> int:
        return h.shape[1] // (1 + 2 * len(self.w))


class MLP(nn.Module):
    """A perceptron from (N, d_in) to (N, d_out): `depth` hidden layers of `width` units.

    norm "batch" puts BatchNorm1d before each activation but the first layer's when `first_norm` is false; dropout is taken after each
    activation.
    """

    def __init__(
        self,
        d_in: int,
        d_out: int,
        *,
        width: int,
        depth: int,
        activation_name: str,
        slope: float,
        norm: str = "none",
        first_norm: bool = True,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        pieces = PIECES if activation_name == "maxout" else 1
        layers: list[nn.Module] = []
        last = d_in
        for i in range(depth):
            linear = nn.Linear(last, pieces * width)
            start(linear, 0.0 if activation_name in ("relu", "tanh") else slope)
            layers.append(linear)
            if norm == "batch" and (i or first_norm):
                layers.append(nn.BatchNorm1d(pieces * width))
            layers.append(activation(activation_name, slope))
            if dropout:
                layers.append(nn.Dropout(dropout))
            last = width
        head = nn.Linear(last, d_out)
        start(head)
        self.layers = nn.Sequential(*layers, head)

    def forward(self, h: Tensor) -> Tensor:
        out: Tensor = self.layers(h.flatten(1))
        return out


class Generator(nn.Module):
    """G: z (N, dim) -> (N, *shape). Points leave it linearly, images through tanh."""

    def __init__(self, shape: Sequence[int], dim: int, **knobs: object) -> None:
        super().__init__()
        self.shape = tuple(shape)
        self.body = MLP(dim, prod(self.shape), **knobs)  # type: ignore[arg-type]

    def forward(self, z: Tensor) -> Tensor:
        x = self.body(z).unflatten(1, self.shape)
        return torch.tanh(x) if len(self.shape) == 3 else x

    def perceptron(self) -> tuple[nn.Module, ...] | None:
        """G's steps (engine/perceptron.py) for points, where its layers are linear and its activations have no weights; else None."""
        if len(self.shape) != 1 or not all(isinstance(m, nn.Linear | nn.Tanh | nn.LeakyReLU | nn.ReLU) for m in self.body.layers):
            return None
        return (*self.body.layers,)


class Discriminator(nn.Module):
    """D: x (N, *shape) -> logits (N,). octaves: how many it sees of each coordinate beside itself."""

    def __init__(self, shape: Sequence[int], octaves: int = 0, **knobs: object) -> None:
        super().__init__()
        self.seen = Octaves(octaves) if octaves else nn.Identity()
        self.body = MLP(prod(shape) * (1 + 2 * octaves), 1, first_norm=False, **knobs)  # type: ignore[arg-type]
        if octaves:
            # Without biases the waves would all stand at the origin, and D see it best.
            first: nn.Linear = self.body.layers[0]  # type: ignore[assignment]
            nn.init.uniform_(first.bias, -2.0, 2.0)

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.body(self.seen(x.flatten(1)))[:, 0]
        return logits

    def chain(self) -> tuple[nn.Module, ...] | None:
        """D's steps (engine/passes.py) where after the octaves there are linear layers and leaky ReLUs and nothing else; else None."""
        if not all(isinstance(m, nn.Linear | nn.LeakyReLU | nn.ReLU) for m in self.body.layers):
            return None
        return (*([self.seen] if isinstance(self.seen, Octaves) else []), *self.body.layers)


def generator(
    shape: Sequence[int],
    dim: int,
    *,
    width: int,
    depth: int,
    norm: str,
    activation: str,
    slope: float,
    depth_g: int = 0,
    activation_g: str = SAME,
) -> nn.Module:
    name = activation if activation_g == SAME else activation_g
    return Generator(shape, dim, width=width, depth=depth_g or depth, norm=norm, activation_name=name, slope=slope)


def discriminator(
    shape: Sequence[int], *, width: int, depth: int, norm: str, activation: str, slope: float, dropout: float, octaves: int = 0
) -> nn.Module:
    return Discriminator(shape, octaves, width=width, depth=depth, norm=norm, activation_name=activation, slope=slope, dropout=dropout)
