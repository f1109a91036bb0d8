"""What changes over a training, as functions of the samples seen: never of the clock."""

from __future__ import annotations

from math import cos, pi

from zerosum.play.config import Config, GameOptions, PlayerOptions


def cosine(seen: int, horizon: int | None) -> float:
    """A cosine from 1 at the start to 0 at the horizon (Loshchilov and Hutter 2017, arXiv 1608.03983, eq. 5); 1 without a horizon."""
    progress = min(1.0, seen / horizon) if horizon else 0.0
    return (1 + cos(pi * progress)) / 2


def gamma(game: GameOptions, seen: int, horizon: int | None) -> float:
    """The penalty's weight: gamma^c gamma_end^(1 - c), with c falling from 1 to 0. Huang et al. 2024, section 4, let it fall tenfold."""
    if game.gamma_end is None or game.gamma == 0:
        return game.gamma
    c = cosine(seen, horizon)
    return float(game.gamma**c * game.gamma_end ** (1 - c))


def lowest(player: PlayerOptions) -> float:
    """The rate at the horizon. Who asks for less than a preset's lr_end, be it 0, gets what was asked for throughout."""
    return player.lr if player.lr_end is None else min(player.lr, player.lr_end)


def learning_rate(player: PlayerOptions, warmup: float, seen: int, horizon: int | None) -> float:
    """A linear rise over `warmup` samples, times a cosine from lr down to lr_end at the horizon."""
    end = lowest(player)
    rate = end + (player.lr - end) * cosine(seen, horizon)
    return rate * (min(1.0, seen / warmup) if warmup > 0 else 1.0)


def depends_on_horizon(config: Config) -> bool:
    """Whether a run extended to a later horizon differs from one that was given that horizon from the start."""
    penalty = config.game.gamma_end not in (None, config.game.gamma)
    return penalty or any(lowest(player) != player.lr for player in (config.d, config.g))
