"""Options that the runs of benchmarks/verdict.py share, and what a way of playing is."""

from __future__ import annotations

from typing import Any, NamedTuple

from verdict_data import SUBJECTS

STEPS = 1000  # of either player together, so that every run takes about as long
BASE: dict[str, Any] = {
    **{"batch": 128, "average": 5_000, "prior.dim": 8, "threads": 1, "precision": "float32", "engine": "eager", "game.gamma_end": None},
    **{"net.width": 48, "net.depth": 2, "net.depth_g": 2, "net.octaves": 0, "net.activation_g": "same"},
    **{
        f"{player}.{option}": value
        for player in "dg"
        for option, value in (("lr", 2e-3), ("lr_end", None), ("beta2", 0.99), ("equalised", False))
    },
}
BASE_IMAGES: dict[str, Any] = {
    **{"batch": 32, "average": 2_000, "warmup": 0.0, "prior.dim": 32, "net.elastic": 0.0},
    **{"threads": 1, "precision": "float32", "engine": "eager"},
    **{"net.kind": "dcgan", "net.width": 8, "net.hidden": 32, "net.refine": 0},
}


def both(**options: Any) -> dict[str, Any]:
    """The same options of either player."""
    return {f"{player}.{name}": value for player in "dg" for name, value in options.items()}


# What the preset for points adds: D sees octaves, layers move by their fan-in, rates and penalty fall.
OCTAVES: dict[str, Any] = {
    **{"net.octaves": 7, "net.depth_g": 3, "net.activation_g": "tanh", "net.width": 64, "game.gamma": 0.1, "game.gamma_end": 0.01},
    **both(lr=3e-2, lr_end=1e-4, beta2=0.9, equalised=True),
}
PLAIN: dict[str, Any] = {"game.value": "non_saturating", "game.penalty": "none"}
PAIRED: dict[str, Any] = {"game.value": "relativistic", "game.penalty": "r1r2"}
BARE: dict[str, Any] = {"game.value": "wasserstein", "game.penalty": "none"}
# The same with something else.
VARIED: dict[str, dict[str, Any]] = {
    "minimax": {"game.value": "minimax"},
    "r1": {"game.penalty": "r1", "game.gamma": 0.5},
    "wide": {"net.width": 112},
    "small batch": {"batch": 64, **both(lr=2e-2)},
    "uniform": {"prior.kind": "uniform", "prior.dim": 4},
    "no average": {"average": 0.0},
    "two steps of D": {"game.k": 2},
    "three layers": {"net.depth": 3},
    "maxout": {"net.activation": "maxout"},
    "dropout": {"net.dropout": 0.05},
    "constant rates": both(lr=4e-3, lr_end=None),
}
FURTHER: dict[str, dict[str, Any]] = {
    "tanh": {"net.activation": "tanh"},
    "hinge r1": {"game.value": "hinge", "game.penalty": "r1", "game.gamma": 0.5},
    "five octaves": {"net.octaves": 5},
    "batch of 192": {"batch": 192},
    "prior of two": {"prior.dim": 2},
    "reused": {"game.fakes": "reused"},
    "relu G": {"net.activation_g": "relu"},
    "long average": {"average": 15_000},
    "least squares, wide": {"game.value": "least_squares", "net.width": 96},
    "non_saturating, k": {"game.value": "non_saturating", "game.k": 2},
    "smoothing": {"game.value": "non_saturating", "game.smoothing": 0.1},
    "lower rates": both(lr=1.5e-2),
}
ADAM = both(optimiser="adam", lr=1e-3, lr_end=None, beta2=0.99, equalised=False)
ENDING = ("moons-600", "ring8-1500", "wave-1500", "knot-1800", "flower-1600")
TINY = ("moons-400", "checkerboard-400", "rings-300", "spiral-500", "honeycomb-350", "comb-550", "ladder-420", "pentagon-380")
DATA = tuple(name for name in SUBJECTS if name not in (*ENDING, *TINY))
FLAT = tuple(
    name for name in DATA if name not in ("gaussian", "bimodal", "uniform", "two widths", "mixture", "three", "heavy", "five", "skew")
)


class Way(NamedTuple):
    """options: what differs from BASE. data: on which data. odd: what is odd about a player (verdict_players.py).

    aside: no threshold was chosen on such runs. long: how many times as long as the others. limit: training items, where there are fewer.
    """

    options: dict[str, Any]
    data: tuple[str, ...] = DATA
    odd: str = ""
    aside: bool = False
    long: float = 1.0
    limit: int | None = None
