"""What several processes cost: a round of ours in each of them, at the same work a process, and what of it is exchange.

    python benchmarks/ranks.py [--games digits ring8] [--rounds 60]
    torchrun --nproc-per-node 2 benchmarks/ranks.py

The global batch is the game's own times the number of processes, so that each process works as much as one alone would. `exchange`: a
player's gradients averaged on their own, all processes begun at once. `within`: the time that rounds spend in exchanges, which holds
the wait for the slowest process too. Milliseconds, medians over rounds; one thread a process. Prints a line of JSON a game.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from statistics import median
from typing import Any

import torch
from torch import Tensor
from torch import distributed as dist

from zerosum.bench.games import GAMES, Game, Synthetic
from zerosum.data import space
from zerosum.run.engine import choose
from zerosum.run.players import Players
from zerosum.run.ranks import Ranks, join
from zerosum.run.rounds import Rounds

WARM = 5  # rounds that are not counted


@dataclass(eq=False)
class Watched(Ranks):
    """Ranks that keep account of their exchanges: seconds and bytes of each."""

    spent: list[tuple[float, int]] = field(default_factory=list)

    def average(self, tensors: Sequence[Tensor]) -> None:
        began = time.perf_counter()
        super().average(tensors)
        self.spent.append((time.perf_counter() - began, sum(t.nbytes for t in tensors)))


def playing(game: Game, ranks: Ranks) -> Rounds:
    where = space.images(game.shape) if len(game.shape) == 3 else space.points([0.0] * game.shape[0], [1.0] * game.shape[0])
    config = replace(game.config, batch=game.config.batch * ranks.size, threads=1)
    engine = choose(config, where.kind)
    return Rounds(config, Players(config, game.shape, engine.prepare()), Synthetic(game.shape), where, engine, ranks)


def exchange(ranks: Ranks, weights: int, tries: int) -> float:
    """Milliseconds for the average of so many float32 numbers, when all processes begin at once."""
    numbers, taken = [torch.ones(weights)], []
    for _ in range(tries):
        if ranks.size > 1:
            dist.barrier()
        began = time.perf_counter()
        Ranks.average(ranks, numbers)
        taken.append(time.perf_counter() - began)
    return 1e3 * median(taken)


def measured(name: str, ranks: Watched, count: int) -> dict[str, Any]:
    rounds = playing(GAMES[name], ranks)
    taken, within, bytes_ = [], [], 0
    for t in range(WARM + count):
        ranks.spent.clear()
        began = time.perf_counter()
        rounds.play(t, None)
        if t >= WARM:
            taken.append(time.perf_counter() - began)
            within.append(sum(seconds for seconds, _ in ranks.spent))
            bytes_ = sum(size for _, size in ranks.spent)
    weights = {letter: sum(p.numel() for p in m.parameters()) for letter, m in (("g", rounds.players.G), ("d", rounds.players.D))}
    return {
        "game": name,
        "processes": ranks.size,
        "batch": rounds.config.batch,
        "precision": rounds.engine.precision,
        "weights": weights,
        "bytes_a_round": bytes_,
        "round_ms": round(1e3 * median(taken), 3),
        "within_ms": round(1e3 * median(within), 3),
        "exchange_ms": {letter: round(exchange(ranks, n, count), 3) for letter, n in weights.items()},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--games", nargs="+", default=["digits", "ring8"], choices=GAMES)
    parser.add_argument("--rounds", type=int, default=60)
    args = parser.parse_args()
    joined = join("cpu")
    ranks = Watched(joined.rank, joined.size, joined.local, joined._control)
    for name in args.games:
        row = measured(name, ranks, args.rounds)
        if ranks.first:
            print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main()
