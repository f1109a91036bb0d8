"""Multilayer perceptrons, as in Goodfellow et al. 2014: for points, and for small images as flat vectors."""

from __future__ import annotations

from collections.abc import Sequence
from math import pi, prod

import torch
from torch import Tensor, nn

from zerosum.nets.conditioning import class_input, class_projection, input_size, projected, with_class
from zerosum.nets.init import initialise

ACTIVATIONS = ("relu", "leaky_relu", "prelu", "tanh", "maxout")
SAME = "same"  # G's activation where it is D's
LONGEST_WAVELENGTH = 8.0  # the first octave's wavelength: nearly all data lie within one, as it is eight standard deviations long
PIECES = 2  # Goodfellow et al. 2013 (arXiv 1302.4389) take the largest of a few linear pieces; two keep a layer cheap.


class Maxout(nn.Module):
    """The largest of `PIECES` values for each unit: (N, PIECES w) -> (N, w). Goodfellow et al. 2013, section 2."""

    def forward(self, h: Tensor) -> Tensor:
        largest: Tensor = h.unflatten(1, (PIECES, -1)).amax(1)  # type: ignore[no-untyped-call]
        return largest


def activation_module(name: str, slope: float) -> nn.Module:
    """The module for a name in ACTIVATIONS; slope: LeakyReLU's negative slope and PReLU's initial one."""
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
    """x (N, d) -> x, sin(w x) and cos(w x) of each coordinate, (N, d + 2 d octaves): w = 2 pi / LONGEST_WAVELENGTH, and its doubles.

    A perceptron learns slowly varying functions long before fast ones. With fast ones among its inputs, D sees detail at every scale at
    once, and the penalty on its gradient decides how much of it counts. Mildenhall et al. 2020 (arXiv 2003.08934), eq. 4; Tancik et al.
    2020 (arXiv 2006.10739). The wavelengths are in x's unit, the standard deviation for points.
    """

    def __init__(self, octaves: int) -> None:
        super().__init__()
        self.register_buffer("w", 2 * pi / LONGEST_WAVELENGTH * 2.0 ** torch.arange(octaves), persistent=False)

    w: Tensor

    def forward(self, x: Tensor) -> Tensor:
        phase = (x[:, :, None] * self.w).flatten(1)
        return torch.cat((x, phase.sin(), phase.cos()), 1)

    # The derivatives of sin and cos are among the values themselves, so that the Jacobian J is known from h alone.

    def vjp(self, h: Tensor, g: Tensor) -> Tensor:
        """J^T g (N, d), for h = forward(x) and g of its shape."""
        d = self._inputs(h)
        sin, cos = h[:, d:].chunk(2, 1)
        by_sin, by_cos = g[:, d:].chunk(2, 1)
        at_phase = torch.addcmul(by_sin * cos, by_cos, sin, value=-1).view(-1, d, len(self.w))
        return g[:, :d] + at_phase @ self.w

    def jvp(self, h: Tensor, v: Tensor) -> Tensor:
        """J v, of h's shape, for h = forward(x) and v (N, d)."""
        sin, cos = h[:, self._inputs(h) :].chunk(2, 1)
        moved = (v[:, :, None] * self.w).flatten(1)
        return torch.cat((v, moved * cos, -moved * sin), 1)

    def _inputs(self, h: Tensor) -> int:
        return h.shape[1] // (1 + 2 * len(self.w))


