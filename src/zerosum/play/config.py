"""Every knob of a training with its unit and meaning: nested frozen dataclasses, whose docstrings are the flags' help.

The defaults are those of `presets.py`'s plain rows; a preset is a Config, and a flag replaces one field of it.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields, is_dataclass
from math import inf
from types import NoneType
from typing import Any, Literal, get_args, get_origin, get_type_hints

from zerosum.data.options import DataOptions
from zerosum.errors import Refusal, nearest


@dataclass(frozen=True)
class GameOptions:
    """The game that the two players play."""

    value: Literal["minimax", "non_saturating", "least_squares", "wasserstein", "hinge", "relativistic"] = "relativistic"
    """The value function: what each player pays."""
    penalty: Literal["none", "r1", "r2", "r1r2", "gp"] = "r1r2"
    """Penalty on D's gradient: at reals (r1), at fakes (r2), at both (r1r2), or between them (gp)."""
    gamma: float = 1.0
    """Weight of the penalty at the start; D pays gamma/2 times it."""
    gamma_end: float | None = None
    """Weight of the penalty at the horizon, reached by a cosine in its logarithm; default: the same as at the start."""
    k: int = 1
    """Discriminator steps a round (Algorithm 1's k)."""
    g_steps: int = 1
    """Generator steps a round; more than one is for scenarios."""
    smoothing: float = 0.0
    """One-sided label smoothing: D's target for reals is 1 minus this."""
    order: Literal["alternating", "simultaneous"] = "alternating"
    """D first and then G against the new D, or both against each other's old selves."""
    augment: Literal["none", "diffaugment"] = "none"
    """Random transformation of real and generated images before D sees them, against overfitting of D on few images."""
    fakes: Literal["fresh", "reused"] = "fresh"
    """G's step draws its own noise (Algorithm 1), or goes on with the fakes of D's last step, which saves drawing them twice."""


@dataclass(frozen=True)
class PriorOptions:
    """The noise that G starts from."""

    kind: Literal["normal", "uniform"] = "normal"
    """Law of each coordinate of z: N(0, 1), or U(-1, 1)."""
    dim: int = 64
    """Number of coordinates of z."""


@dataclass(frozen=True)
class NetOptions:
    """The two networks. Knobs that a kind of net does not have must stay at their defaults."""

    kind: Literal["mlp", "dcgan", "resnet"] = "mlp"
    """Kind of network for both players."""
    classes: Literal["none", "auto"] = "none"
    """Conditional game: none ignores class labels; auto gives them to both players where the data have classes."""
    width: int = 64
    """Channels at the widest image size (dcgan, resnet), or units of a hidden layer (mlp)."""
    depth: int = 3
    """Hidden layers (mlp), or residual blocks a resolution (resnet)."""
    depth_g: int = 0
    """Hidden layers of G (mlp), where they are to be other than D's; 0 for as many."""
    hidden: int = 0
    """Units of a fully connected layer before D's logit, in whose place G has a 3 x 3 convolution (dcgan); 0 for none, as published."""
    refine: int = 0
    """3 x 3 convolutions at each size below the image's (dcgan); 0 for none, as published."""
    elastic: float = 0.0
    """Standard deviation in pixels of smooth displacements that some of z's numbers give to what G draws (dcgan), for handwriting and the
    like; 0 for none."""
    norm: Literal["none", "batch"] = "none"
    """Normalisation: none, or batch normalisation as published for DCGAN (in G and in D)."""
    activation: Literal["relu", "leaky_relu", "prelu", "tanh", "maxout"] = "leaky_relu"
    """Activation of hidden layers."""
    activation_g: Literal["same", "relu", "leaky_relu", "prelu", "tanh", "maxout"] = "same"
    """Activation of G's hidden layers (mlp), where it is to be another than D's: tanh's plateaus gather points into narrow modes."""
    octaves: int = 0
    """Octaves of sine and cosine of each coordinate that D sees beside it (mlp), which shows it narrow modes early; 0 for none."""
    slope: float = 0.2
    """Negative slope of leaky_relu; PReLU's start."""
    dropout: float = 0.0
    """Share of D's hidden units dropped in training."""


@dataclass(frozen=True)
class PlayerOptions:
    """One player's optimiser."""

    optimiser: Literal["adam", "muon"] = "adam"
    """adam; muon: each weight matrix moves in all its directions alike, biases by Adam (Jordan et al. 2024)."""
    lr: float = 2e-4
    """Learning rate at the start."""
    lr_end: float | None = None
    """Learning rate at the horizon, reached by a cosine, at most lr; default: the same as at the start."""
    beta1: float = 0.0
    """Decay of the gradient's mean; 0 is none."""
    beta2: float = 0.99
    """Adam's decay of the gradient's square."""
    equalised: bool = False
    """Each layer moves at lr / sqrt(its fan-in), as with equalised learning rates (Karras et al. 2018, section 4.1)."""


