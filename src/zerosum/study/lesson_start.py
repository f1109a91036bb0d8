"""Where the teaching figure starts: a p_g that is shifted to the right of p_data and too narrow, and a D that is partly right."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn
from torch.special import ndtr, ndtri

from zerosum.game.value import VALUES
from zerosum.study.density_game import DensityGame
from zerosum.theory.optimum import LOG4, v, v_star

# In standard deviations of p_data. D* then falls from left to right over all of p_g, so that every sample of G is pushed the same way.
SHIFT = 1.0
SPREAD = 0.95
REACH = 1.5  # p_g's ends, in its own standard deviations: a uniform z has no tails

PARTLY = 0.6  # panel (a): the share of the way from V = -log 4 to V(D*, G) that D has come
_MOST_STEPS = 200


def _target(z: Tensor, uniform: bool) -> Tensor:
    """The start's G in standard units of p_data: monotone, so that z runs from left to right."""
    if not uniform:
        return SHIFT + SPREAD * z
    low: Tensor = ndtr(torch.tensor(-REACH, dtype=torch.float64))
    bell: Tensor = ndtri(low + (1 - 2 * low) * (z + 1) / 2)
    return SHIFT + SPREAD * bell


@torch.no_grad()
def start_generator(density_game: DensityGame) -> None:
    """Fit G's last layer to the start by least squares, given its random hidden layers. Networks without an MLP's head are left alone."""
    G = density_game.players.G
    body = getattr(G, "body", None)
    if body is None or not isinstance(getattr(body, "head", None), nn.Linear):
        return
    uniform = density_game.config.prior.kind == "uniform"
    z = torch.linspace(-1, 1, 2001, dtype=torch.float64) * (1.0 if uniform else 3.0)
    hidden = copy.deepcopy(body).double().features(z[:, None])
    columns = torch.cat([hidden, torch.ones(len(z), 1, dtype=torch.float64)], 1)
    # A little ridge keeps the weights small, and with them the first steps.
    gram = columns.T @ columns / len(z) + 1e-6 * torch.eye(columns.shape[1], dtype=torch.float64)
    weights = torch.linalg.solve(gram, columns.T @ _target(z, uniform) / len(z))
    body.head.weight.copy_(weights[None, :-1])
    body.head.bias.copy_(weights[-1:])
    density_game.players.ema.update(0.0)


def train_partly(density_game: DensityGame) -> None:
    """Train D alone until it is partly right. G of this game must be frozen."""
    pair = density_game.pair()
    goal = -LOG4 + PARTLY * (v_star(pair) + LOG4)
    known = VALUES[density_game.config.game.value].probability
    for _ in range(_MOST_STEPS if known else _MOST_STEPS // 10):
        density_game.play(1)
        if known and v(pair, density_game.logits(pair)) >= goal:
            return
