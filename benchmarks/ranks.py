"""What several processes cost: a round of ours in each of them, at the same work a process, and what of it is exchange.

    python benchmarks/ranks.py [--games digits ring8] [--rounds 60]
    torchrun --nproc-per-node 2 benchmarks/ranks.py

The global batch is the game's own times the number of processes, so that each process works as much as one alone would. `exchange`: a
player's gradients averaged on their own, all processes begun at once. `within`: the time that rounds spend in exchanges, which holds
the wait for the slowest process too. Milliseconds of the first process, medians over rounds, by the clock and by its processor time, which
a busy machine does not lengthen; one thread a process. Prints a line of JSON a game.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor
from torch import distributed as dist

from zerosum.bench.games import GAMES, Game, Synthetic
from zerosum.data import space
from zerosum.play.device import choose
from zerosum.play.distributed import Processes, join
from zerosum.play.players import Players
from zerosum.play.step import Algorithm1

WARM = 5  # rounds that are not counted


def now() -> Tensor:
    """Seconds by the clock and of this process's processor time, (2,)."""
    return torch.tensor([time.perf_counter(), time.process_time()], dtype=torch.float64)


def told(taken: Sequence[Tensor]) -> dict[str, float]:
    """Medians in milliseconds."""
    clock, processor = (1e3 * torch.stack(list(taken)).median(0).values).tolist()
    return {"clock": round(clock, 3), "processor": round(processor, 3)}


@dataclass(eq=False)
class Watched(Processes):
    """Processes that keep account of their exchanges: the time (2,) and the bytes of all since `forget`."""

    spent: Tensor = field(default_factory=lambda: torch.zeros(2, dtype=torch.float64))
    sent: int = 0

    def forget(self) -> None:
        self.spent, self.sent = torch.zeros_like(self.spent), 0

    def average(self, tensors: Sequence[Tensor]) -> None:
        began = now()
        super().average(tensors)
        self.spent += now() - began
        self.sent += sum(t.nbytes for t in tensors)


def playing(game: Game, ranks: Processes) -> Algorithm1:
    where = space.images(game.shape) if len(game.shape) == 3 else space.points([0.0] * game.shape[0], [1.0] * game.shape[0])
    config = replace(game.config, batch=game.config.batch * ranks.size, threads=1)
    engine = choose(config, where.kind)
    return Algorithm1(config, Players(config, where, engine.prepare()), Synthetic(game.shape), where, engine, ranks)


def exchange(ranks: Processes, weights: int, tries: int) -> dict[str, float]:
    """The average of so many float32 numbers, when all processes begin at once."""
    numbers, taken = [torch.ones(weights)], []
    for _ in range(tries):
        if ranks.size > 1:
            dist.barrier()
        began = now()
        Processes.average(ranks, numbers)
        taken.append(now() - began)
    return told(taken)


def measured(name: str, ranks: Watched, count: int) -> dict[str, Any]:
    algorithm = playing(GAMES[name], ranks)
    taken, within = [], []
    for t in range(WARM + count):
        ranks.forget()
        began = now()
        algorithm.step(t, None)
        if t >= WARM:
            taken.append(now() - began)
            within.append(ranks.spent)
    weights = {letter: sum(p.numel() for p in m.parameters()) for letter, m in (("g", algorithm.players.G), ("d", algorithm.players.D))}
    return {
        "game": name,
        "processes": ranks.size,
        "batch": algorithm.config.batch,
        "precision": algorithm.execution.precision,
        "weights": weights,
        "bytes_a_round": ranks.sent,
        "round_ms": told(taken),
        "within_ms": told(within),
        "exchange_ms": {letter: exchange(ranks, n, count) for letter, n in weights.items()},
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