@dataclass(frozen=True)
class Config:
    """A training, whole: with the seed and the data it decides every number of the run."""

    game: GameOptions = field(default_factory=GameOptions)
    prior: PriorOptions = field(default_factory=PriorOptions)
    net: NetOptions = field(default_factory=NetOptions)
    d: PlayerOptions = field(default_factory=PlayerOptions)
    g: PlayerOptions = field(default_factory=PlayerOptions)
    data: DataOptions = field(default_factory=DataOptions)
    batch: int = 64
    """Samples a step: reals, and as many fakes."""
    average: float = 10_000.0
    """Half-life of G's average, in samples seen; 0 keeps no average and samples with G itself."""
    warmup: float = 0.0
    """Samples over which both learning rates rise from zero."""
    precision: Literal["auto", "float32", "bf16"] = "auto"
    """Arithmetic of the nets: bf16 where the machine has a unit for it and it was measured faster, else float32."""
    engine: Literal["auto", "eager", "compiled", "graph"] = "auto"
    """How a round is executed; auto measures in the first seconds what this machine does best."""
    threads: int = 0
    """CPU threads of this process; 0 chooses (one for small nets on points, all cores for images)."""
    device: str = "auto"
    """cpu, cuda or cuda:N; auto takes a GPU where there is one."""
    seed: int = 0
    """Seed of every random draw."""


# The range of each number that has one; NaN lies in none.
LEAST: dict[str, float] = {
    "game.gamma": 0,
    "game.gamma_end": 1e-12,
    "game.k": 1,
    "game.g_steps": 1,
    "prior.dim": 1,
    "net.width": 1,
    "net.depth": 1,
    "net.depth_g": 0,
    "net.hidden": 0,
    "net.refine": 0,
    "net.elastic": 0,
    "net.octaves": 0,
    "net.slope": 0,
    "net.dropout": 0,
    "d.lr": 0,
    "g.lr": 0,
    "batch": 1,
    "average": 0,
    "warmup": 0,
    "threads": 0,
}
MOST: dict[str, float] = {
    "net.octaves": 16,
    "net.dropout": 0.95,
    "d.beta1": 0.9999,
    "g.beta1": 0.9999,
    "d.beta2": 0.999999,
    "g.beta2": 0.999999,
    "threads": 1024,
}


def check(config: Config) -> None:
    """Raises Refusal for a number outside its range."""
    for path in LEAST.keys() | MOST.keys():
        number: Any = config
        for name in path.split("."):
            number = getattr(number, name)
        if number is None:
            continue
        least, most = LEAST.get(path, 0), MOST.get(path, inf)
        if not least <= number <= most or number == inf:
            span = f"from {least:g} to {most:g}" if most < inf else f"of at least {least:g}"
            raise Refusal(f"--{path.replace('_', '-')} must be a number {span}, not {number:g}.")


def to_json(config: Config) -> dict[str, Any]:
    """The config as nested plain values."""
    return asdict(config)


def from_json(values: dict[str, Any]) -> Config:
    """The config that `to_json` wrote: it names values, never code. Raises Refusal on a knob that this version does not know, a value of
    another type than the knob's, and a number outside its range."""
    config: Config = _build(Config, values, "")
    check(config)
    return config


def _build(kind: Any, values: dict[str, Any], path: str) -> Any:
    if not isinstance(values, dict):
        raise Refusal(f"The config's {path or 'top level'} must be a table of knobs.")
    template = kind()
    known = {f.name for f in fields(kind)}
    for name in values:
        if name not in known:
            raise Refusal(f"Unknown knob {path}{name} in the run's config.{nearest(name, known)}")
    hints = get_type_hints(kind)
    parts = {n: getattr(template, n) for n in values}
    nested = {n: _build(type(parts[n]), v, f"{path}{n}.") for n, v in values.items() if is_dataclass(parts[n])}
    return kind(**nested, **{n: _typed(v, hints[n], path + n) for n, v in values.items() if n not in nested})


def _typed(value: Any, hint: Any, name: str) -> Any:
    """`value`, if a knob of type `hint` may have it: a whole number stands for a real one, and no other type for another."""
    if get_origin(hint) is Literal:
        allowed: tuple[Any, ...] = get_args(hint)
        if isinstance(value, str) and value in allowed:
            return value
        raise Refusal(f"The knob {name} in the run's config must be one of {', '.join(allowed)}, not {value!r}.")
    kinds = get_args(hint) or (hint,)
    if type(value) in kinds or (type(value) is int and float in kinds):
        return value
    named = " or ".join("none" if k is NoneType else k.__name__ for k in kinds)
    raise Refusal(f"The knob {name} in the run's config must be of type {named}, not {value!r}.")
