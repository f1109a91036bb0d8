"""Statements about one training step: play/step.py is Algorithm 1, and its inputs are what the algorithm asks for.

Algorithm 1 is written here once more, in plain PyTorch with PyTorch's own Adam. Both play the same steps from the same weights; the
largest difference of any weight afterwards must be rounding.
"""

from __future__ import annotations

import copy
from dataclasses import replace

import torch
from torch import Tensor, nn

from zerosum.chance import normal
from zerosum.data.batch import Batch
from zerosum.data.space import Space, points
from zerosum.play.config import Config, GameOptions, NetOptions, PlayerOptions, PriorOptions
from zerosum.play.device import choose
from zerosum.play.distributed import ALONE
from zerosum.play.inputs import InputSampler, StepInputs, schedules
from zerosum.play.players import Players
from zerosum.play.step import Algorithm1
from zerosum.theory.proofs_value import PUBLISHED_LOSSES
from zerosum.theory.statement import Statement, relative_statement, statement

ALGORITHM_1 = "Goodfellow et al. 2014, Algorithm 1"
BATCH, FIRST, STEPS, HALF_LIFE = 8, 1000, 3, 100.0
SPACE = replace(points((0.0, 0.0), (1.0, 1.0)), classes=("a", "b", "c"))
BASE = Config(
    game=GameOptions(value="non_saturating", penalty="none", k=2),
    prior=PriorOptions(dim=3),
    net=NetOptions(width=8, depth=2, activation="leaky_relu"),
    d=PlayerOptions(lr=1e-2, beta1=0.5, beta2=0.9),
    g=PlayerOptions(lr=2e-3, beta1=0.5, beta2=0.9),
    batch=BATCH,
    average=HALF_LIFE,
    threads=1,
    device="cpu",
)
GAMES = {
    "k = 2": BASE,
    "simultaneous": replace(BASE, game=replace(BASE.game, value="minimax", order="simultaneous", k=1)),
    "two steps of G": replace(BASE, game=replace(BASE.game, value="hinge", k=1, g_steps=2)),
    "by class": replace(BASE, game=replace(BASE.game, value="least_squares"), net=replace(BASE.net, classes="auto")),
}


class Labelled:
    """Endless labelled points: three clusters, a number a class."""

    def batch(self, n: int, seed: int, counter: int) -> Batch:
        y = torch.arange(counter, counter + n) % 3
        return Batch(normal((n, 2), seed, "proofs-step", counter) + y[:, None], y)


class Plain:
    """Algorithm 1 by hand, on copies of the players."""

    def __init__(self, config: Config, players: Players) -> None:
        self.config, self.labelled = config, bool(players.labelled)
        self.nets = {"d": copy.deepcopy(players.D), "g": copy.deepcopy(players.G)}
        self.ema = copy.deepcopy(players.G)
        options = {"d": config.d, "g": config.g}
        self.adam = {
            letter: torch.optim.Adam(net.parameters(), lr=options[letter].lr, betas=(options[letter].beta1, options[letter].beta2))
            for letter, net in self.nets.items()
        }

    def _called(self, letter: str, x: Tensor, y: Tensor | None) -> Tensor:
        out: Tensor = self.nets[letter](x, y) if self.labelled else self.nets[letter](x)
        return out

    def _gradients(self, letter: str, loss: Tensor) -> None:
        gradients = torch.autograd.grad(loss, list(self.nets[letter].parameters()))
        for p, g in zip(self.nets[letter].parameters(), gradients, strict=True):
            p.grad = g

    def step(self, inputs: StepInputs) -> None:
        """k updates of D, each on its own minibatches; then G's, against the new D; then the EMA."""
        game, (loss_d, loss_g) = self.config.game, PUBLISHED_LOSSES[self.config.game.value]
        for j in range(game.k):
            x, y = inputs.real[j]
            with torch.no_grad():
                fake = self._called("g", inputs.z_d[j], y)
            self._gradients("d", loss_d(self._called("d", x, y), self._called("d", fake, y)).mean())
            if game.order == "alternating":
                self.adam["d"].step()
        for z in inputs.z_g:
            with torch.no_grad():
                a = self._called("d", x, y)
            self._gradients("g", loss_g(a, self._called("d", self._called("g", z, y), y)).mean())
            if game.order == "simultaneous":
                self.adam["d"].step()
            self.adam["g"].step()
        keep = 0.5 ** (game.k * self.config.batch / self.config.average)
        with torch.no_grad():
            for mean, p in zip(self.ema.parameters(), self.nets["g"].parameters(), strict=True):
                mean.copy_(keep * mean + (1 - keep) * p)


