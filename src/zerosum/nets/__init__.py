"""The networks: each kind makes a G: z -> x and a D: x -> logits (N,) for a sample's shape."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from inspect import signature
from typing import Any

from torch import nn

from zerosum.errors import Refusal
from zerosum.nets import dcgan, mlp, resnet


@dataclass(frozen=True)
class Architecture:
    """One kind of net. A new kind needs a file with its two classes, and its row in NETS.

    generator: G(shape, dim, **options, classes=0); called with z (N, dim) and y (N,), it makes (N, *shape). It may have `perceptron()`, its
        steps for engine/passes.py, and `displacement_numbers`, how many of z's last numbers displace an image (nets/elastic.py).
    discriminator: D(shape, **options, classes=0); called with x (N, *shape) and y (N,), it makes (N,). It has `embedding`
        (nets/conditioning.py), and may have `chain()`, its steps for engine/passes.py.
    ranks: numbers of axes of a sample that it can make: 1 for points (d,), 3 for images (C, H, W), 2 for what has steps and channels.
    source: the paper that it follows.
    """

    generator: type[nn.Module]
    discriminator: type[nn.Module]
    ranks: tuple[int, ...]
    source: str

    @property
    def options(self) -> set[str]:
        """Names of the hyperparameters that either player has."""
        return _options(self.generator) | _options(self.discriminator)


def _options(player: type[nn.Module]) -> set[str]:
    return {*signature(player).parameters} - {"shape", "dim", "classes"}


NETS: dict[str, Architecture] = {
    "mlp": Architecture(mlp.Generator, mlp.Discriminator, ranks=(1, 2, 3), source="Goodfellow et al. 2014, arXiv 1406.2661, section 5"),
    "dcgan": Architecture(dcgan.Generator, dcgan.Discriminator, ranks=(3,), source="Radford et al. 2015, arXiv 1511.06434, section 3"),
    "resnet": Architecture(resnet.Generator, resnet.Discriminator, ranks=(3,), source="Huang et al. 2024, arXiv 2501.05441, section 3"),
}


def _built_in(module: nn.Module, name: str) -> Any:
    """The attribute `name` of a player of NETS; None where it has none, and for any other module.

    Decided by the exact type: a user's own module may have an attribute of that name with another meaning, and a class derived from one of
    these may compute something else.
    """
    ours = any(type(module) in (row.generator, row.discriminator) for row in NETS.values())
    return getattr(module, name, None) if ours else None


def chain_of(D: nn.Module) -> tuple[Any, ...] | None:
    """The steps of a D of NETS from x to its head's logit, for engine/passes.py, where they are all linear or leaky ReLUs; else None."""
    chain = _built_in(D, "chain")
    return None if chain is None else chain()


def perceptron_of(G: nn.Module) -> tuple[nn.Module, ...] | None:
    """The layers and activations of a G of NETS, for engine/passes.py, where it knows them all; else None."""
    perceptron = _built_in(G, "perceptron")
    return None if perceptron is None else perceptron()


def displacement_numbers(G: nn.Module) -> int:
    """How many of z's last numbers displace what a G of NETS draws (nets/elastic.py); 0 for any other module."""
    return _built_in(G, "displacement_numbers") or 0


def build(kind: str, shape: Sequence[int], dim: int, options: dict[str, Any], classes: int = 0) -> tuple[nn.Module, nn.Module]:
    """G and D of a kind for samples of `shape` and noise of `dim` coordinates. Each takes those of `options` that it has.

    classes: how many class labels both take as y; 0 builds unconditional nets. Weights come from torch's global generator: seed it before.
    Raises Refusal where the kind cannot make the shape.
    """
    row = NETS[kind]
    if len(shape) not in row.ranks:
        able = " or ".join(f"--net.kind {name}" for name, other in NETS.items() if len(shape) in other.ranks)
        raise Refusal(f"--net.kind {kind} does not make samples of shape {' x '.join(map(str, shape))}: use {able}.")
    of_g, of_d = ({name: options[name] for name in _options(player) & options.keys()} for player in (row.generator, row.discriminator))
    return row.generator(shape, dim, **of_g, classes=classes), row.discriminator(shape, **of_d, classes=classes)
