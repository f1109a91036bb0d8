"""Training steps against the plain references: the same `Algorithm1.step` as in `train`, on synthetic samples of the right shape."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import torch

from zerosum.bench.clock import Work, interleaved
from zerosum.bench.dcgan import PublishedDCGAN
from zerosum.bench.limits import operations, product_rate, shares
from zerosum.bench.plain import Relativistic, stack
from zerosum.chance import generator, normal
from zerosum.data import space
from zerosum.data.batch import Batch
from zerosum.data.space import Space
from zerosum.engine.cuda_graph import WARM_UP_STEPS
from zerosum.play.config import Config, GameOptions, NetOptions, PriorOptions
from zerosum.play.device import Execution, choose, fitted
from zerosum.play.players import Players
from zerosum.play.presets import PRESETS
from zerosum.play.step import Algorithm1
from zerosum.play.trials import measured


class Synthetic:
    """Synthetic real samples of a shape, a few of them in rotation: uint8 noise for images, standard normal numbers for points."""

    def __init__(self, shape: tuple[int, ...], n: int = 1024) -> None:
        if len(shape) == 3:
            self.items = torch.randint(0, 256, (n, *shape), dtype=torch.uint8, generator=generator(0, "bench"))
        else:
            self.items = normal((n, *shape), 0, "bench")

    def batch(self, n: int, seed: int, counter: int) -> Batch:
        return Batch(self.items[torch.arange(counter * n, counter * n + n) % len(self.items)])


@dataclass(frozen=True)
class Game:
    """One benchmark: the config, and the shape of its samples.

    published: whether the reference is the published DCGAN; else it is the same game in plain PyTorch.
    """

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
        # Without displacements, which the plain game lacks: they take a hundredth of a step.
        replace(PRESETS["digits"].config, net=replace(PRESETS["digits"].config.net, elastic=0.0)),
        (1, 28, 28),
        "the preset for digits at 28 x 28, as in `zerosum train mnist`, without displacements",
    ),
    "images64": Game(PRESETS["images"].config, (3, 64, 64), "the preset for images at 64 x 64, batch 64"),
}
TRAINING_MINUTES = 60.0  # of the run for which `auto` chooses: the timing may then take as long as it does at most


def small(game: Game) -> Game:
    """The same benchmark with tiny nets, to check that it runs."""
    narrow = replace(game.config, batch=4, net=replace(game.config.net, width=4, hidden=min(8, game.config.net.hidden)))
    return replace(game, config=narrow)


def ours(game: Game, timed: bool = False, **options: Any) -> tuple[Algorithm1, Work]:
    """zerosum's players, and a function that takes their next step. options: fields of the config to replace.

    timed: execute steps as `auto` finds best on this machine, rather than by its rule.
    """
    config = replace(game.config, **options)
    where, players, engine = _begun(game, config)
    if timed:
        engine = measured(engine, config, players, where, Synthetic(game.shape), None, TRAINING_MINUTES).execution
    engine.prepare()
    algorithm = Algorithm1(config, players, Synthetic(game.shape), where, engine)
    played = iter(range(10**9))
    return algorithm, lambda: algorithm.step(next(played), None)


def _begun(game: Game, config: Config) -> tuple[Space, Players, Execution]:
    where = Space("images", game.shape) if len(game.shape) == 3 else space.points([0.0] * game.shape[0], [1.0] * game.shape[0])
    engine = choose(config, where.kind)
    players = Players(config, where, engine.prepare())
    return where, players, fitted(engine, config, players, game.shape)


def why(name: str, game: Game, threads: int) -> dict[str, Any]:
    """The table of candidates that `auto` chooses from for this benchmark's training, with their times."""
    config = replace(game.config, threads=threads)
    where, players, engine = _begun(game, config)
    trials = measured(engine, config, players, where, Synthetic(game.shape), None, TRAINING_MINUTES)
    return {"name": name, "what": game.doc, "timed": trials.table, "reason": trials.execution.reason}


def reference(game: Game, algorithm: Algorithm1) -> Work:
    """A function that takes the reference's next step, on a batch prepared beforehand."""
    x = algorithm.space.encode(algorithm.source.batch(game.config.batch, 0, 0).x).to(algorithm.device)
    plain: PublishedDCGAN | Relativistic
    if game.published:
        plain = PublishedDCGAN(game.shape[-1], game.shape[0], game.config.net.width, device=str(algorithm.device))
    else:
        G, D = (stack(player).to(algorithm.device) for player in (algorithm.players.G, algorithm.players.D))
        plain = Relativistic(G, D, game.config.prior.dim, game.config.game.gamma)
    return lambda: plain.step(x)


def line(name: str, game: Game, *, turns: int, seconds: float, threads: int, detail: bool = True, timed: bool = True) -> dict[str, Any]:
    """One row of `zerosum bench`: samples a second of zerosum and of the reference, and how far zerosum is from the machine's limit."""
    algorithm, play = ours(game, timed, threads=threads)
    plain = reference(game, algorithm)
    for _ in range(WARM_UP_STEPS + 1 if algorithm.execution.engine == "graph" else 0):
        play()
    timing = interleaved(play, plain, turns=turns, seconds=seconds)
    row = {
        **timing.row(name, game.doc, algorithm.samples_a_step),
        "rounds_a_second": 1 / timing.ours,
        "threads": algorithm.execution.threads,
        "engine": algorithm.execution.engine,
        "precision": algorithm.execution.precision,
    }
    # A graph replay counts as one operation, so count those of the step itself.
    return {**row, **_limits(algorithm, lambda: algorithm.iteration(algorithm.sampler(0, None)), plain, timing.ours)} if detail else row


def _limits(algorithm: Algorithm1, play: Callable[[], object], plain: Callable[[], object], seconds: float) -> dict[str, Any]:
    dtype = torch.bfloat16 if algorithm.execution.precision == "bf16" else torch.float32
    roofline = product_rate(dtype, str(algorithm.device))
    work = operations(play)
    return {
        "gflop_a_round": work / 1e9,
        "reference_gflop": operations(plain) / 1e9,
        "gflops": work / seconds / 1e9,
        "roofline_gflops": roofline / 1e9,
        "roofline_share": work / seconds / roofline,
        "time": shares(play),
    }
