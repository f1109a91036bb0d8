"""Which convolutions of a run's nets are faster as matrix products: found once, by timing both on this machine.

Only wide layers are timed: narrow ones were slower as products wherever they were tried (docs/speed.md).
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Iterator, Mapping, Sequence

import torch
from torch import Tensor, nn

from zerosum.chance import normal
from zerosum.engine.networks import labels_for
from zerosum.engine.strided import Routes, down, is_strided, outer, up

WIDE = 128 * 128  # input channels times output channels from which a layer is timed
MARGIN = 0.85  # A product is used where it takes less than this share of the convolution's time.
TRIES = 3

MapShape = tuple[int, int, int, int]  # N, C, H, W of the larger map


def faster_as_products(players: Mapping[str, nn.Module], inputs: Mapping[str, Sequence[int]]) -> str:
    """The convolutions that are faster as products, as bf16_copy.routes_of reads them; "" for none.

    players: by letter. inputs: by letter, the shape of one batch that the player is called with.
    """
    timed: dict[tuple[MapShape, int], Routes] = {}
    words = []
    for letter, player in players.items():
        for name, size, channels in wide(player, inputs[letter]):
            if (size, channels) not in timed:
                timed[size, channels] = faster(size, channels)
            if any(timed[size, channels]):
                maps = "+".join(m for m, by_product in timed[size, channels]._asdict().items() if by_product)
                words.append(f"{letter}.{name}:{maps}")
    return " ".join(words)


def wide(player: nn.Module, batch: Sequence[int]) -> Iterator[tuple[str, MapShape, int]]:
    """Each wide convolution of a player: its name, the shape of its larger map, the channels of its smaller map.

    The shapes are seen as one sample passes through a copy: on the meta device PyTorch would load its compiler first, for seconds.
    """
    names = [name for name, layer in player.named_modules() if is_strided(layer) and layer.in_channels * layer.out_channels >= WIDE]
    if not names:
        return
    trial = copy.deepcopy(player).eval()
    seen: dict[str, tuple[MapShape, int]] = {}

    def watch(name: str) -> Callable[[nn.Module, tuple[Tensor, ...], Tensor], None]:
        def note(layer: nn.Module, given: tuple[Tensor, ...], out: Tensor) -> None:
            large, small = (out, given[0]) if isinstance(layer, nn.ConvTranspose2d) else (given[0], out)
            _, c, h, w = large.shape
            seen[name] = ((batch[0], c, h, w), small.shape[1])

        return note

    for name in names:
        trial.get_submodule(name).register_forward_hook(watch(name))
    with torch.no_grad():
        trial(next(player.parameters()).new_zeros(1, *batch[1:]), *labels_for(player, 1))
    yield from ((name, size, channels) for name, (size, channels) in seen.items())


def faster(size: MapShape, channels: int) -> Routes:
    """Times the three maps of a convolution in bf16 both ways; True for those that are faster as a product."""
    n, c, h, w = size
    # The values do not change the time, as long as they are ordinary numbers.
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
    """The shortest of a few tries, after one that does not count."""
    work(by_product)
    taken = []
    for _ in range(TRIES):
        start = time.perf_counter()
        work(by_product)
        taken.append(time.perf_counter() - start)
    return min(taken)
