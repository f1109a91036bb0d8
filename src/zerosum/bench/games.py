"""Algorithm1 against the plain references: the very `Algorithm1.step` that `train` runs, on synthetic reals of the right shape."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import torch

from zerosum.bench.clock import Work, interleaved
from zerosum.bench.dcgan import Reference
from zerosum.bench.limits import operations, product_rate, shares
from zerosum.bench.plain import Relativistic, stack
from zerosum.chance import generator, normal
from zerosum.data import space
from zerosum.data.batch import Batch
from zerosum.data.space import Space
from zerosum.engine.cuda_graph import PLAIN
from zerosum.play.config import Config, GameOptions, NetOptions, PriorOptions
from zerosum.play.device import choose, fitted
from zerosum.play.players import Players
from zerosum.play.presets import PRESETS
from zerosum.play.step import Algorithm1


class Synthetic:
    """Reals of a shape, the same few again and again: uint8 noise for images, standard normal numbers for points."""

    def __init__(self, shape: tuple[int, ...], n: int = 1024) -> None:
        if len(shape) == 3:
            self.items = torch.randint(0, 256, (n, *shape), dtype=torch.uint8, generator=generator(0, "bench"))
        else:
            self.items = normal((n, *shape), 0, "bench")

    def batch(self, n: int, seed: int, counter: int) -> Batch:
        return Batch(self.items[torch.arange(counter * n, counter * n + n) % len(self.items)])


@dataclass(frozen=True)
class Game:
    """A line of the table: what we play, and on what. published: against the DCGAN that is widely copied, else the game by hand."""

    config: Config
    shape: tuple[int, ...]
    doc: str
    published: bool = False


_DCGAN = PRESETS["dcgan"].config
GAMES: dict[str, Game] = {
    "dcgan64": Game(
        replace(_DCGAN, batch=64, prior=PriorOptions(kind="normal", dim=100), game=replace(_DCGAN.game, fakes="reused")),
        (3, 64, 64),
        "DCGAN of 64 channels at 64 x 64, batch 64",
        published=True,
    ),
    "resnet32": Game(
        Config(game=GameOptions(value="relativistic", penalty="r1r2"), net=NetOptions(kind="resnet", width=64, depth=1), batch=32),
        (3, 32, 32),
        "residual nets of 64 channels at 32 x 32, relativistic game with R1 and R2, batch 32",
    ),
    "ring8": Game(PRESETS["points"].config, (2,), "perceptrons on points in the plane, relativistic game with R1 and R2, batch 256"),
    "digits": Game(
        # Without displacements, which the game by hand does not have: they are a hundredth of a round.
        replace(PRESETS["digits"].config, net=replace(PRESETS["digits"].config.net, elastic=0.0)),
        (1, 28, 28),
        "the preset for digits at 28 x 28, as `zerosum train mnist` runs it, less its displacements",
    ),
}


def small(game: Game) -> Game:
    """The same line at a size that takes no time, to see that it runs."""
    narrow = replace(game.config, batch=4, net=replace(game.config.net, width=4, hidden=min(8, game.config.net.hidden)))
    return replace(game, config=narrow)


def ours(game: Game, **knobs: Any) -> tuple[Algorithm1, Work]:
    """Our players, and a function that plays their next round. knobs: fields of the config to replace."""
    where = Space("images", game.shape) if len(game.shape) == 3 else space.points([0.0] * game.shape[0], [1.0] * game.shape[0])
    config = replace(game.config, **knobs)
    engine = choose(config, where.kind)
    players = Players(config, where, engine.prepare())
    engine = fitted(engine, config, players, game.shape)
    rounds = Algorithm1(config, players, Synthetic(game.shape), where, engine)
    played = iter(range(10**9))
    return rounds, lambda: rounds.step(next(played), None)


def reference(game: Game, rounds: Algorithm1) -> Work:
    """A function that plays the reference's next round on a batch that lies ready."""
    x = rounds.space.encode(rounds.source.batch(game.config.batch, 0, 0).x).to(rounds.device)
    plain: Reference | Relativistic
    if game.published:
        plain = Reference(game.shape[-1], game.shape[0], game.config.net.width, device=str(rounds.device))
    else:
        G, D = (stack(player).to(rounds.device) for player in (rounds.players.G, rounds.players.D))
        plain = Relativistic(G, D, game.config.prior.dim, game.config.game.gamma)
    return lambda: plain.round(x)


def line(name: str, game: Game, *, turns: int, seconds: float, threads: int, detail: bool = True) -> dict[str, Any]:
    """One row of `zerosum bench`: samples a second of ours and of the reference, and how far ours is from the machine's limit."""
    rounds, play = ours(game, threads=threads)
    plain = reference(game, rounds)
    for _ in range(PLAIN + 1 if rounds.execution.engine == "graph" else 0):
        play()
    timing = interleaved(play, plain, turns=turns, seconds=seconds)
    row = {
        **timing.row(name, game.doc, rounds.samples_a_step),
        "rounds_a_second": 1 / timing.ours,
        "threads": rounds.execution.threads,
        "engine": rounds.execution.engine,
        "precision": rounds.execution.precision,
    }
    # A replay is one operation to whoever counts: the round itself is looked at.
    return {**row, **_limits(rounds, lambda: rounds.iteration(rounds.sampler(0, None)), plain, timing.ours)} if detail else row


def _limits(rounds: Algorithm1, play: Callable[[], object], plain: Callable[[], object], seconds: float) -> dict[str, Any]:
    dtype = torch.bfloat16 if rounds.execution.precision == "bf16" else torch.float32
    roofline = product_rate(dtype, str(rounds.device))
    work = operations(play)
    return {
        "gflop_a_round": work / 1e9,
        "reference_gflop": operations(plain) / 1e9,
        "gflops": work / seconds / 1e9,
        "roofline_gflops": roofline / 1e9,
        "roofline_share": work / seconds / roofline,
        "time": shares(play),
    }
