"""A start for games in one dimension: hidden units that divide the line among themselves."""

from __future__ import annotations

import torch
from torch import nn

from zerosum.chance import uniform
from zerosum.play.players import Players


@torch.no_grad()
def spread(players: Players, seed: int, reach_z: float = 1.0, reach_x: float = 2.0) -> None:
    """Moves each first-layer unit's bend, w z + b = 0, from 0 to an even draw of [-reach_z, reach_z] in G, [-reach_x, reach_x] in D.

    Biases start at zero, which suits many inputs; with one input all units would bend at the same point, and p_g have its spikes there.
    """
    for name, player, reach in (("G", players.G, reach_z), ("D", players.D, reach_x)):
        first = next(m for m in player.modules() if isinstance(m, nn.Linear))
        bend = reach * (2 * uniform((first.out_features,), seed, f"study/bends of {name}") - 1)
        first.bias.copy_(-first.weight[:, 0] * bend)
    players.average.update(0.0)
