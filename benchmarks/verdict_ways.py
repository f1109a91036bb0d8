"""What the runs of benchmarks/verdict.py are: ways of playing and of breaking, on which data, in which order."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count, zip_longest
from typing import Any, NamedTuple

from verdict_data import IMAGES, aside
from verdict_options import (
    ADAM,
    BARE,
    BASE,
    BASE_IMAGES,
    DATA,
    ENDING,
    FLAT,
    FURTHER,
    OCTAVES,
    PAIRED,
    PLAIN,
    STEPS,
    TINY,
    VARIED,
    Way,
    both,
)

from zerosum.chance import key

HEALTHY: dict[str, Way] = {
    **{f"relativistic {p}": Way({"game.value": "relativistic", "game.penalty": p}) for p in ("r1", "r1r2")},
    **{f"{v} r1": Way({"game.value": v, "game.penalty": "r1"}) for v in ("minimax", "non_saturating", "least_squares", "hinge")},
    "wasserstein gp": Way({"game.value": "wasserstein", "game.penalty": "gp", "game.gamma": 10.0, "game.k": 3}),
    "non_saturating plain": Way({**PLAIN, **both(lr=1e-3, beta1=0.5)}),
    "relu": Way({**PAIRED, "net.activation": "relu"}),
    "tanh": Way({**PAIRED, "net.activation": "tanh"}),
    "prelu, uniform": Way({**PAIRED, "net.activation": "prelu", "prior.kind": "uniform"}),
    "maxout": Way({**PAIRED, "net.activation": "maxout"}),
    "dropout": Way({**PAIRED, "net.dropout": 0.2}),
    "no average": Way({**PAIRED, "average": 0.0}),
    "preset": Way(OCTAVES),
    "preset, hinge": Way({**OCTAVES, "game.value": "hinge"}),
    "preset, long": Way(OCTAVES, long=3.0),
    "falling rates": Way({**PAIRED, **both(lr=4e-3, lr_end=1e-4)}),
    "two steps of D": Way({**PAIRED, "game.k": 2}),
    "narrow": Way({**PAIRED, "net.width": 24}),
    "stored": Way(PAIRED, ENDING),
    "preset, stored": Way({**OCTAVES, "game.gamma": 1.0, "game.gamma_end": 1.0}, ENDING),
    **{f"{v} r1r2": Way({"game.value": v, "game.penalty": "r1r2"}) for v in ("minimax", "least_squares", "hinge")},
    "non_saturating gp": Way({"game.value": "non_saturating", "game.penalty": "gp", "game.gamma": 5.0}),
    "wasserstein r1": Way({"game.value": "wasserstein", "game.penalty": "r1", "game.k": 2}),
    "reused fakes": Way({**PAIRED, "game.fakes": "reused"}),
    "wide": Way({**PAIRED, "net.width": 96}),
    "deep": Way({**PAIRED, "net.depth": 3, "net.depth_g": 3}),
    "small batch": Way({**PAIRED, "batch": 48, **both(lr=1e-3)}),
    "preset, least squares": Way({**OCTAVES, "game.value": "least_squares"}),
    **{f"preset, {name}": Way({**OCTAVES, **options}) for name, options in VARIED.items()},
    "preset, hinge, long": Way({**OCTAVES, "game.value": "hinge"}, long=3.0),
    "preset, minimax, stored": Way({**OCTAVES, "game.value": "minimax", "game.gamma": 0.5, "game.gamma_end": 0.5}, ENDING),
    "non_saturating r1r2": Way({"game.value": "non_saturating", "game.penalty": "r1r2"}),
    "hinge gp, falling": Way({"game.value": "hinge", "game.penalty": "gp", "game.gamma": 3.0, **both(lr=3e-3, lr_end=1e-4)}),
    **{f"preset, {name}": Way({**OCTAVES, **options}, aside=True) for name, options in FURTHER.items()},
    "preset, r1, long": Way({**OCTAVES, "game.penalty": "r1", "game.gamma": 0.5}, aside=True, long=3.0),
    "preset, hinge, stored": Way({**OCTAVES, "game.value": "hinge", "game.gamma": 0.5, "game.gamma_end": 0.5}, ENDING, aside=True),
    "relativistic gp": Way({"game.value": "relativistic", "game.penalty": "gp", "game.gamma": 3.0}, aside=True),
}
BROKEN: dict[str, Way] = {
    # D cannot see.
    "D stands still": Way({**PLAIN, "d.lr": 0.0}),
    "D creeps": Way({**PLAIN, "d.lr": 1e-7}),
    "preset, D stands still": Way({**OCTAVES, "d.lr": 0.0, "d.lr_end": None}),
    "preset, D's rate of zero": Way({**OCTAVES, "d.lr": 0.0}),  # It rises, to the rate that the preset ends with.
    "D stands still, long": Way({**PAIRED, "d.lr": 0.0}, long=2.0),
    "D sees half": Way(PLAIN, FLAT, "D sees half"),
    "labels flipped": Way(PLAIN, DATA, "labels flipped"),
    "preset, labels flipped": Way(OCTAVES, DATA, "labels flipped"),
    "labels at random": Way(PLAIN, DATA, "labels at random"),
    "D sees one side": Way(PLAIN, DATA, "D sees one side"),
    "D narrow": Way({**PLAIN, "d.lr": 1e-4}, DATA, "D narrow"),
    # D is too strong.
    "G creeps": Way({**PLAIN, "g.lr": 1e-7, "d.lr": 2e-3}),
    "G creeps, minimax": Way({**PLAIN, "game.value": "minimax", "g.lr": 1e-5, "d.lr": 3e-3, "game.k": 4}),
    "D far ahead": Way({**PLAIN, "game.value": "minimax", "game.k": 8, "d.lr": 5e-3, "g.lr": 2e-5}),
    "G bound away": Way(PLAIN, DATA, "G bound away"),
    "hinge, D far ahead": Way({**PLAIN, "game.value": "hinge", "game.k": 5, "d.lr": 5e-3, "g.lr": 1e-6}),
    "least squares, D far ahead": Way({**PLAIN, "game.value": "least_squares", "d.lr": 5e-3, "g.lr": 3e-6}),
    # G has no variety.
    "Helvetica": Way({**PLAIN, "game.g_steps": 12, "d.lr": 1e-4, "g.lr": 1e-3}),
    "Helvetica, minimax": Way({**PLAIN, "game.value": "minimax", "game.g_steps": 20, "d.lr": 2e-4, "g.lr": 1e-3, "average": 0.0}),
    "G deaf": Way(PAIRED, DATA, "G deaf"),
    "hinge, hot": Way({"game.value": "hinge", "game.penalty": "none", "g.lr": 5e-3, "d.lr": 1e-3}),
    "preset, G deaf": Way(OCTAVES, DATA, "G deaf"),
    "G hears one bit": Way(PAIRED, DATA, "G hears one bit"),
    "G bound": Way(PAIRED, FLAT, "G bound"),
    # G does not get there.
    "G stands still": Way({**PAIRED, "g.lr": 0.0}),
    "preset, G stands still": Way({**OCTAVES, "g.lr": 0.0, "g.lr_end": None}),
    "preset, G's rate of zero": Way({**OCTAVES, "g.lr": 0.0}),
    "both stand still": Way({**PLAIN, **both(lr=0.0)}),
    "G narrow": Way(PAIRED, FLAT, "G narrow"),
    "penalty crushes": Way({**PAIRED, "game.gamma": 3e4}),
    "both stand still, long": Way({**OCTAVES, **both(lr=0.0, lr_end=None)}, long=2.0),
    "both creep": Way({**PAIRED, **both(lr=1e-6)}),
    "preset, G narrow": Way(OCTAVES, FLAT, "G narrow"),
    # They run in circles.
    "simultaneous": Way({**BARE, "game.order": "simultaneous", **both(lr=1e-3)}),
    "momentum": Way({**PLAIN, **both(beta1=0.95, lr=3e-3), "average": 0.0}),
    "wasserstein bare": Way({**BARE, **both(lr=2e-3), "average": 0.0}),
    "wasserstein bare, averaged": Way({**BARE, **both(lr=3e-3, beta1=0.5)}),
    "least squares, momentum": Way({**PLAIN, "game.value": "least_squares", **both(beta1=0.9, lr=5e-3)}),
    # D knows its reals; G copies them.
    "few reals": Way({**OCTAVES, **PLAIN, "net.octaves": 10, "net.width": 96}, TINY),
    "few reals, k": Way({**PLAIN, "net.octaves": 10, "game.k": 3, "net.width": 96, "d.lr": 3e-3, "g.lr": 1e-3}, TINY),
    "few reals, loose": Way({**OCTAVES, "game.gamma": 1e-3, "game.gamma_end": 1e-4, "net.octaves": 10, "net.width": 96}, TINY),
    "a hundred reals": Way({**PLAIN, "net.octaves": 9, "net.width": 64}, ENDING, limit=100),
    "few reals, hinge": Way({**PLAIN, "game.value": "hinge", "net.octaves": 10, "game.k": 2, "net.width": 96, "g.lr": 1e-3}, TINY),
    "two hundred reals": Way({**OCTAVES, "game.penalty": "none", "net.octaves": 10}, ENDING, limit=200),
    # Schedules burst.
    "rates of one": Way({**PLAIN, **both(lr=3.0)}),
    "least squares bursts": Way({"game.value": "least_squares", "game.penalty": "r1", **both(lr=5.0)}),
    "critic unbound": Way({**BARE, "d.lr": 0.5, "g.lr": 0.1, "average": 0.0}),
    "G bursts": Way({**PAIRED, "g.lr": 10.0}),
    "hinge bursts": Way({"game.value": "hinge", "game.penalty": "none", **both(lr=1.0, beta1=0.9)}),
    # Of every state, other ways.
    "hinge, D's rate zero": Way({"game.value": "hinge", "game.penalty": "r1", "d.lr": 0.0}),
    "labels flipped, hinge": Way({"game.value": "hinge", "game.penalty": "none"}, DATA, "labels flipped"),
    "labels flipped, long": Way({**PLAIN, "game.value": "minimax"}, DATA, "labels flipped", long=2.0),
    "D sees half, relativistic": Way({"game.value": "relativistic", "game.penalty": "none"}, FLAT, "D sees half"),
    "D sees roughly": Way({**PLAIN, "game.value": "hinge"}, DATA, "D sees roughly"),
    "D sees spread": Way(PLAIN, DATA, "D sees spread"),
    "relativistic, D far ahead": Way({"game.value": "relativistic", "game.penalty": "none", "game.k": 6, "d.lr": 4e-3, "g.lr": 1e-6}),
    "G far off": Way({**PLAIN, "game.value": "minimax"}, DATA, "G far off"),
    "Helvetica, hinge": Way({"game.value": "hinge", "game.penalty": "none", "game.g_steps": 15, "d.lr": 1e-4, "g.lr": 1e-3}),
    "G one-sided": Way({**OCTAVES, "game.value": "non_saturating"}, FLAT, "G one-sided"),
    "G hears three": Way({**PAIRED, "game.value": "hinge"}, DATA, "G hears three"),
    "hinge, G's rate zero": Way({"game.value": "hinge", "game.penalty": "r1r2", "g.lr": 0.0}),
    "both rates zero, long": Way({**PAIRED, "game.value": "least_squares", **both(lr=0.0)}, long=2.0),
    "G narrow, hinge": Way({**OCTAVES, "game.value": "hinge"}, FLAT, "G narrow"),
    "G narrow, long": Way({**PAIRED, "game.value": "minimax"}, FLAT, "G narrow", long=2.0),
    "penalty crushes, gp": Way({"game.value": "wasserstein", "game.penalty": "gp", "game.gamma": 3e4, **both(lr=1e-4)}),
    "simultaneous, long": Way({**PLAIN, "game.order": "simultaneous", **both(beta1=0.9, lr=4e-3), "average": 0.0}, long=2.0),
    "wasserstein, momentum": Way({**BARE, **both(beta1=0.9, lr=2e-3)}),
    "few reals, relativistic": Way(
        {"game.value": "relativistic", "game.penalty": "none", "net.octaves": 10, "net.width": 96, "d.lr": 3e-3, "g.lr": 1e-3},
        TINY,
        aside=True,
    ),
    "few reals, minimax": Way({**PLAIN, "game.value": "minimax", "net.octaves": 9, "game.k": 2, "net.width": 80}, TINY),
    "sixty reals": Way({**PLAIN, "net.octaves": 8, "net.width": 64}, ENDING, limit=60),
    "three hundred reals, long": Way({**OCTAVES, "game.penalty": "none", "net.octaves": 10}, ENDING, limit=300, long=2.0),
    "hinge, rates of two": Way({"game.value": "hinge", "game.penalty": "r1", **both(lr=2.0)}),
    "relativistic bursts": Way({"game.value": "relativistic", "game.penalty": "none", **both(lr=1.0, beta1=0.5)}),
    # Set aside: of every state, others again.
    "least squares, D creeps": Way({**PLAIN, "game.value": "least_squares", "d.lr": 1e-8}, aside=True),
    "preset, D creeps": Way({**OCTAVES, "d.lr": 1e-6, "d.lr_end": 1e-6}, aside=True),
    "labels flipped, relativistic": Way({"game.value": "relativistic", "game.penalty": "none"}, DATA, "labels flipped", aside=True),
    "D sees the last": Way({**PLAIN, "game.value": "hinge"}, FLAT, "D sees the last", aside=True),
    "D sees a corner": Way({**PLAIN, "game.value": "least_squares"}, DATA, "D sees a corner", aside=True),
    "D narrow, hinge": Way({"game.value": "hinge", "game.penalty": "none", "d.lr": 1e-4}, DATA, "D narrow", aside=True),
    "minimax, D far ahead, long": Way({**PLAIN, "game.value": "minimax", "game.k": 5, "d.lr": 4e-3, "g.lr": 1e-6}, aside=True, long=2.0),
    "G far below": Way({**PLAIN, "game.value": "hinge"}, DATA, "G far below", aside=True),
    "Helvetica, least squares": Way({**PLAIN, "game.value": "least_squares", "game.g_steps": 15, "d.lr": 1e-4, "g.lr": 1e-3}, aside=True),
    "G clipped": Way({**OCTAVES, "game.value": "minimax"}, FLAT, "G clipped", aside=True),
    "G hears two bits": Way({**OCTAVES, "game.value": "hinge"}, DATA, "G hears two bits", aside=True),
    "minimax, G's rate zero": Way({"game.value": "minimax", "game.penalty": "r1", "g.lr": 0.0}, aside=True),
    "both rates zero, hinge": Way({"game.value": "hinge", "game.penalty": "none", **both(lr=0.0)}, aside=True),
    "both creep, hinge, long": Way({"game.value": "hinge", "game.penalty": "r1", **both(lr=1e-7)}, aside=True, long=2.0),
    "G narrow, non_saturating": Way({**OCTAVES, "game.value": "non_saturating", "game.penalty": "r1"}, FLAT, "G narrow", aside=True),
    "simultaneous, least squares": Way(
        {**PLAIN, "game.value": "least_squares", "game.order": "simultaneous", **both(beta1=0.9, lr=5e-3), "average": 0.0}, aside=True
    ),
    "hinge, momentum": Way({"game.value": "hinge", "game.penalty": "none", **both(beta1=0.95, lr=3e-3), "average": 0.0}, aside=True),
    "few reals, least squares": Way(
        {**PLAIN, "game.value": "least_squares", "net.octaves": 10, "net.width": 96, "d.lr": 3e-3, "g.lr": 1e-3}, TINY, aside=True
    ),
    "fifty reals, long": Way({**PLAIN, "net.octaves": 8, "game.value": "hinge"}, ENDING, aside=True, limit=50, long=2.0),
    "eighty reals, k": Way({**PLAIN, "net.octaves": 9, "game.k": 3, "d.lr": 3e-3}, ENDING, aside=True, limit=80),
    "minimax, rates of one": Way({**PLAIN, "game.value": "minimax", **both(lr=1.0)}, aside=True),
    "wasserstein bursts": Way({**BARE, "d.lr": 0.1, "g.lr": 1.0, "average": 0.0}, aside=True),
}
PICTURES = tuple(IMAGES)
OF_IMAGES: dict[str, Way] = {
    "healthy images, preset": Way({}, PICTURES),
    "healthy images, resnet": Way({"net.kind": "resnet", "net.hidden": 0, "net.width": 8, "net.depth": 1, **ADAM}, PICTURES),
    "healthy images, mlp": Way({"net.kind": "mlp", "net.hidden": 0, "net.width": 128, "net.depth": 2, **ADAM}, PICTURES),
    "healthy images, hinge": Way({"game.value": "hinge", "game.penalty": "r1"}, PICTURES),
    "images, D stands still": Way({"d.lr": 0.0, "d.lr_end": None}, PICTURES),
    "images, labels flipped": Way({**PLAIN, **ADAM}, PICTURES, "labels flipped"),
    "images, D sees half": Way({}, PICTURES, "D sees half"),
    "images, G stands still": Way({"g.lr": 0.0, "g.lr_end": None}, PICTURES),
    "images, both stand still": Way({**ADAM, **both(lr=0.0)}, PICTURES),
    "images, G narrow": Way({"net.kind": "mlp", "net.hidden": 0, "net.width": 64, "net.depth": 2, **ADAM}, PICTURES, "G narrow"),
    "images, G deaf": Way({}, PICTURES, "G deaf"),
    "images, few": Way({**PLAIN, "net.kind": "mlp", "net.hidden": 0, "net.width": 192, "net.depth": 2, **ADAM}, PICTURES, limit=200),
    "images, few, preset": Way({"game.penalty": "none"}, PICTURES, limit=100),
    "images, Helvetica": Way({**PLAIN, **ADAM, "game.g_steps": 8, "g.lr": 2e-3, "d.lr": 1e-4}, PICTURES),
    "images, rates of one": Way({**PLAIN, **ADAM, **both(lr=1.0)}, PICTURES),
    "images, D far ahead": Way({**PLAIN, **ADAM, "game.value": "minimax", "game.k": 4, "d.lr": 3e-3, "g.lr": 1e-6}, PICTURES),
    "healthy images, non_saturating": Way({"game.value": "non_saturating", "game.penalty": "r1"}, PICTURES),
    "healthy images, wide": Way({"net.width": 12}, PICTURES),
    "images, hinge, D's rate zero": Way({"game.value": "hinge", "game.penalty": "r1", "d.lr": 0.0, "d.lr_end": None}, PICTURES),
    "images, labels flipped, hinge": Way({"game.value": "hinge"}, PICTURES, "labels flipped"),
    "images, D sees half, hinge": Way({"game.value": "hinge", "game.penalty": "r1"}, PICTURES, "D sees half"),
    "images, hinge, G's rate zero": Way({"game.value": "hinge", "g.lr": 0.0, "g.lr_end": None}, PICTURES),
    "images, G narrow, preset": Way({"net.width": 1, "net.hidden": 1, "prior.dim": 1}, PICTURES),
    "images, G hears three": Way({}, PICTURES, "G hears three"),
    "images, sixty": Way({"game.penalty": "none", "game.value": "non_saturating"}, PICTURES, limit=60),
    "healthy images, least squares": Way({"game.value": "least_squares", "game.penalty": "r1r2"}, PICTURES),
    "healthy images, minimax r1": Way({"game.value": "minimax", "game.penalty": "r1"}, PICTURES),
    "images, non_saturating, D creeps": Way({"game.value": "non_saturating", "d.lr": 1e-8, "d.lr_end": 1e-8}, PICTURES),
    "images, minimax, G creeps": Way({**PLAIN, **ADAM, "game.value": "minimax", "g.lr": 1e-8}, PICTURES),
    "images, G hears two bits": Way({}, PICTURES, "G hears two bits"),
    "images, G clipped": Way({"game.value": "hinge"}, PICTURES, "G clipped"),
    "images, eighty": Way({"game.penalty": "none", "game.value": "hinge"}, PICTURES, limit=80),
    "healthy images, smoothing": Way({"game.value": "non_saturating", "game.penalty": "r1", "game.smoothing": 0.1}, PICTURES),
    "healthy images, two steps of D": Way({"game.k": 2}, PICTURES),
    "healthy images, small batch": Way({"batch": 16}, PICTURES),
    "images, least squares, D's rate zero": Way({"game.value": "least_squares", "d.lr": 0.0, "d.lr_end": None}, PICTURES),
    "images, labels flipped, minimax": Way({**PLAIN, **ADAM, "game.value": "minimax"}, PICTURES, "labels flipped"),
    "images, D sees a corner": Way({"game.value": "non_saturating"}, PICTURES, "D sees a corner"),
    "images, hinge, G creeps": Way({**PLAIN, **ADAM, "game.value": "hinge", "g.lr": 1e-8}, PICTURES),
    "images, G hears one bit": Way({"game.value": "hinge"}, PICTURES, "G hears one bit"),
    "images, Helvetica, hinge": Way({**PLAIN, **ADAM, "game.value": "hinge", "game.g_steps": 8, "g.lr": 2e-3, "d.lr": 1e-4}, PICTURES),
    "images, seventy": Way({"game.penalty": "none", "game.value": "least_squares"}, PICTURES, limit=70),
    # Set aside.
    "healthy images, uniform": Way({"prior.kind": "uniform"}, PICTURES, aside=True),
    "healthy images, refined": Way({"net.refine": 1}, PICTURES, aside=True),
    "healthy images, least squares r1": Way({"game.value": "least_squares", "game.penalty": "r1"}, PICTURES, aside=True),
    "images, minimax, D's rate zero": Way({"game.value": "minimax", "d.lr": 0.0, "d.lr_end": None}, PICTURES, aside=True),
    "images, labels at random": Way({**PLAIN, **ADAM}, PICTURES, "labels at random", aside=True),
    "images, D sees one side": Way({"game.value": "hinge"}, PICTURES, "D sees one side", aside=True),
    "images, least squares, G's rate zero": Way({"game.value": "least_squares", "g.lr": 0.0, "g.lr_end": None}, PICTURES, aside=True),
    "images, G deaf, hinge": Way({"game.value": "hinge"}, PICTURES, "G deaf", aside=True),
    "images, Helvetica, minimax": Way(
        {**PLAIN, **ADAM, "game.value": "minimax", "game.g_steps": 10, "g.lr": 1e-3, "d.lr": 1e-4}, PICTURES, aside=True
    ),
    "images, ninety": Way({"game.penalty": "none", "game.value": "minimax"}, PICTURES, limit=90, aside=True),
}
WAYS: dict[str, Way] = {**{f"healthy {name}": way for name, way in HEALTHY.items()}, **BROKEN, **OF_IMAGES}


class Plan(NamedTuple):
    way: str
    data: str
    seed: int

    @property
    def name(self) -> str:
        return "-".join([self.way, self.data, str(self.seed)]).replace(" ", "_").replace(",", "")

    @property
    def half(self) -> str:
        """A run is for testing where its way or its data was set aside: then no other run was like it when thresholds were chosen."""
        return "test" if WAYS[self.way].aside or aside(self.data) else "calibration"

    @property
    def config(self) -> dict[str, Any]:
        return {**(BASE_IMAGES if self.data in IMAGES else BASE), **WAYS[self.way].options, "seed": self.seed}

    @property
    def samples(self) -> int:
        """Reals shown to D: for as many steps of the players together, whatever the way."""
        k, g_steps = self.config.get("game.k", 1), self.config.get("game.g_steps", 1)
        return int(max(STEPS * WAYS[self.way].long // (k + g_steps), 100) * k * self.config["batch"])


def plans(images: bool) -> Iterator[Plan]:
    """Healthy and broken by turns, each way once before any twice, every time on another of its data: any first part is a fair sample."""
    ways = {name: way for name, way in WAYS.items() if (way.data[0] in IMAGES) == images}
    for turn in count():
        now = sorted(ways, key=lambda way: key(turn, way))
        healthy, broken = ([way for way in now if way.startswith("healthy") is well] for well in (True, False))
        healthy *= 3  # There are more ways to break a run than to play it well.
        seen: dict[str, int] = {}
        for pair in zip_longest(healthy, broken):
            for way in pair:
                if way is not None:
                    nth = turn * (healthy.count(way) if way in healthy else 1) + seen.setdefault(way, 0)
                    seen[way] += 1
                    data = sorted(ways[way].data, key=lambda name, way=way: key(0, f"{way}/{name}"))  # type: ignore[misc]
                    yield Plan(way, data[nth % len(data)], nth // len(data))
