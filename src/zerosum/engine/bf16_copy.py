"""A bf16 copy of a player's weights, to compute with: the weights are rounded once after each update, not at every use.

Under autocast each use of a layer casts its weights again, about six times a step, and each cast has a backward pass. The player itself,
which the optimiser updates and a checkpoint contains, stays float32.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from zerosum.engine.strided import CONVOLUTION, PRODUCT, Routed, Routes, is_strided

PRODUCTS = (nn.Linear, nn.Conv2d, nn.ConvTranspose2d)
KNOWN = (*PRODUCTS, nn.modules.batchnorm._BatchNorm, nn.Embedding)


def can_be_copied(module: nn.Module) -> bool:
    """Whether all weights are float32 and belong to layers that autocast computes in bf16, or that keep float32 under it."""
    return all(p.dtype == torch.float32 for p in module.parameters()) and all(
        isinstance(layer, KNOWN) for layer in module.modules() if [*layer.parameters(recurse=False), *layer.buffers(recurse=False)]
    )


class Bf16Copy:
    """`module` computes in place of `player`; call `refresh` before. Buffers (running statistics) are the player's own.

    of: the copy's weight for each of the player's. stale: whether the player's weights may have changed since they were copied.
    """

    def __init__(self, player: nn.Module, routes: Mapping[str, Routes]) -> None:
        """routes: by the name of a convolution in the player; one that is not named is computed by PyTorch's convolution."""
        self.player = player
        self.module = copy.deepcopy(player, {id(b): b for b in player.buffers()})
        for layer in self.module.modules():
            if isinstance(layer, PRODUCTS):
                for p in layer.parameters(recurse=False):
                    p.data = p.data.to(torch.bfloat16)
        _reroute(self.module, routes)
        theirs, mine = dict(player.named_parameters()), dict(self.module.named_parameters())
        self.of: dict[Tensor, Tensor] = {theirs[name]: mine[name] for name in theirs}
        # Set by whoever changes the weights: fused Adam does not advance a tensor's version counter.
        self.stale = True

    @torch.no_grad()
    def refresh(self) -> None:
        """Copies the player's weights if they may have changed."""
        if self.stale:
            torch._foreach_copy_(list(self.of.values()), list(self.of))
            self.stale = False


def bf16_copies(players: Mapping[str, nn.Module], routes: str) -> dict[str, Bf16Copy]:
    """A copy of each player, by its letter; none where one of them contains layers of other kinds. routes: as in `routes_of`."""
    if not all(can_be_copied(player) for player in players.values()):
        return {}
    return {letter: Bf16Copy(player, routes_of(routes, letter)) for letter, player in players.items()}


def with_routes(player: nn.Module, routes: Mapping[str, Routes]) -> nn.Module:
    """The same player, with the very same weights and buffers, whose named convolutions are computed by other routes.

    A name that is none of the player's strided convolutions is left out.
    """
    fitting = {name: route for name, route in routes.items() if name in dict(player.named_modules())}
    if not fitting:
        return player
    owned = [*player.parameters(), *player.buffers()]
    module = copy.deepcopy(player, {id(tensor): tensor for tensor in owned})
    _reroute(module, fitting)
    return module


def _reroute(module: nn.Module, routes: Mapping[str, Routes]) -> None:
    for name, layer in list(module.named_modules()):
        if name in routes and is_strided(layer):
            assert isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d))
            module.set_submodule(name, Routed(layer, routes[name]))


def routes_of(stated: str, letter: str) -> dict[str, Routes]:
    """The convolutions of one player that are computed by other routes, by name.

    stated: "d.down.2:outer+up g.up.0:up-unshuffled": the player's letter, the layer's name and, after the colon, which of its maps; by a
    matrix product where no route is named.
    """
    found = {}
    for word in stated.split():
        player, _, name = word.partition(":")[0].partition(".")
        if player == letter:
            maps = dict(part.partition("-")[::2] for part in word.partition(":")[2].split("+"))
            found[name] = Routes(*(maps[m] or PRODUCT if m in maps else CONVOLUTION for m in Routes._fields))
    return found


def stated_routes(letter: str, name: str, routes: Routes) -> str:
    """One convolution's routes as a word that `routes_of` reads."""
    maps = (m if route == PRODUCT else f"{m}-{route}" for m, route in routes._asdict().items() if route != CONVOLUTION)
    return f"{letter}.{name}:{'+'.join(maps)}"
