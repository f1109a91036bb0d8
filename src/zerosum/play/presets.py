"""Named starting points: a Config each, and which one a kind of data gets unasked. What was tried, and what it scored: docs/presets.md."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from zerosum.data.modality import MODALITIES
from zerosum.errors import Refusal, nearest
from zerosum.play.config import Config, GameOptions, NetOptions, PlayerOptions, PriorOptions


@dataclass(frozen=True)
class Preset:
    """A Config with a sentence on what it is for."""

    config: Config
    doc: str


_PICTURES = Config(
    game=GameOptions(value="relativistic", penalty="r1r2", gamma=1.0, gamma_end=0.5),
    net=NetOptions(kind="dcgan", width=32, hidden=128, refine=1),
    d=PlayerOptions(optimiser="muon", lr=4e-2, lr_end=2e-3, beta2=0.9, equalised=True),
    g=PlayerOptions(optimiser="muon", lr=4e-2, lr_end=2e-3, beta2=0.9, equalised=True),
    batch=64,
    average=10_000,
    warmup=2_000,
)

PRESETS: dict[str, Preset] = {
    "points": Preset(
        Config(
            game=GameOptions(value="relativistic", penalty="r1r2", gamma=0.1, gamma_end=0.01),
            prior=PriorOptions(kind="normal", dim=16),
            net=NetOptions(kind="mlp", width=128, depth=2, depth_g=3, activation_g="tanh", octaves=7),
            d=PlayerOptions(lr=3e-2, lr_end=1e-4, beta2=0.9, equalised=True),
            g=PlayerOptions(lr=3e-2, lr_end=1e-4, beta2=0.9, equalised=True),
            batch=256,
            average=20_000,
        ),
        "Points and known densities: small perceptrons, of which D sees octaves of each coordinate; relativistic game with R1 and R2.",
    ),
    "digits": Preset(
        # 24 numbers for what is drawn, and 18 for how it is displaced.
        replace(_PICTURES, prior=PriorOptions(dim=42), net=replace(_PICTURES.net, elastic=1.0), average=4_000),
        "Small grey images such as MNIST's digits: narrow convolutions, elastic displacements, relativistic game with R1 and R2.",
    ),
    "images": Preset(
        _PICTURES,
        "Colour images, with or without transparency: as for digits, without displacements.",
    ),
    "dcgan": Preset(
        Config(
            game=GameOptions(value="non_saturating", penalty="none"),
            prior=PriorOptions(kind="uniform", dim=100),
            net=NetOptions(kind="dcgan", width=64, norm="batch"),
            d=PlayerOptions(lr=2e-4, beta1=0.5, beta2=0.999),
            g=PlayerOptions(lr=2e-4, beta1=0.5, beta2=0.999),
            batch=128,
            average=0,
        ),
        "DCGAN as published by Radford et al. 2015: a baseline for images.",
    ),
    "goodfellow": Preset(
        Config(
            game=GameOptions(value="non_saturating", penalty="none"),
            prior=PriorOptions(kind="uniform", dim=100),
            net=NetOptions(kind="mlp", width=256, depth=2, activation="relu"),
            d=PlayerOptions(lr=2e-4, beta1=0.5, beta2=0.999),
            g=PlayerOptions(lr=2e-4, beta1=0.5, beta2=0.999),
            batch=100,
            average=0,
        ),
        "The game of Goodfellow et al. 2014 with perceptrons: a baseline for points and small images.",
    ),
}


def default_preset(kind: str, shape: tuple[int, ...] | None) -> str:
    """The preset for data of a kind (a row of MODALITIES) and a sample's shape."""
    return MODALITIES[kind].preset(shape)


def named(name: str) -> Preset:
    """The preset of this name. Raises Refusal, with the nearest, where there is none."""
    if name not in PRESETS:
        raise Refusal(f"There is no preset {name!r}.{nearest(name, PRESETS) or ' There are ' + ', '.join(PRESETS) + '.'}")
    return PRESETS[name]


def with_net(config: Config, kind: Any) -> Config:
    """The config with another kind of net: its other net knobs go back to their defaults, for a preset chose them for its own kind."""
    return config if kind == config.net.kind else replace(config, net=NetOptions(kind=kind))
