"""What changes over a training, as functions of the samples seen: never of the clock."""

from __future__ import annotations

from math import cos, pi

from zerosum.run.config import PlayerOptions


def learning_rate(player: PlayerOptions, warmup: float, seen: int, horizon: int | None) -> float:
    """A linear rise over `warmup` samples, times a cosine from lr to lr_end at the horizon (Loshchilov and Hutter 2017, eq. 5, one period).

    Until a horizon is fixed the cosine stands at its start.
    """
    end = player.lr if player.lr_end is None else player.lr_end
    progress = min(1.0, seen / horizon) if horizon else 0.0
    rate = end + (player.lr - end) * (1 + cos(pi * progress)) / 2
    return rate * (min(1.0, seen / warmup) if warmup > 0 else 1.0)


def depends_on_horizon(player: PlayerOptions) -> bool:
    """Whether a run extended to a later horizon differs from one that was given that horizon from the start."""
    return player.lr_end is not None and player.lr_end != player.lr
