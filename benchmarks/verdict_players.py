"""Players that no option makes: what is odd about a run of benchmarks/verdict.py beside its options."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor, nn

from zerosum.data.space import Space
from zerosum.play.config import Config
from zerosum.play.players import Players

Map = Callable[[Tensor], Tensor]
Pair = tuple[nn.Module, nn.Module]


class Through(nn.Module):
    """A player whose input, or output, is altered."""

    def __init__(self, player: nn.Module, before: Map | None = None, after: Map | None = None) -> None:
        super().__init__()
        self.player, self._before, self._after = player, before, after

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.player(x if self._before is None else self._before(x))
        return y if self._after is None else self._after(y)


def first_half(x: Tensor) -> Tensor:
    """The first coordinate of points, the left half of images; the rest is 0."""
    kept = torch.zeros_like(x)
    half = max(1, x.shape[-1] // 2)
    kept[..., :half] = x[..., :half]
    return kept


def learns_backwards(D: nn.Module, every: int = 1) -> nn.Module:
    """D with its gradient turned round, as with flipped labels; at all of its steps, or at one in so many."""
    weights = list(D.parameters())
    asked = [0] * len(weights)

    def turned(i: int) -> Map:
        def hook(gradient: Tensor) -> Tensor:
            asked[i] += 1
            return -gradient if asked[i] % every == 0 else gradient

        return hook

    for i, weight in enumerate(weights):
        weight.register_hook(turned(i))  # type: ignore[no-untyped-call]
    return Through(D)


def _narrow(config: Config) -> Config:
    return replace(config, net=replace(config.net, width=1, hidden=min(config.net.hidden, 1)))


# What is odd -> the pair made of (G, D) as the options have them and (G, D) with nets one unit wide.
ODD: dict[str, Callable[[Pair, Pair], Pair]] = {
    "D sees half": lambda whole, narrow: (whole[0], Through(whole[1], before=first_half)),
    "D sees one side": lambda whole, narrow: (whole[0], Through(whole[1], before=lambda x: x.clamp(max=-0.1))),
    "D narrow": lambda whole, narrow: (whole[0], narrow[1]),
    "labels flipped": lambda whole, narrow: (whole[0], learns_backwards(whole[1])),
    "labels at random": lambda whole, narrow: (whole[0], learns_backwards(whole[1], every=2)),
    "G narrow": lambda whole, narrow: (narrow[0], whole[1]),
    "G deaf": lambda whole, narrow: (Through(whole[0], before=lambda z: 0.02 * z), whole[1]),
    "G hears one bit": lambda whole, narrow: (Through(whole[0], before=lambda z: z[:, :1].sign() + 0.05 * z), whole[1]),
    "G bound": lambda whole, narrow: (Through(whole[0], after=lambda y: 0.25 * y.tanh()), whole[1]),
    "D sees roughly": lambda whole, narrow: (whole[0], Through(whole[1], before=lambda x: x.sign())),
    "D sees spread": lambda whole, narrow: (whole[0], Through(whole[1], before=lambda x: x.abs())),
    "G one-sided": lambda whole, narrow: (Through(whole[0], after=lambda y: y.abs()), whole[1]),
    "G hears three": lambda whole, narrow: (
        Through(whole[0], before=lambda z: z[:, :1].mul(1.5).round().clamp(-1, 1) + 0.03 * z),
        whole[1],
    ),
    "G far off": lambda whole, narrow: (Through(whole[0], after=lambda y: 0.4 * y.tanh() - 4), whole[1]),
    "D sees the last": lambda whole, narrow: (whole[0], Through(whole[1], before=lambda x: x - first_half(x))),
    "D sees a corner": lambda whole, narrow: (whole[0], Through(whole[1], before=lambda x: x.clamp(min=0.4))),
    "G clipped": lambda whole, narrow: (Through(whole[0], after=lambda y: y.clamp(-0.35, 0.35)), whole[1]),
    "G hears two bits": lambda whole, narrow: (
        Through(whole[0], before=lambda z: torch.cat([z[:, :2].sign(), 0 * z[:, 2:]], 1) + 0.03 * z),
        whole[1],
    ),
    "G far below": lambda whole, narrow: (Through(whole[0], after=lambda y: 0.5 * y.tanh() + 5), whole[1]),
    "G bound away": lambda whole, narrow: (Through(whole[0], after=lambda y: 3 + 0.5 * y.tanh()), whole[1]),
}


def players(odd: str, config: Config, space: Space) -> Pair | None:
    """(G, D) with something odd about them; None where options do. Their weights are drawn as the run's own would be."""
    if not odd:
        return None
    device = torch.device("cpu")
    whole, narrow = Players(config, space, device), Players(_narrow(config), space, device)
    return ODD[odd]((whole.G, whole.D), (narrow.G, narrow.D))
