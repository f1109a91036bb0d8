"""Which convolutions of a run's nets are faster by another route than PyTorch's: found once, by timing them on this machine.

Wide layers are timed as matrix products, and layers at the image on unshuffled maps and as products. All others were fastest as
convolutions wherever they were tried (docs/speed.md).
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Iterator, Mapping, Sequence

import torch
from torch import Tensor, nn

from zerosum.chance import normal
from zerosum.engine.bf16_copy import stated_routes
from zerosum.engine.networks import labels_for
from zerosum.engine.strided import CONVOLUTION, PRODUCT, UNSHUFFLED, Routes, down, is_strided, outer, up

WIDE = 128 * 128  # input channels times output channels from which a layer is timed as a product
WIDEST = 256 * 512  # from which the weight gradient is a product without timing
FEW = 4  # channels of an image, up to which other routes than the convolution are timed
MARGIN = 0.85  # Another route is used where it takes less than this share of the convolution's time.
TRIES = 3

MapShape = tuple[int, int, int, int]  # N, C, H, W of the larger map


def usual_routes(players: Mapping[str, nn.Module]) -> str:
    """The routes that gained on every processor that was tried, without timing.

    Maps up to an image of few channels are unshuffled. The weight gradients of the widest layers, whose maps are small, are products.
    """
    words = []
    for letter, player in players.items():
        for name, layer in player.named_modules():
            if (routes := _usual(layer)) != Routes():
                words.append(stated_routes(letter, name, routes))
    return " ".join(words)


def _usual(layer: nn.Module) -> Routes:
    if not is_strided(layer):
        return Routes()
    return Routes(
        up=UNSHUFFLED if _few(layer) <= FEW < _many(layer) else CONVOLUTION,
        outer=PRODUCT if _few(layer) * _many(layer) >= WIDEST else CONVOLUTION,
    )


def faster_routes(players: Mapping[str, nn.Module], inputs: Mapping[str, Sequence[int]], dtype: torch.dtype, until: float) -> str:
    """The convolutions that are faster by other routes, as bf16_copy.routes_of reads them; "" for none.

    players: by letter. inputs: by letter, the shape of one batch that the player is called with. dtype: in which they are computed.
    until: time.perf_counter() after which no further layer is timed; it keeps its usual route.
    """
    timed: dict[tuple[MapShape, int], Routes] = {}
    words = []
    for letter, player in players.items():
        for name, size, channels in candidates(player, inputs[letter]):
            if (size, channels) not in timed and time.perf_counter() > until:
                timed[size, channels] = _usual(player.get_submodule(name))
            elif (size, channels) not in timed:
                timed[size, channels] = fastest(size, channels, dtype)
            if any(timed[size, channels]):
                words.append(stated_routes(letter, name, timed[size, channels]))
    return " ".join(words)


def _few(layer: nn.Module) -> int:
    assert isinstance(layer, nn.Conv2d | nn.ConvTranspose2d)
    return min(layer.in_channels, layer.out_channels)


def _many(layer: nn.Module) -> int:
    assert isinstance(layer, nn.Conv2d | nn.ConvTranspose2d)
    return max(layer.in_channels, layer.out_channels)


def _may_gain(layer: nn.Module) -> bool:
    return is_strided(layer) and (_few(layer) * _many(layer) >= WIDE or _few(layer) <= FEW < _many(layer))


def candidates(player: nn.Module, batch: Sequence[int]) -> Iterator[tuple[str, MapShape, int]]:
    """Each convolution of a player that another route may compute faster: its name, its larger map's shape, its smaller map's channels.

    The shapes are seen as one sample passes through a copy: on the meta device PyTorch would load its compiler first, for seconds.
    """
    names = [name for name, layer in player.named_modules() if _may_gain(layer)]
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


def fastest(size: MapShape, channels: int, dtype: torch.dtype) -> Routes:
    """Times the three maps of a convolution by each route that may gain, and returns the fastest of each."""
    n, c, h, w = size
    # The values do not change the time, as long as they are ordinary numbers.
    x, weight, y = (
        normal(shape, 0, "routes").to(dtype).contiguous(memory_format=torch.channels_last)
        for shape in (size, (channels, c, 4, 4), (n, channels, h // 2, w // 2))
    )
    odd = (h % 2, w % 2)
    works: tuple[Callable[[str], Tensor], ...] = (
        lambda route: down(x, weight, route),
        lambda route: up(y, weight, odd, route),
        lambda route: outer(x, y, route),
    )
    others = (PRODUCT, UNSHUFFLED) if c <= FEW else (PRODUCT,)
    return Routes(*(_fastest(work, others) for work in works))


def _fastest(work: Callable[[str], Tensor], others: Sequence[str]) -> str:
    taken = {route: _seconds(work, route) for route in (CONVOLUTION, *others)}
    best = min(taken, key=taken.__getitem__)
    return best if taken[best] < MARGIN * taken[CONVOLUTION] else CONVOLUTION


def _seconds(work: Callable[[str], Tensor], route: str) -> float:
    """The shortest of a few tries, after one that does not count."""
    work(route)
    taken = []
    for _ in range(TRIES):
        start = time.perf_counter()
        work(route)
        taken.append(time.perf_counter() - start)
    return min(taken)