def _apart(one: nn.Module, other: nn.Module) -> float:
    return max(float((p - q).detach().abs().max()) for p, q in zip(one.parameters(), other.parameters(), strict=True))


def _steps() -> list[Statement]:
    rows = []
    for name, config in GAMES.items():
        for engine in ("auto", "eager"):
            config = replace(config, engine=engine)
            algorithm = _algorithm(config, SPACE)
            players, plain = algorithm.players, Plain(config, algorithm.players)
            for t in range(FIRST, FIRST + STEPS):
                plain.step(algorithm.sampler(t, None))
                algorithm.step(t, None)
            pairs = {"D": (players.D, plain.nets["d"]), "G": (players.G, plain.nets["g"]), "EMA of G": (players.ema.module, plain.ema)}
            backend = "closed form" if engine == "auto" else "autograd"
            rows += [
                statement(f"{who} after {STEPS} steps, {name}, {backend}: largest difference", ALGORITHM_1, 0.0, _apart(*pair), 2e-5)
                for who, pair in pairs.items()
            ]
    return rows


def _algorithm(config: Config, space: Space) -> Algorithm1:
    with torch.random.fork_rng(devices=[]):
        players = Players(config, space, torch.device("cpu"))
        return Algorithm1(config, players, Labelled(), space, choose(config, space.kind))


def _inputs() -> list[Statement]:
    """The minibatches of a step are independent, and the schedules are those of their formulas."""
    n = 4096
    config = replace(BASE, batch=n, game=GameOptions(value="wasserstein", penalty="gp", k=2, gamma=1.0, gamma_end=0.01))
    inputs = InputSampler(config, Labelled(), ALONE, torch.device("cpu"), torch.float32)(0, None)
    first, second, of_G = *inputs.z_d, inputs.z_g[0]
    noise = {"D's first and second": (first, second), "D's first and G's": (first, of_G), "D's second and G's": (second, of_G)}
    rows = [
        statement(f"{which} minibatch of noise: correlation", ALGORITHM_1, 0.0, _correlation(a, b), 0.05) for which, (a, b) in noise.items()
    ]
    first, second = (real.x for real in inputs.real)
    same = float((first == second).all(1).double().mean())
    rows.append(statement("D's first and second minibatch of real samples: share in common", ALGORITHM_1, 0.0, same, 0.0))
    source = "Gulrajani et al. 2017, arXiv 1704.00028, Algorithm 1, line 4"
    epsilon = inputs.epsilon[0]
    rows.append(statement("epsilon of the gradient penalty: different numbers in a batch", source, n, len(set(epsilon.tolist())), n / 100))
    rows.append(statement("epsilon of the gradient penalty: mean", source, 0.5, float(epsilon.mean()), 0.03))
    at = schedules(replace(config, d=PlayerOptions(lr=0.3, lr_end=0.1), warmup=0), 1, 8 * n)
    cosine = "Loshchilov and Hutter 2017, arXiv 1608.03983, eq. 5"
    rows.append(relative_statement("D's learning rate at half of the run", cosine, 0.2, float(at.lr_d), 1e-9))
    rows.append(relative_statement("the penalty's weight at half of the run", "Huang et al. 2024, section 4", 0.1, float(at.gamma), 1e-9))
    return rows


def _correlation(a: Tensor, b: Tensor) -> float:
    return float(torch.corrcoef(torch.stack([a.flatten(), b.flatten()]))[0, 1])


def training_step() -> list[Statement]:
    """Algorithm 1 by hand against play/step.py, with both backends; and the inputs of a step."""
    return _steps() + _inputs()
