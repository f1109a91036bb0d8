"""Which convolutions of a run's nets are computed as matrix products: decided once, by timing both routes on this machine.

Only wide layers are timed: narrow ones lost everywhere they were tried (docs/speed.md), and an untimed choice is the same in every run.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import torch
from torch import Tensor, nn

from zerosum.chance import normal
from zerosum.engine.bf16_copy import can_be_copied
from zerosum.engine.strided import Routes, down, fits, outer, up
from zerosum.play.config import Config
from zerosum.play.device import Execution
from zerosum.play.players import Players, draws_random_numbers

WIDE = 128 * 128  # channels in times channels out from which a layer is timed
MARGIN = 0.85  # A product is taken where it needs less than this share of the convolution's time.
TRIES = 3

Shape = tuple[int, int, int, int]  # N, C, H, W of the larger map


def fitted(engine: Execution, config: Config, players: Players, shape: Sequence[int] | None) -> Execution:
    """The engine with what depends on the nets: plain eager where they cannot have bf16_copies, and the routes of their convolutions.

    shape: of a sample; None for a person's own nets, whose convolutions keep PyTorch's routes.
    """
    if engine.engine == "graph" and any(draws_random_numbers(player) for player in (players.G, players.D)):
        return replace(engine, engine="eager", reason=f"{engine.reason}; but dropout draws anew in each round, which is not recorded")
    if engine.engine != "bf16_copy":
        return engine
    if not all(can_be_copied(player) for player in (players.G, players.D)):
        return replace(engine, engine="eager", reason=f"{engine.reason}; the nets hold layers that autocast alone knows how to compute")
    if shape is None:
        return engine
    engine.prepare()
    timed: dict[tuple[Shape, int], Routes] = {}
    words = []
    for letter, player, row in (("d", players.D, tuple(shape)), ("g", players.G, (config.prior.dim,))):
        for name, size, channels in wide(player, (config.batch, *row)):
            if (size, channels) not in timed:
                timed[size, channels] = faster(size, channels)
            if any(timed[size, channels]):
                maps = "+".join(m for m, by_product in timed[size, channels]._asdict().items() if by_product)
                words.append(f"{letter}.{name}:{maps}")
    reason = f"; {len(words)} wide convolutions were timed faster as matrix products" if words else ""
    return replace(engine, routes=" ".join(words), reason=engine.reason + reason)


def wide(player: nn.Module, batch: Sequence[int]) -> Iterator[tuple[str, Shape, int]]:
    """Each wide convolution of a player: its name, its larger map's shape, its smaller map's channels.

    Maps are seen on one sample's way through a copy: on the meta device PyTorch would load its compiler first, for seconds.
    """
    names = [name for name, layer in player.named_modules() if fits(layer) and layer.in_channels * layer.out_channels >= WIDE]
    if not names:
        return
    trial = copy.deepcopy(player).eval()
    seen: dict[str, tuple[Shape, int]] = {}

    def watch(name: str) -> Callable[[nn.Module, tuple[Tensor, ...], Tensor], None]:
        def note(layer: nn.Module, given: tuple[Tensor, ...], out: Tensor) -> None:
            large, small = (out, given[0]) if isinstance(layer, nn.ConvTranspose2d) else (given[0], out)
            _, c, h, w = large.shape
            seen[name] = ((batch[0], c, h, w), small.shape[1])

        return note

    for name in names:
        trial.get_submodule(name).register_forward_hook(watch(name))
    with torch.no_grad():
        trial(next(player.parameters()).new_zeros(1, *batch[1:]))
    yield from ((name, size, channels) for name, (size, channels) in seen.items())


def faster(size: Shape, channels: int) -> Routes:
    """Times the three maps of a convolution by both routes, in bf16, and says which are faster as a product."""
    n, c, h, w = size
    # Values do not matter to the time, as long as they are ordinary numbers.
    x, weight, y = (
        normal(shape, 0, "routes").bfloat16().to(memory_format=torch.channels_last)
        for shape in (size, (channels, c, 4, 4), (n, channels, h // 2, w // 2))
    )
    odd = (h % 2, w % 2)
    works: tuple[Callable[[bool], Tensor], ...] = (
        lambda by_product: down(x, weight, by_product),
        lambda by_product: up(y, weight, odd, by_product),
        lambda by_product: outer(x, y, by_product),
    )
    return Routes(*(_seconds(work, True) < MARGIN * _seconds(work, False) for work in works))


def _seconds(work: Callable[[bool], Tensor], by_product: bool) -> float:
    """The shortest of a few tries, after one that is not counted."""
    work(by_product)
    taken = []
    for _ in range(TRIES):
        start = time.perf_counter()
        work(by_product)
        taken.append(time.perf_counter() - start)
    return min(taken)
