"""Plays some games in 1, 2 and 4 processes, for test_ranks.py: `python playing_ranks.py OUT 1 2 4`.

Of each number n of processes the first leaves OUT/n/TYPE/CASE (the run), and beside it CASE.safetensors: the rounds' statistics and the
first round's gradients. The processes are forked, with torchrun's environment, so that torch is imported once.
"""

from __future__ import annotations

import os
import socket
import sys
import traceback
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor

from zerosum.chance import normal
from zerosum.data.options import DataOptions
from zerosum.data.source import Data, open_data
from zerosum.run import trainer
from zerosum.run.config import Config, GameOptions, NetOptions, PriorOptions
from zerosum.run.players import Players
from zerosum.run.ranks import is_first
from zerosum.run.rounds import Rounds

ROUNDS = {torch.float64: 10, torch.float32: 1}
POINTS = Config(prior=PriorOptions(dim=4), net=NetOptions(width=16, depth=2), batch=16, average=100, threads=1, device="cpu")
IMAGES = replace(POINTS, net=NetOptions(kind="resnet", width=4, depth=1), batch=8, precision="float32")

CASES: dict[str, tuple[Config, str]] = {
    "relativistic with r1r2": (POINTS, "ring8"),
    "gp between the two": (replace(POINTS, game=GameOptions(value="wasserstein", penalty="gp", k=2)), "ring8"),
    "r1 simultaneous": (replace(POINTS, game=GameOptions(value="minimax", penalty="r1", order="simultaneous", g_steps=2)), "ring8"),
    "stored images": (IMAGES, "pictures"),
    "mirrored images": (IMAGES, "mirrored"),
}


def data(name: str) -> Data:
    if name == "ring8":
        return open_data(name)
    pixels = (normal((80, 16, 16), 0, "pictures") * 40 + 128).clamp(0, 255).to(torch.uint8).numpy()
    return open_data(pixels, DataOptions(flip=name == "mirrored"))


def play(out: Path, name: str, dtype: torch.dtype) -> None:
    """Plays the rounds of one case into OUT/NAME."""
    config, spec = CASES[name]
    reals = data(spec)
    built = Players(config, reals.space.shape, torch.device("cpu"))
    seen: dict[str, Tensor] = {}
    statistics: list[Tensor] = []

    class Watched(Rounds):
        def _gradient(self, letter: str, owed: Any, t: int) -> Tensor:
            norm = super()._gradient(letter, owed, t)
            for i, p in enumerate(w for group in self.players.optimisers[letter].param_groups for w in group["params"]):
                seen.setdefault(f"{letter}.{i}", p.grad.clone())  # type: ignore[union-attr]
            return norm

        def play(self, t: int, horizon: int | None) -> Tensor:
            statistics.append(super().play(t, horizon))
            return statistics[-1]

    training: Any = sys.modules["zerosum.run.training"]
    training.Rounds = Watched
    samples = ROUNDS[dtype] * config.game.k * config.batch
    trainer.train(reals, out / name, config, samples=samples, given=(built.G.to(dtype), built.D.to(dtype)))
    if is_first():
        save_file({"statistics": torch.stack(statistics), **{n: g.contiguous() for n, g in seen.items()}}, out / f"{name}.safetensors")


def child(out: Path, rank: int, size: int, port: int) -> int:
    """All cases in one of `size` processes. Returns its exit status."""
    given = {
        "RANK": rank,
        "LOCAL_RANK": rank,
        "WORLD_SIZE": size,
        "LOCAL_WORLD_SIZE": size,
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": port,
    }
    os.environ.update({name: str(value) for name, value in given.items()})
    try:
        for name in CASES:
            for dtype in ROUNDS:
                play(out / str(dtype).removeprefix("torch."), name, dtype)
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


def world(out: Path, size: int) -> None:
    """`size` processes that play together."""
    for dtype in ROUNDS:
        (out / str(dtype).removeprefix("torch.")).mkdir(parents=True)
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = int(s.getsockname()[1])
    children = []
    for rank in range(size):
        if (pid := os.fork()) == 0:
            os._exit(child(out, rank, size, port))
        children.append(pid)
    if any(os.waitpid(pid, 0)[1] for pid in children):
        sys.exit(f"one of {size} processes failed")


if __name__ == "__main__":
    torch.set_num_threads(1)
    for word in sys.argv[2:]:
        world(Path(sys.argv[1]) / word, int(word))
