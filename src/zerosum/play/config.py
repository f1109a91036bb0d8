"""Every option of a training: nested frozen dataclasses. The docstrings below the fields are the help of `zerosum train`.

An option is one field: its type, choices and range are its annotation, and `zerosum.options` checks them. The defaults are plain
ones; a preset (presets.py) is a whole Config, and an option given on the command line replaces one field of it.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields, is_dataclass
from typing import Annotated, Any, Literal

from zerosum.data.options import DataOptions
from zerosum.errors import Refusal
from zerosum.options import Choices, Range, options_of, unknown, value_of

MOST_THREADS = 1024


@dataclass(frozen=True)
class GameOptions:
    """The game: the losses of the two players, and how they take turns."""

    value: Annotated[str, Choices("zerosum.game.value", "VALUES")] = "relativistic"
    """Value function: it defines the loss of each player."""
    penalty: Annotated[str, Choices("zerosum.game.penalty", "PENALTIES")] = "r1r2"
    """Gradient penalty on D: at real samples (r1), at generated samples (r2), at both (r1r2), or at points between the two (gp)."""
    gamma: Annotated[float, Range(0)] = 1.0
    """Weight of the gradient penalty at the start of training. D's loss contains gamma/2 times the penalty."""
    gamma_end: Annotated[float | None, Range(1e-12)] = None
    """Weight of the gradient penalty at the end of training, approached along a cosine in its logarithm. Default: gamma throughout."""
    k: Annotated[int, Range(1)] = 1
    """Discriminator updates in each training step (k in Algorithm 1)."""
    g_steps: Annotated[int, Range(1)] = 1
    """Generator updates in each training step. Algorithm 1 has one."""
    smoothing: Annotated[float, Range(0, below=0.5)] = 0.0
    """One-sided label smoothing: D's target for real samples is 1 minus this. Refused for value functions without such a target."""
    order: Literal["alternating", "simultaneous"] = "alternating"
    """alternating: D is updated first, and G then plays against the new D. simultaneous: both are updated from the same weights."""
    augment: Annotated[str, Choices("zerosum.game.augment", "AUGMENTATIONS")] = "none"
    """Random transformation of real and generated images alike before D sees them, where images are few. diffaugment: always. ada: with a
    probability that follows the overfitting of D. auto: diffaugment for a small set of images, else none."""
    fakes: Literal["fresh", "reused"] = "fresh"
    """Generated samples in the generator update: drawn from fresh noise (Algorithm 1), or reused from D's last update, which is faster."""


@dataclass(frozen=True)
class PriorOptions:
    """The prior p_z: the noise z that G turns into samples."""

    kind: Annotated[str, Choices("zerosum.game.prior", "PRIORS")] = "normal"
    """Distribution of each coordinate of z: N(0, 1) or U(-1, 1)."""
    dim: Annotated[int, Range(1)] = 64
    """Number of coordinates of z."""


@dataclass(frozen=True)
class NetOptions:
    """The two networks. An option that the chosen kind of network does not have is refused unless it is at its default."""

    kind: Annotated[str, Choices("zerosum.nets", "NETS")] = "mlp"
    """Architecture of both networks. Another kind than the preset's brings the net options, optimisers, batch size and EMA that suit it."""
    classes: Literal["none", "auto"] = "none"
    """Class labels: auto gives them to both networks where the data have classes, so that you can ask for a class; none ignores them."""
    width: Annotated[int, Range(1)] = 64
    """Channels at the largest image size (dcgan, resnet), or units in each hidden layer (mlp)."""
    depth: Annotated[int, Range(1)] = 3
    """Hidden layers (mlp), or residual blocks at each resolution (resnet)."""
    depth_g: Annotated[int, Range(0)] = 0
    """Hidden layers of G (mlp). 0: as many as D."""
    hidden: Annotated[int, Range(0)] = 0
    """Units of a fully connected layer before D's logit; G then has a 3 x 3 convolution in its place (dcgan). 0: none, as published."""
    refine: Annotated[int, Range(0)] = 0
    """Extra 3 x 3 convolutions at each resolution below the image's (dcgan). 0: none, as published."""
    elastic: Annotated[float, Range(0)] = 0.0
    """Standard deviation, in pixels, of smooth displacements of G's image that are controlled by part of z (dcgan). Suits handwriting.
    0: none."""
    norm: Literal["none", "batch"] = "none"
    """Normalisation: none, or batch normalisation in G and D as published for DCGAN."""
    activation: Annotated[str, Choices("zerosum.nets.mlp", "ACTIVATIONS")] = "leaky_relu"
    """Activation function of the hidden layers."""
    activation_g: Annotated[str, Choices("zerosum.nets.mlp", "ACTIVATIONS", also=("same",))] = "same"
    """Activation function of G's hidden layers (mlp). same: as in D. tanh helps G concentrate samples in narrow modes."""
    octaves: Annotated[int, Range(0, 16)] = 0
    """Fourier features: octaves of sine and cosine of each coordinate as further inputs of D (mlp). They make narrow modes visible early.
    0: none."""
    slope: Annotated[float, Range(0)] = 0.2
    """Negative slope of leaky_relu, and the initial slope of prelu."""
    dropout: Annotated[float, Range(0, 0.95)] = 0.0
    """Fraction of D's hidden units that are dropped during training."""


