"""An initialisation of the first layer for one-dimensional inputs: hidden units whose kinks are spread over the line."""

from __future__ import annotations

import torch
from torch import nn

from zerosum.chance import uniform
from zerosum.play.players import Players


@torch.no_grad()
def spread_kinks(players: Players, seed: int, reach_z: float = 1.0, reach_x: float = 2.0) -> None:
    """Move each first-layer unit's kink, w z + b = 0, from 0 to a uniform draw of [-reach_z, reach_z] in G, [-reach_x, reach_x] in D.

    Biases are initialised to zero, which suits many inputs; with one input all units would have their kink
    at the same point, and p_g a spike there.
    """
    for name, player, reach in (("G", players.G, reach_z), ("D", players.D, reach_x)):
        first = next(m for m in player.modules() if isinstance(m, nn.Linear))
        kink = reach * (2 * uniform((first.out_features,), seed, f"study/bends of {name}") - 1)
        first.bias.copy_(-first.weight[:, 0] * kink)
    players.ema.update(0.0)
