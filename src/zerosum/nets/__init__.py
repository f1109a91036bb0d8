"""The networks: each kind makes a G: z -> x and a D: x -> logits (N,) for a sample's shape."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from inspect import signature
from typing import Any

from torch import nn

from zerosum.errors import Refusal
from zerosum.nets import dcgan, mlp, resnet


@dataclass(frozen=True)
class Architecture:
    """One kind of net.

    generator: (shape, dim, **knobs) -> nn.Module from (N, dim) to (N, *shape). discriminator: (shape, **knobs) -> nn.Module to (N,).
    ranks: numbers of axes of a sample that it can make: 1 for points (d,), 3 for images (C, H, W).
    """

    generator: Callable[..., nn.Module]
    discriminator: Callable[..., nn.Module]
    ranks: tuple[int, ...]
    source: str

    @property
    def knobs(self) -> set[str]:
        """Names of the knobs that either player has."""
        taken = {*signature(self.generator).parameters, *signature(self.discriminator).parameters}
        return taken - {"shape", "dim"}


NETS: dict[str, Architecture] = {
    "mlp": Architecture(mlp.generator, mlp.discriminator, ranks=(1, 3), source="Goodfellow et al. 2014, arXiv 1406.2661, section 5"),
    "dcgan": Architecture(dcgan.generator, dcgan.discriminator, ranks=(3,), source="Radford et al. 2015, arXiv 1511.06434, section 3"),
    "resnet": Architecture(resnet.generator, resnet.discriminator, ranks=(3,), source="Huang et al. 2024, arXiv 2501.05441, section 3"),
}

DISCRIMINATORS = (mlp.Discriminator, dcgan.Discriminator, resnet.Discriminator)


def chain_of(D: nn.Module) -> tuple[Any, ...] | None:
    """The steps of a D of ours from x to its logit, for engine/passes.py, where they are all linear or leaky ReLUs; else None.

    Asked by type: a person's own D may have something of its own called `chain`, and a class made from ours may compute something else.
    """
    return D.chain() if isinstance(D, DISCRIMINATORS) and type(D) in DISCRIMINATORS else None


def perceptron_of(G: nn.Module) -> tuple[nn.Module, ...] | None:
    """The layers and activations of a G of ours that makes points, for engine/perceptron.py, where they are no others than it knows."""
    return G.perceptron() if type(G) is mlp.Generator else None


def build(kind: str, shape: Sequence[int], dim: int, knobs: dict[str, Any]) -> tuple[nn.Module, nn.Module]:
    """G and D of a kind for samples of `shape` and noise of `dim` coordinates; each takes of `knobs` what it has.

    Weights come from torch's global generator: seed it before. Raises Refusal where the kind cannot make the shape.
    """
    row = NETS[kind]
    if len(shape) not in row.ranks:
        raise Refusal(f"--net.kind {kind} makes images, and this data is points of {shape[0]} coordinates: use --net.kind mlp.")

    def made(make: Callable[..., nn.Module], *places: Any) -> nn.Module:
        return make(*places, **{name: knob for name, knob in knobs.items() if name in signature(make).parameters})

    return made(row.generator, shape, dim), made(row.discriminator, shape)
