"""Plays some games in 1, 2 and 4 processes, for test_processes.py: `python playing_processes.py OUT 1 2 4`.

Of each number n of processes the first leaves OUT/n/TYPE/CASE (the run), and beside it CASE.safetensors: the rounds' statistics and the
first round's gradients. The processes are forked, with torchrun's environment, so that torch is imported once.
"""

from __future__ import annotations

import os
import socket
import sys
import traceback
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor

from zerosum.chance import normal
from zerosum.data.options import DataOptions
from zerosum.data.source import Data, open_data
from zerosum.play.config import Config, GameOptions, NetOptions, PlayerOptions, PriorOptions
from zerosum.play.distributed import is_first
from zerosum.play.players import Players
from zerosum.play.presets import PRESETS
from zerosum.play.step import Algorithm1
from zerosum.training import launch

ROUNDS = {torch.float64: 10, torch.float32: 1}
POINTS = Config(prior=PriorOptions(dim=4), net=NetOptions(width=16, depth=2), batch=16, average=100, threads=1, device="cpu")
IMAGES = replace(POINTS, net=NetOptions(kind="resnet", width=4, depth=1), batch=8, precision="float32")
DIGITS = replace(
    PRESETS["digits"].config,
    prior=PriorOptions(dim=4),
    net=NetOptions(kind="dcgan", width=4, hidden=8, refine=1),
    batch=8,
    warmup=20,
    threads=1,
    device="cpu",
    precision="float32",
)
# At its own rates the preset for points multiplies the last bits a thousandfold in some rounds.
SLOW = PlayerOptions(lr=1e-3, beta2=0.9, equalised=True)
OCTAVES = replace(PRESETS["points"].config, batch=16, d=SLOW, g=SLOW, threads=1, device="cpu")

CASES: dict[str, tuple[Config, str]] = {
    "relativistic with r1r2": (POINTS, "ring8"),
    "gp between the two": (replace(POINTS, game=GameOptions(value="wasserstein", penalty="gp", k=2)), "ring8"),
    "r1 simultaneous": (replace(POINTS, game=GameOptions(value="minimax", penalty="r1", order="simultaneous", g_steps=2)), "ring8"),
    "stored images": (IMAGES, "pictures"),
    "mirrored images": (IMAGES, "mirrored"),
    "preset for digits, with Muon": (DIGITS, "pictures"),
    "octaves and tanh": (OCTAVES, "ring8"),
    "by class": (replace(IMAGES, net=replace(IMAGES.net, classes="auto")), "labelled"),
}


def data(name: str) -> Data:
    if name == "ring8":
        return open_data(name)
    pixels = (normal((80, 16, 16), 0, "pictures") * 40 + 128).clamp(0, 255).to(torch.uint8).numpy()
    if name == "labelled":
        return open_data((pixels, np.arange(len(pixels)) % 3))
    return open_data(pixels, DataOptions(flip=name == "mirrored"))


def play(out: Path, name: str, dtype: torch.dtype) -> None:
    """Plays the rounds of one case into OUT/NAME."""
    config, spec = CASES[name]
    reals = data(spec)
    built = Players(config, reals.space, torch.device("cpu"))
    seen: dict[str, Tensor] = {}
    statistics: list[Tensor] = []

    class Watched(Algorithm1):
        def _descend(self, letter: str, *args: Any) -> Tensor:
            norm = super()._descend(letter, *args)
            for i, p in enumerate(w for group in self.players.optimisers[letter].param_groups for w in group["params"]):
                seen.setdefault(f"{letter}.{i}", p.grad.clone())  # type: ignore[union-attr]
            return norm

        def step(self, t: int, horizon: int | None) -> Tensor:
            statistics.append(super().step(t, horizon))
            return statistics[-1]

    training: Any = sys.modules["zerosum.training.state"]
    training.Algorithm1 = Watched
    samples = ROUNDS[dtype] * config.game.k * config.batch
    launch.train(reals, out / name, config, samples=samples, given=(built.G.to(dtype), built.D.to(dtype)))
    if is_first():
        save_file({"statistics": torch.stack(statistics), **{n: g.contiguous() for n, g in seen.items()}}, out / f"{name}.safetensors")


def together(size: int, work: Callable[[], object]) -> bool:
    """Has `work` done in each of `size` processes that torchrun might have started. Whether all of them ended without an exception."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = int(s.getsockname()[1])
    children = []
    for rank in range(size):
        if (pid := os.fork()) == 0:
            given = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": size, "LOCAL_WORLD_SIZE": size, "MASTER_PORT": port}
            os.environ.update({"MASTER_ADDR": "127.0.0.1", **{name: str(value) for name, value in given.items()}})
            try:
                work()
            except BaseException:
                traceback.print_exc()
                os._exit(1)
            os._exit(0)
        children.append(pid)
    statuses = [os.waitpid(pid, 0)[1] for pid in children]
    return not any(statuses)


def all_cases(out: Path) -> None:
    for name in CASES:
        for dtype in ROUNDS:
            play(out / str(dtype).removeprefix("torch."), name, dtype)


def world(out: Path, size: int) -> None:
    """`size` processes that play together."""
    for dtype in ROUNDS:
        (out / str(dtype).removeprefix("torch.")).mkdir(parents=True)
    if not together(size, lambda: all_cases(out)):
        sys.exit(f"one of {size} processes failed")


if __name__ == "__main__":
    torch.set_num_threads(1)
    for word in sys.argv[2:]:
        world(Path(sys.argv[1]) / word, int(word))
