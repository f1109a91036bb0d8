"""The module that plays in a player's stead: the same weights, copied to bf16 once an update rather than at every use.

Under autocast each use of a layer casts its weights anew, in a round some six times, and each cast has a backward. The player itself, which
is what the optimiser moves and a checkpoint holds, stays float32. Convolutions may take other routes here (engine/strided.py).
"""

from __future__ import annotations

import copy
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from zerosum.engine.strided import Routed, Routes
from zerosum.play.device import Execution
from zerosum.play.players import Players

PRODUCTS = (nn.Linear, nn.Conv2d, nn.ConvTranspose2d)
KNOWN = (*PRODUCTS, nn.modules.batchnorm._BatchNorm)


def can_be_copied(module: nn.Module) -> bool:
    """Whether all of a module's weights are float32 and of layers that autocast computes in bf16, or of such as keep float32 beside it."""
    return all(p.dtype == torch.float32 for p in module.parameters()) and all(
        isinstance(layer, KNOWN) for layer in module.modules() if [*layer.parameters(recurse=False), *layer.buffers(recurse=False)]
    )


class Bf16Copy:
    """`module` is to be called in place of `player`, after `follow`. Buffers (running statistics) are the player's own.

    stale: whether the player's weights may have moved since they were copied.
    """

    def __init__(self, player: nn.Module, dtype: torch.dtype, routes: Mapping[str, Routes]) -> None:
        """routes: by a convolution's name in the player; a name that is missing keeps PyTorch's own."""
        self.player = player
        self.module = copy.deepcopy(player, {id(b): b for b in player.buffers()})
        for name, layer in list(self.module.named_modules()):
            if isinstance(layer, PRODUCTS):
                for p in layer.parameters(recurse=False):
                    p.data = p.data.to(dtype)
            if name in routes:
                assert isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d))
                self.module.set_submodule(name, Routed(layer, routes[name]))
        theirs, mine = dict(player.named_parameters()), dict(self.module.named_parameters())
        self.of: dict[Tensor, Tensor] = {theirs[name]: mine[name] for name in theirs}
        # Said by whoever moves the weights: fused Adam leaves no trace in a tensor's version.
        self.stale = True

    @torch.no_grad()
    def follow(self) -> None:
        """Copies the player's weights, if they may have moved."""
        if self.stale:
            torch._foreach_copy_(list(self.of.values()), list(self.of))
            self.stale = False


def bf16_copies(engine: Execution, players: Players) -> dict[str, Bf16Copy]:
    """A twin for each player, by letter, where the engine has them; none for a person's own modules of other layers."""
    pairs = {"d": players.D, "g": players.G}
    if engine.engine != "bf16_copy" or not all(can_be_copied(player) for player in pairs.values()):
        return {}
    return {letter: Bf16Copy(player, torch.bfloat16, routes_of(engine.routes, letter)) for letter, player in pairs.items()}


def routes_of(stated: str, letter: str) -> dict[str, Routes]:
    """What the engine states of one player's convolutions: "d.down.2:outer+up g.up.0:outer" names, after a colon, the maps that are a
    matrix product."""
    found = {}
    for word in stated.split():
        player, _, name = word.partition(":")[0].partition(".")
        if player == letter:
            maps = word.partition(":")[2].split("+")
            found[name] = Routes(*(m in maps for m in Routes._fields))
    return found
