"""What the runs of benchmarks/verdict.py are: ways of playing and of breaking, on which data, in which order."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import blake2b
from itertools import count, zip_longest
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from zerosum.chance import key
from zerosum.nets.mlp import Discriminator, Generator

STEPS = 1000  # of either player together, so that every run takes about as long
BASE: dict[str, Any] = {
    **{"batch": 128, "average": 5_000, "prior.dim": 8, "threads": 1, "precision": "float32", "engine": "eager", "game.gamma_end": None},
    **{"net.width": 48, "net.depth": 2, "net.depth_g": 2, "net.octaves": 0, "net.activation_g": "same"},
    **{
        f"{player}.{knob}": value
        for player in "dg"
        for knob, value in (("lr", 2e-3), ("lr_end", None), ("beta2", 0.99), ("equalised", False))
    },
}
# What the preset for points adds: D sees octaves, layers move by their fan-in, rates and penalty fall.
OCTAVES: dict[str, Any] = {
    **{"net.octaves": 7, "net.depth_g": 3, "net.activation_g": "tanh", "net.width": 64, "game.gamma": 0.1, "game.gamma_end": 0.01},
    **{
        f"{player}.{knob}": value
        for player in "dg"
        for knob, value in (("lr", 3e-2), ("lr_end", 1e-4), ("beta2", 0.9), ("equalised", True))
    },
}
PLAIN: dict[str, Any] = {"game.value": "non_saturating", "game.penalty": "none"}
DATA = ("ring8", "grid25", "moons", "spiral", "gaussian", "bimodal", "checkerboard", "uniform")
# name -> the density and how many of its points are kept: data that end, and that can be learned by heart.
STORED = {
    "moons-600": ("moons", 600),
    "ring8-1500": ("ring8", 1500),
    "moons-400": ("moons", 400),
    "checkerboard-400": ("checkerboard", 400),
}


class Way(NamedTuple):
    """knobs: what differs from BASE. data: on which data. odd: what is odd about a player; see `players`."""

    knobs: dict[str, Any]
    data: tuple[str, ...] = DATA
    odd: str = ""


GAMES: dict[str, dict[str, Any]] = {
    **{f"relativistic {p}": {"game.value": "relativistic", "game.penalty": p} for p in ("r1", "r1r2")},
    **{f"{v} r1": {"game.value": v, "game.penalty": "r1"} for v in ("minimax", "non_saturating", "least_squares", "hinge")},
    "wasserstein gp": {"game.value": "wasserstein", "game.penalty": "gp", "game.gamma": 10.0, "game.k": 3},
    "non_saturating plain": {**PLAIN, "d.lr": 1e-3, "g.lr": 1e-3, "d.beta1": 0.5, "g.beta1": 0.5},
}
NETS: dict[str, dict[str, Any]] = {
    "leaky": {},
    "relu": {"net.activation": "relu"},
    "tanh": {"net.activation": "tanh"},
    "prelu, uniform": {"net.activation": "prelu", "prior.kind": "uniform"},
    "maxout": {"net.activation": "maxout"},
    "dropout": {"net.dropout": 0.2},
    "no average": {"average": 0.0},
}
ENDING = ("moons-600", "ring8-1500")
TINY = ("moons-400", "checkerboard-400")
WAYS: dict[str, Way] = {
    **{f"healthy {g}": Way(knobs) for g, knobs in GAMES.items()},
    **{f"healthy {n}": Way({**GAMES["relativistic r1r2"], **knobs}) for n, knobs in NETS.items()},
    "healthy preset": Way(OCTAVES),
    "healthy preset, hinge": Way({**OCTAVES, "game.value": "hinge"}),
    "healthy stored": Way(GAMES["relativistic r1r2"], ENDING),
    # D cannot see.
    "D stands still": Way({**PLAIN, "d.lr": 0.0}),
    "D creeps": Way({**PLAIN, "d.lr": 1e-7}),
    "preset, D stands still": Way({**OCTAVES, "d.lr": 0.0}),
    "D sees one coordinate": Way({**PLAIN}, ("ring8", "grid25", "moons", "spiral"), "half"),
    "labels flipped": Way({**PLAIN}, DATA, "flipped"),
    # D is too strong.
    "G creeps": Way({**PLAIN, "g.lr": 1e-7, "d.lr": 2e-3}),
    "G creeps, minimax": Way({**PLAIN, "game.value": "minimax", "g.lr": 1e-5, "d.lr": 3e-3, "game.k": 4}),
    "D far ahead": Way({**PLAIN, "game.value": "minimax", "game.k": 8, "d.lr": 5e-3, "g.lr": 2e-5}),
    # G has no variety.
    "Helvetica": Way({**PLAIN, "game.g_steps": 12, "d.lr": 1e-4, "g.lr": 1e-3}),
    "Helvetica, minimax": Way({**PLAIN, "game.value": "minimax", "game.g_steps": 20, "d.lr": 2e-4, "g.lr": 1e-3, "average": 0.0}),
    "noise forgotten": Way({**GAMES["relativistic r1r2"]}, ("ring8", "grid25", "moons", "bimodal"), "constant"),
    "hinge, hot": Way({"game.value": "hinge", "game.penalty": "none", "g.lr": 5e-3, "d.lr": 1e-3}),
    # G does not get there.
    "G stands still": Way({**GAMES["relativistic r1r2"], "g.lr": 0.0}),
    "preset, G stands still": Way({**OCTAVES, "g.lr": 0.0}),
    "both stand still": Way({**PLAIN, "g.lr": 0.0, "d.lr": 0.0}),
    "G one unit wide": Way({**GAMES["relativistic r1r2"]}, ("ring8", "grid25", "moons", "checkerboard"), "narrow"),
    "penalty crushes": Way({**GAMES["relativistic r1r2"], "game.gamma": 3e4}),
    # They run in circles.
    "simultaneous": Way({"game.value": "wasserstein", "game.penalty": "none", "game.order": "simultaneous", "d.lr": 1e-3, "g.lr": 1e-3}),
    "momentum": Way({**PLAIN, "d.beta1": 0.95, "g.beta1": 0.95, "d.lr": 3e-3, "g.lr": 3e-3, "average": 0.0}),
    "wasserstein bare": Way({"game.value": "wasserstein", "game.penalty": "none", "d.lr": 2e-3, "g.lr": 2e-3, "average": 0.0}),
    # D knows its reals; G copies them.
    "few reals": Way({**OCTAVES, **PLAIN, "net.octaves": 10, "net.width": 96}, TINY),
    "few reals, k": Way({**PLAIN, "net.octaves": 10, "game.k": 3, "net.width": 96, "d.lr": 3e-3, "g.lr": 1e-3}, TINY),
    "few reals, loose": Way({**OCTAVES, "game.gamma": 1e-3, "game.gamma_end": 1e-4, "net.octaves": 10, "net.width": 96}, TINY),
    # Numbers burst.
    "rates of one": Way({**PLAIN, "d.lr": 3.0, "g.lr": 3.0}),
    "least squares bursts": Way({"game.value": "least_squares", "game.penalty": "r1", "d.lr": 5.0, "g.lr": 5.0}),
    "critic unbound": Way({"game.value": "wasserstein", "game.penalty": "none", "d.lr": 0.5, "g.lr": 0.1, "average": 0.0}),
}


class Plan(NamedTuple):
    way: str
    data: str
    seed: int

    @property
    def name(self) -> str:
        return "-".join([self.way.replace(" ", "_").replace(",", ""), self.data, str(self.seed)])

    @property
    def half(self) -> str:
        """By a hash of way and data set, so that a run of another seed is in the same half."""
        return ("calibration", "test")[blake2b(f"{self.way}/{self.data}".encode(), digest_size=1).digest()[0] % 2]

    @property
    def config(self) -> dict[str, Any]:
        return {**BASE, **WAYS[self.way].knobs, "seed": self.seed}

    @property
    def samples(self) -> int:
        """Reals shown to D: for as many steps of the players together, whatever the way."""
        k, g_steps = self.config.get("game.k", 1), self.config.get("game.g_steps", 1)
        return int(max(STEPS // (k + g_steps), 100) * k * self.config["batch"])


def plans() -> Iterator[Plan]:
    """Healthy and broken by turns, each way once before any twice, every time on another of its data: any first part is a fair sample."""
    for turn in count():
        now = sorted(WAYS, key=lambda way: key(turn, way))
        healthy, broken = ([way for way in now if way.startswith("healthy") is well] for well in (True, False))
        healthy *= 2  # There are more ways to break a run than to play it well.
        seen: dict[str, int] = {}
        for pair in zip_longest(healthy, broken):
            for way in pair:
                if way is not None:
                    nth = turn * (2 if way in healthy else 1) + seen.setdefault(way, 0)
                    seen[way] += 1
                    data = sorted(WAYS[way].data, key=lambda name, way=way: key(0, f"{way}/{name}"))  # type: ignore[misc]
                    yield Plan(way, data[nth % len(data)], nth // len(data))


# -- players that no knob makes ---------------------------------------------------------------------------------------------


class Half(Discriminator):
    """Sees the first coordinate alone."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(torch.cat([x[:, :1], torch.zeros_like(x[:, 1:])], 1))


class Constant(Generator):
    """Hardly looks at its noise."""

    def forward(self, z: Tensor) -> Tensor:
        return super().forward(z * 0.02)


def players(odd: str, dim: int, config: dict[str, Any], seed: int) -> tuple[nn.Module, nn.Module] | None:
    """(G, D) with one of them odd; None where knobs do."""
    if not odd:
        return None
    net = {"width": config["net.width"], "depth": config["net.depth"], "activation_name": "leaky_relu", "slope": 0.2}
    with torch.random.fork_rng():
        torch.manual_seed(key(seed, "benchmark"))
        G = (Constant if odd == "constant" else Generator)(
            (dim,), config["prior.dim"], **{**net, **({"width": 1} if odd == "narrow" else {})}
        )
        D = (Half if odd == "half" else Discriminator)((dim,), **net)
    if odd == "flipped":
        # Its gradient points the other way: what it learns are flipped labels.
        for weight in D.parameters():
            weight.register_hook(torch.neg)  # type: ignore[no-untyped-call]
    return G, D