@dataclass(frozen=True)
class PlayerOptions:
    """The optimiser of one player."""

    optimiser: Annotated[str, Choices("zerosum.play.players", "OPTIMISERS")] = "adam"
    """adam; or muon, which orthogonalises the update of each weight matrix and uses Adam for biases (Jordan et al. 2024)."""
    lr: Annotated[float, Range(0)] = 2e-4
    """Learning rate at the start of training."""
    lr_end: float | None = None
    """Learning rate at the end of training, approached along a cosine; at most lr. Default: lr throughout."""
    beta1: Annotated[float, Range(0, 0.9999)] = 0.0
    """Decay of the running mean of gradients (momentum). 0: no momentum."""
    beta2: Annotated[float, Range(0, 0.999999)] = 0.99
    """Decay of the running mean of squared gradients (Adam)."""
    equalised: bool = False
    """Divide each layer's learning rate by the square root of its fan-in: equalised learning rates (Karras et al. 2018, section 4.1)."""


@dataclass(frozen=True)
class Config:
    """All options of a training. Together with the data they determine every number of the run."""

    game: GameOptions = field(default_factory=GameOptions)
    prior: PriorOptions = field(default_factory=PriorOptions)
    net: NetOptions = field(default_factory=NetOptions)
    d: PlayerOptions = field(default_factory=PlayerOptions)
    """The optimiser of the discriminator."""
    g: PlayerOptions = field(default_factory=PlayerOptions)
    """The optimiser of the generator."""
    data: DataOptions = field(default_factory=DataOptions)
    batch: Annotated[int, Range(1)] = 64
    """Batch size: real samples in each update, and as many generated ones."""
    accumulate: Annotated[int, Range(1)] = 1
    """Compute each batch in so many equal parts, one after the other (gradient accumulation): the same training in less memory."""
    average: Annotated[float, Range(0)] = 10_000.0
    """Half-life of the EMA of G's weights, in samples seen. Samples are drawn from the averaged generator. 0: no averaging."""
    warmup: Annotated[float, Range(0)] = 0.0
    """Learning-rate warm-up: samples seen while both learning rates rise from zero."""
    decay: Annotated[float, Range(above=0, most=1)] = 1.0
    """Share of the run, its last part, in which learning rates and penalty decay. 1: from the start. Below 1 a finished run can be
    extended from where its decay began, and is then as if it had been given the later end at once."""
    precision: Literal["auto", "float32", "bf16"] = "auto"
    """Arithmetic of the networks. auto: bf16 for images where the machine multiplies in it, float32 otherwise; timed in longer runs."""
    engine: Literal["auto", "eager", "graph"] = "auto"
    """How training steps are executed: by plain PyTorch (eager) or as CUDA graphs (graph). auto: graph on a GPU; on a CPU what is
    fastest there, with closed-form gradients where the network allows them. Runs of two minutes or more time it at their start."""
    threads: Annotated[int, Range(0, MOST_THREADS)] = 0
    """CPU threads. 0: one for points, all cores for images."""
    device: str = "auto"
    """cpu, cuda or cuda:N. auto: a GPU where there is one."""
    seed: int = 0
    """Seed of all random numbers."""


def check(config: Config) -> None:
    """Raises Refusal for a value that its option does not take."""
    for name, option in options_of(Config).items():
        option.checked(value_of(config, name), name)


def to_json(config: Config) -> dict[str, Any]:
    """The config as nested plain values."""
    return asdict(config)


def from_json(values: dict[str, Any]) -> Config:
    """The config that `to_json` wrote. Options that are missing are at their defaults.

    Raises Refusal for an option that this version does not have, and for a value that its option does not take.
    """
    config: Config = _build(Config, values, "")
    return config


def _build(kind: Any, values: Any, prefix: str) -> Any:
    if not isinstance(values, dict):
        raise Refusal(f"{prefix.rstrip('.') or 'config'} in the run's config must be a table of options.")
    template, options = kind(), options_of(kind)
    known = {f.name: getattr(template, f.name) for f in fields(kind)}
    given = {}
    for name, value in values.items():
        if name not in known:
            everywhere = [prefix + other for other in options]
            raise unknown(f"The run's config has an unknown option {prefix}{name}", prefix + name, everywhere)
        if is_dataclass(known[name]):
            given[name] = _build(type(known[name]), value, f"{prefix}{name}.")
        else:
            given[name] = options[name].checked(value, f"{prefix}{name} in the run's config")
    return kind(**given)
