"""What goes wrong with GANs, each at one click, and its cure at a second one. The page plays them with the real trainer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from zerosum.web.setup import Setup


@dataclass(frozen=True)
class Scenario:
    """title, text: what to look at. setup: the game. cure_title, cured_text: what fixes it, and what happens then.

    cure: options that change in the running game. cured: where the cure is no option, another game from step 0.
    """

    title: str
    text: str
    setup: Setup
    cure_title: str
    cured_text: str
    cure: Mapping[str, Any]
    cured: Setup | None = None


def _setup(data: str, **more: Any) -> Setup:
    """options: by dotted name."""
    options = more.pop("options")
    return Setup(data, tuple(options.items()), **more)


_PLAIN = {"game.value": "non_saturating", "game.penalty": "r1", "game.gamma": 0.1, "game.gamma_end": None}
_NET = {"net.width": 64, "net.depth": 3, "net.depth_g": 0, "net.activation_g": "same", "net.octaves": 0, "batch": 256}
_RATES = {
    f"{p}.{k}": v for p, lr in (("d", 2e-3), ("g", 1e-3)) for k, v in (("lr", lr), ("lr_end", None), ("beta2", 0.99), ("equalised", False))
}
_BLIND = _setup("blobs", options={**_PLAIN, **_NET, **_RATES}, blind=True)
_LINE = {"game.penalty": "none", "game.k": 1, "prior.kind": "normal", "net.width": 32, "net.activation": "leaky_relu"}
_LINE |= {"d.lr": 2e-3, "d.lr_end": None, "g.lr": 1e-3, "g.lr_end": None}
_MOMENTUM = {"d.beta1": 0.9, "g.beta1": 0.9, "d.lr": 1e-2, "g.lr": 1e-2}

SCENARIOS: dict[str, Scenario] = {
    "blind": Scenario(
        "Mode collapse: D is blind",
        "D sees the first coordinate alone, so G learns nothing about the second: the samples have the right x and any y. V is near "
        "-log 4 as if p_g were p_data, while the JSD stays high.",
        _BLIND,
        "Let D see both coordinates",
        "The same game with a D that sees both coordinates: V moves away from -log 4, and p_g moves to the data.",
        {},
        replace(_BLIND, blind=False),
    ),
    "neglected": Scenario(
        "Mode collapse: 25 steps of G",
        "G takes 25 steps for each one of D (the Helvetica scenario of Goodfellow et al. 2014): it moves all samples to where D is wrong "
        "at the moment, so that most modes are missing.",
        _setup("ring8", options={"game.value": "non_saturating", "game.penalty": "none", "game.g_steps": 25}),
        "One step of G for each of D",
        "With one step of G for each of D, D responds before G has moved everything: the modes come back one by one.",
        {"game.g_steps": 1, "game.value": "relativistic", "game.penalty": "r1r2"},
    ),
    "vanishing": Scenario(
        "Vanishing gradients",
        "G starts far from the data, and D is trained for 500 steps before G may move. In the minimax game the loss of G is flat where D "
        "is certain: the arrows are short, and G hardly moves.",
        _setup("bimodal", options={**_LINE, "game.value": "minimax", "d.lr": 1e-2, "g.lr": 5e-4}, far=-8.0, ahead=500),
        "Use the non-saturating loss",
        "The non-saturating loss is steep where D is certain: G moves to the data at once.",
        {"game.value": "non_saturating"},
    ),
    "oscillation": Scenario(
        "Oscillation",
        "Without a penalty the two players circle around the equilibrium: G runs to where D is high, D follows, and the losses swing.",
        _setup(
            "mixture:N(0,0.2)",
            options={**_LINE, "game.value": "non_saturating", "net.width": 16, **_MOMENTUM},
        ),
        "Add the gradient penalty R1",
        "R1 damps the circling: it keeps D flat at the data, and the swings die out.",
        {"game.penalty": "r1", "game.gamma": 1.0, "d.beta1": 0.0, "g.beta1": 0.0},
    ),
    "overfitting": Scenario(
        "Overfitting of D",
        "There are 50 real samples in all. D memorises them, its curve becomes jagged, and G is pulled to single points.",
        _setup(
            "bimodal",
            options={**_LINE, "game.value": "non_saturating", "net.width": 128, "net.depth": 3, "g.lr": 2e-4},
            few=50,
        ),
        "Add the gradient penalty R1",
        "R1 keeps D smooth: it can no longer single out 50 points.",
        {"game.penalty": "r1", "game.gamma": 3.0},
    ),
}
