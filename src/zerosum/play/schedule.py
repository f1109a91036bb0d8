"""What changes over a training, as functions of the samples seen: learning rates and the penalty's weight.

`horizon` is everywhere the end of the run in samples, or its `Course`, or None while the end is not known; then nothing decays yet.
"""

from __future__ import annotations

from dataclasses import replace
from math import cos, pi

from zerosum.play.config import Config, PlayerOptions
from zerosum.play.course import Course

End = int | Course | None

PART = 1 / 3
"""Share of a run that ends by its plateau in which it decays, where its config says nothing."""


def cosine(seen: int, horizon: End, share: float = 1.0) -> float:
    """1 up to the last `share` of the run, and there a cosine from 1 to 0 (Loshchilov and Hutter 2017, arXiv 1608.03983, eq. 5).

    1 everywhere without a horizon. share: above 0, at most 1. With less than 1 the part before the decay is the same whenever the run
    ends, so that a run can be extended from there (Hu et al. 2024, arXiv 2404.06395, section 4.2; Hagele et al. 2024, arXiv 2405.18392).
    """
    if isinstance(horizon, Course):
        progress = horizon.at(seen)
    else:
        progress = min(1.0, seen / horizon) if horizon else 0.0
    return (1 + cos(pi * max(0.0, (progress - (1 - share)) / share))) / 2


def gamma(config: Config, seen: int, horizon: End) -> float:
    """The penalty's weight: gamma^c gamma_end^(1 - c), where c decays from 1 to 0. In Huang et al. 2024, section 4, it decays tenfold."""
    game = config.game
    if game.gamma_end is None or game.gamma == 0:
        return game.gamma
    c = cosine(seen, horizon, config.decay)
    return float(game.gamma**c * game.gamma_end ** (1 - c))


def lowest(player: PlayerOptions) -> float:
    """The learning rate at the horizon. A given lr below a preset's lr_end, 0 included, is kept throughout."""
    return player.lr if player.lr_end is None else min(player.lr, player.lr_end)


def learning_rate(player: PlayerOptions, config: Config, seen: int, horizon: End) -> float:
    """A linear warm-up over config.warmup samples, times a cosine from lr down to lr_end in the run's last part, config.decay of it."""
    end, warmup = lowest(player), config.warmup
    rate = end + (player.lr - end) * cosine(seen, horizon, config.decay)
    return rate * (min(1.0, seen / warmup) if warmup > 0 else 1.0)


def with_constant_part(config: Config) -> Config:
    """The config of a run that is to plateau before it decays."""
    return replace(config, decay=PART) if config.decay == 1 and depends_on_horizon(config) else config


def in_decay(config: Config, seen: int, horizon: End) -> bool:
    """Whether the decay has begun for the step after which so many samples are seen. Never without a horizon."""
    return cosine(seen, horizon, config.decay) < 1


def depends_on_horizon(config: Config) -> bool:
    """Whether a run extended to a later horizon differs from one that was given that horizon from the start."""
    penalty = config.game.gamma_end not in (None, config.game.gamma)
    return penalty or any(lowest(player) != player.lr for player in (config.d, config.g))
