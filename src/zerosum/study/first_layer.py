"""An initialisation of the first layer for one-dimensional inputs: hidden units whose kinks are spread over the line."""

from __future__ import annotations

from math import pi

import torch
from torch import nn

from zerosum.chance import uniform
from zerosum.nets.mlp import Octaves
from zerosum.play.players import Players

SHARPNESS = 4.0  # mean |w| of G's first layer: a unit of tanh then bends within a quarter of z's range


@torch.no_grad()
def spread_kinks(players: Players, seed: int, reach_z: float = 1.0, reach_x: float = 2.0, *, ends: bool = False) -> None:
    """Move each first-layer unit's kink, w z + b = 0, from 0 to a random place in [-reach_z, reach_z] in G, [-reach_x, reach_x] in D.

    Biases are initialised to zero, which suits many inputs; with one input all units would have their kink at the same point, and p_g a
    spike there. A D that sees waves of x (`Octaves`) has spread biases already.

    ends: for a prior with ends, as the uniform one. Near them, G has to stretch z most: p_g is low there, and 1 / p_g is G's slope. So the
    kinks are closer together towards the ends (by the arcsine law), and the units sharper. With kinks spread evenly and smooth units, the
    last 2 % of z moved so slowly that p_g never reached the ends of p_data.
    """
    for name, player, reach in (("G", players.G, reach_z), ("D", players.D, reach_x)):
        if any(isinstance(m, Octaves) for m in player.modules()):
            continue
        first = next(m for m in player.modules() if isinstance(m, nn.Linear))
        place = 2 * uniform((first.out_features,), seed, f"study/bends of {name}") - 1
        if ends and name == "G":
            place = torch.sin(pi / 2 * place)
            size = first.weight.abs()
            first.weight.copy_(first.weight.sign() * SHARPNESS * (1 + size / size.mean()) / 2)
        first.bias.copy_(-first.weight[:, 0] * reach * place)
    players.ema.update(0.0)
