"""Presets: named sets of options, and which one each kind of data gets by default. What was tried, and its scores: docs/presets.md."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from zerosum.data.modality import MODALITIES
from zerosum.options import Choices, Option, expanded
from zerosum.play.config import Config, GameOptions, NetOptions, PlayerOptions, PriorOptions

if TYPE_CHECKING:
    from zerosum.data.space import Space

FEW_IMAGES = 5_000
"""Training images below which `--game.augment auto` augments. What was measured: docs/presets.md."""

PRESET_NAMES = Choices("zerosum.play.presets", "PRESETS")


@dataclass(frozen=True)
class Preset:
    """A Config, and a sentence that says what it is for."""

    config: Config
    doc: str


_IMAGES = Config(
    game=GameOptions(value="relativistic", penalty="r1r2", gamma=1.0, gamma_end=0.5, augment="auto"),
    net=NetOptions(kind="dcgan", classes="auto", width=32, hidden=128, refine=1),
    d=PlayerOptions(optimiser="muon", lr=4e-2, lr_end=2e-3, beta2=0.9, equalised=True),
    g=PlayerOptions(optimiser="muon", lr=4e-2, lr_end=2e-3, beta2=0.9, equalised=True),
    batch=64,
    average=10_000,
    warmup=2_000,
)

# z has 24 coordinates for the content of the image and 18 for its displacement.
_DIGITS = replace(_IMAGES, prior=PriorOptions(dim=42), net=replace(_IMAGES.net, elastic=1.0), average=4_000)

PRESETS: dict[str, Preset] = {
    "points": Preset(
        Config(
            game=GameOptions(value="relativistic", penalty="r1r2", gamma=0.1, gamma_end=0.01),
            prior=PriorOptions(kind="normal", dim=16),
            net=NetOptions(kind="mlp", classes="auto", width=128, depth=2, depth_g=3, activation_g="tanh", octaves=7),
            d=PlayerOptions(lr=3e-2, lr_end=1e-4, beta2=0.9, equalised=True),
            g=PlayerOptions(lr=3e-2, lr_end=1e-4, beta2=0.9, equalised=True),
            batch=256,
            average=20_000,
        ),
        "Points and known densities: small MLPs with Fourier features in D; relativistic game with R1 and R2.",
    ),
    "digits": Preset(
        replace(_DIGITS, game=replace(_DIGITS.game, gamma=0.2, gamma_end=0.03)),
        "Small grey images such as MNIST: narrow convolutional nets with elastic displacements; relativistic game with R1 and R2.",
    ),
    "digits-unlabelled": Preset(
        # Without labels a weak penalty loses some kinds of digits: nothing else asks G for each of them.
        _DIGITS,
        "As digits, without class labels: a stronger penalty.",
    ),
    "images": Preset(
        _IMAGES,
        "Other images, with or without transparency: the same nets and game as digits, without displacements.",
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
        "DCGAN as published by Radford et al. 2015. A baseline for images.",
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
        "MLPs and the non-saturating game of Goodfellow et al. 2014. A baseline for points and small images.",
    ),
}


_UNLABELLED = {"digits": "digits-unlabelled"}  # presets that have another one for runs without class labels


def default_preset(kind: str, shape: tuple[int, ...] | None, labelled: Callable[[], bool] = lambda: True) -> str:
    """The preset for data of a kind (a row of MODALITIES) and a sample's shape.

    labelled: whether the run may have class labels; asked only where it matters.
    """
    name = MODALITIES[kind].preset(shape)
    return name if name not in _UNLABELLED or labelled() else _UNLABELLED[name]


def suited(config: Config, space: Space, size: int | None) -> Config:
    """The config with what `auto` stands for on these data, and with the whole path of its labels, so that it is found again from another
    folder. size: of the training part, None where samples are endless."""
    if config.data.labels is not None:
        config = replace(config, data=replace(config.data, labels=str(expanded(config.data.labels).resolve())))
    if config.game.augment != "auto":
        return config
    few = len(space.shape) == 3 and size is not None and size < FEW_IMAGES
    return replace(config, game=replace(config.game, augment="diffaugment" if few else "none"))


def named(name: str) -> Preset:
    """The preset of this name. Raises Refusal where there is none."""
    return PRESETS[Option(str, PRESET_NAMES).checked(name, "preset")]


def listing() -> str:
    """Every preset's name and sentence, one a line."""
    width = max(map(len, PRESETS))
    return "\n".join(f"  {name:<{width}} {preset.doc}" for name, preset in PRESETS.items())


SUITED: dict[str, Config] = {
    "mlp": PRESETS["goodfellow"].config,
    "dcgan": replace(PRESETS["dcgan"].config, net=NetOptions(kind="dcgan")),
    "resnet": Config(net=NetOptions(kind="resnet")),  # Adam at 2e-4 with beta1 0: Huang et al. 2024, arXiv 2501.05441
}
"""For each kind of net, settings under which it trains: the net, both optimisers, the batch size and the EMA."""


def with_net(config: Config, kind: Any) -> Config:
    """A preset's config with another kind of net, and with the optimisers, batch size and EMA that suit that kind.

    A preset's learning rates were tuned with its own kind of net: at those of `digits`, perceptrons collapse within a minute. The game,
    the prior and the use of class labels stay. An unknown kind changes nothing: it is refused where options are checked.
    """
    if kind == config.net.kind or kind not in SUITED:
        return config
    suited = SUITED[kind]
    return replace(
        config,
        net=replace(suited.net, classes=config.net.classes),
        d=suited.d,
        g=suited.g,
        batch=suited.batch,
        average=suited.average,
        warmup=suited.warmup,
    )
