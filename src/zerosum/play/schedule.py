"""What changes over a training, as functions of the samples seen: learning rates and the penalty's weight.

`horizon` is everywhere the end of the run in samples, or its `Course`, or None while the end is not known; then nothing decays yet.
"""

from __future__ import annotations

from math import cos, pi

from zerosum.play.config import Config, GameOptions, PlayerOptions
from zerosum.play.course import Course

End = int | Course | None


def cosine(seen: int, horizon: End) -> float:
    """A cosine from 1 at the start to 0 at the horizon (Loshchilov and Hutter 2017, arXiv 1608.03983, eq. 5); 1 without a horizon."""
    if isinstance(horizon, Course):
        progress = horizon.at(seen)
    else:
        progress = min(1.0, seen / horizon) if horizon else 0.0
    return (1 + cos(pi * progress)) / 2


def gamma(game: GameOptions, seen: int, horizon: End) -> float:
    """The penalty's weight: gamma^c gamma_end^(1 - c), where c decays from 1 to 0. In Huang et al. 2024, section 4, it decays tenfold."""
    if game.gamma_end is None or game.gamma == 0:
        return game.gamma
    c = cosine(seen, horizon)
    return float(game.gamma**c * game.gamma_end ** (1 - c))


def lowest(player: PlayerOptions) -> float:
    """The learning rate at the horizon. A given lr below a preset's lr_end, 0 included, is kept throughout."""
    return player.lr if player.lr_end is None else min(player.lr, player.lr_end)


def learning_rate(player: PlayerOptions, warmup: float, seen: int, horizon: End) -> float:
    """A linear warm-up over `warmup` samples, times a cosine from lr down to lr_end at the horizon."""
    end = lowest(player)
    rate = end + (player.lr - end) * cosine(seen, horizon)
    return rate * (min(1.0, seen / warmup) if warmup > 0 else 1.0)


def depends_on_horizon(config: Config) -> bool:
    """Whether a run extended to a later horizon differs from one that was given that horizon from the start."""
    penalty = config.game.gamma_end not in (None, config.game.gamma)
    return penalty or any(lowest(player) != player.lr for player in (config.d, config.g))