class MLP(nn.Module):
    """A perceptron from (N, d_in) to (N, d_out): `depth` hidden layers of `width` units.

    norm "batch": BatchNorm1d before each activation, but not in the first layer when `first_norm` is false. dropout: after each activation.
    """

    def __init__(
        self,
        d_in: int,
        d_out: int,
        *,
        width: int,
        depth: int,
        activation: str,
        slope: float,
        norm: str = "none",
        first_norm: bool = True,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        pieces = PIECES if activation == "maxout" else 1
        layers: list[nn.Module] = []
        last = d_in
        for i in range(depth):
            linear = nn.Linear(last, pieces * width)
            initialise(linear, 0.0 if activation in ("relu", "tanh") else slope)
            layers.append(linear)
            if norm == "batch" and (i or first_norm):
                layers.append(nn.BatchNorm1d(pieces * width))
            layers.append(activation_module(activation, slope))
            if dropout:
                layers.append(nn.Dropout(dropout))
            last = width
        head = nn.Linear(last, d_out)
        initialise(head)
        self.layers = nn.Sequential(*layers, head)

    @property
    def head(self) -> nn.Linear:
        head: nn.Linear = self.layers[-1]  # type: ignore[assignment]
        return head

    def features(self, h: Tensor) -> Tensor:
        """What the last layer reads, (N, width)."""
        h = h.flatten(1)
        for layer in list(self.layers)[:-1]:
            h = layer(h)
        return h

    def forward(self, h: Tensor) -> Tensor:
        out: Tensor = self.head(self.features(h))
        return out


class Generator(nn.Module):
    """G: z (N, dim) -> (N, *shape). The last layer is linear for points and followed by tanh for images.

    depth_g, activation_g: where they differ from D's. classes: of y (nets/conditioning.py); 0 for none.
    """

    def __init__(
        self,
        shape: Sequence[int],
        dim: int,
        *,
        width: int,
        depth: int,
        activation: str,
        slope: float,
        norm: str = "none",
        depth_g: int = 0,
        activation_g: str = SAME,
        classes: int = 0,
    ) -> None:
        super().__init__()
        self.shape = tuple(shape)
        self.embedding = class_input(classes, dim)
        name = activation if activation_g == SAME else activation_g
        d_in = input_size(dim, self.embedding)
        self.body = MLP(d_in, prod(self.shape), width=width, depth=depth_g or depth, activation=name, slope=slope, norm=norm)

    def forward(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        x = self.body(with_class(z, y, self.embedding)).unflatten(1, self.shape)
        return torch.tanh(x) if len(self.shape) == 3 else x

    def perceptron(self) -> tuple[nn.Module, ...] | None:
        """G's steps (engine/passes.py) where it makes points, is unconditional, and has no other layers than those know; else None."""
        if len(self.shape) != 1 or self.embedding is not None:
            return None
        if not all(isinstance(m, nn.Linear | nn.Tanh | nn.LeakyReLU | nn.ReLU) for m in self.body.layers):
            return None
        return (*self.body.layers,)


class Discriminator(nn.Module):
    """D: x (N, *shape) -> logits (N,).

    octaves: of each coordinate among D's inputs. classes: of y (nets/conditioning.py); 0 for none.
    """

    def __init__(
        self,
        shape: Sequence[int],
        *,
        width: int,
        depth: int,
        activation: str,
        slope: float,
        norm: str = "none",
        dropout: float = 0.0,
        octaves: int = 0,
        classes: int = 0,
    ) -> None:
        super().__init__()
        self.seen = Octaves(octaves) if octaves else nn.Identity()
        d_in = prod(shape) * (1 + 2 * octaves)
        self.body = MLP(d_in, 1, width=width, depth=depth, activation=activation, slope=slope, norm=norm, first_norm=False, dropout=dropout)
        if octaves:
            # Without biases all waves would have the same phase at the origin, and D would see detail best there.
            first: nn.Linear = self.body.layers[0]  # type: ignore[assignment]
            nn.init.uniform_(first.bias, -2.0, 2.0)
        self.embedding = class_projection(classes, self.body.head)

    def forward(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        h = self.body.features(self.seen(x.flatten(1)))
        return projected(self.body.head(h)[:, 0], h, y, self.embedding)

    def chain(self) -> tuple[nn.Module, ...] | None:
        """D's steps from x to the head's logit (engine/passes.py) where its layers are linear or leaky ReLUs, after the octaves; else
        None."""
        if not all(isinstance(m, nn.Linear | nn.LeakyReLU | nn.ReLU) for m in self.body.layers):
            return None
        return (*([self.seen] if isinstance(self.seen, Octaves) else []), *self.body.layers)
