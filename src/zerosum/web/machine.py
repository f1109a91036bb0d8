"""The trainer of the lab: players, data and Algorithm 1 exactly as `zerosum train` builds them, whose state can be copied and restored."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace

import torch
from torch import Tensor, nn

from zerosum.chance import generator
from zerosum.data.parts import Rows
from zerosum.data.source import Data
from zerosum.errors import Refusal
from zerosum.game.value import VALUES, smoothed
from zerosum.nets.traits import draws_random_numbers
from zerosum.play.config import Config, check
from zerosum.play.device import choose, fitted
from zerosum.play.players import Players
from zerosum.play.step import Algorithm1
from zerosum.study.density_game import DataUnitDiscriminator, DataUnitGenerator
from zerosum.study.helvetica import Masked
from zerosum.web.setup import Setup, data_of, samples

State = dict[str, Tensor]
BOTH = "dg"

# torch has one global random generator: networks are built, and dropout is drawn, by one thread at a time.
_GLOBAL = threading.Lock()


def _data(setup: Setup) -> Data:
    """The data, with few stored points in place of endless new ones where the setup says so."""
    data = data_of(setup.data)
    if not setup.few:
        return data
    assert data.density is not None
    return replace(data, train=Rows(data.density.sample(setup.few, generator(setup.config.seed, "lab/few points")).numpy()))


class Machine:
    """Players that can be stepped, changed, copied and restored. One thread uses a machine at a time.

    t: steps taken. Raises Refusal for a setup whose options and data do not go together.
    """

    def __init__(self, setup: Setup, config: Config | None = None) -> None:
        self.setup, self.data = setup, _data(setup)
        self.horizon = samples(setup)
        self.t = 0
        self.of: object = None  # the timeline that brought the machine here, for it alone
        self._build(config or setup.config)
        self._begin()

    def _build(self, config: Config) -> None:
        check(config)
        smoothed(VALUES[config.game.value], config.game.smoothing)
        space = self.data.space
        execution = choose(config, space.kind)
        device = execution.prepare()
        with _GLOBAL:
            players = Players(config, space, device)
            if self.setup.blind:
                mask = torch.tensor([1.0] + [0.0] * (space.shape[0] - 1))
                players = Players(config, space, device, (players.G, Masked(players.D, mask)))
        execution = fitted(execution, config, players, space.shape)
        self.config, self.players, self.execution = config, players, execution
        self.algorithm = Algorithm1(config, players, self.data.train, space, execution)
        self._random = any(map(draws_random_numbers, (players.G, players.D)))

    def _begin(self) -> None:
        """What the setup changes before the first step: G far off the data, and updates of D before G moves."""
        if self.setup.far:
            with torch.no_grad():
                last = [p for p in self.players.G.parameters() if p.ndim == 1 and p.numel() == self.data.space.shape[0]][-1]
                last[:1].fill_(self.setup.far)

    def step(self, moving: str = BOTH) -> Tensor:
        """Takes a step in which these players are updated, and returns its statistics. Raises NotFinite."""
        self.algorithm.moving = frozenset(moving if self.t >= self.setup.ahead else "d")
        with _dropout() if self._random else nullcontext():
            played = self.algorithm.step(self.t, self.horizon)
        self.t += 1
        return played

    def change(self, config: Config) -> None:
        """Goes on with other options. A player that its new options still fit keeps its weights and moments; else it begins anew."""
        before, old = self.state(), self.config
        try:
            self._build(config)
        except Refusal:
            self._build(old)
            self._copy(before)
            raise
        now = self._tensors()
        for prefixes in (("D.", "d."), ("G.", "average.", "g.")):
            mine = {name: t for name, t in now.items() if name.startswith(prefixes)}
            weights = {name: t for name, t in mine.items() if name[0].isupper() or name.startswith("average.")}
            if all(name in before and before[name].shape == t.shape for name, t in weights.items()):
                self._copy({name: before[name] for name in mine if name in before and before[name].shape == mine[name].shape})

    def state(self) -> State:
        """Copies of everything that a step changes: weights and moments by name."""
        return {name: t.detach().clone() for name, t in self._tensors().items()}

    def weights(self) -> State:
        """Copies of the weights of G and D alone."""
        return {name: t.detach().clone() for name, t in self.players.weights().items() if not name.startswith("average.")}

    def load(self, state: State, t: int, config: Config | None = None) -> None:
        """Takes over a state of another machine of the same setup, after t steps under this config."""
        if config is not None and config != self.config:
            self._build(config)
        self._copy(state)
        self.t = t

    def _tensors(self) -> State:
        return {**self.players.weights(), **self.players.moments()}

    @torch.no_grad()
    def _copy(self, state: State) -> None:
        now = self._tensors()
        for name, value in state.items():
            if name in now:
                now[name].copy_(value)

    @property
    def G(self) -> nn.Module:
        """G in the data's unit, for points; as it is, for images."""
        return self.players.G if len(self.data.space.shape) > 1 else DataUnitGenerator(self.players.G, self.data.space)

    @property
    def D(self) -> nn.Module:
        """D in the data's unit, for points; as it is, for images."""
        return self.players.D if len(self.data.space.shape) > 1 else DataUnitDiscriminator(self.players.D, self.data.space)


@contextmanager
def _dropout() -> Iterator[None]:
    with _GLOBAL, torch.random.fork_rng(devices=[]):
        yield
