"""Benchmarks besides training steps: sampling, loading, and the time from a command to its first step."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from zerosum.bench.clock import interleaved
from zerosum.bench.games import GAMES, Game, ours
from zerosum.bench.plain import stack
from zerosum.data.parts import Rows
from zerosum.runs.sampling import draw_samples, sampling_module

STORED_SIDE = 8  # pixels a side of the images that are loaded
STORED_CHUNK = 1 << 16
READ_SHARE = 0.81  # of the stored images that are read: the training part


@torch.no_grad()
def in_a_loop(G: nn.Module, prior: int, n: int, batch: int = 64) -> Tensor:
    """Samples in plain PyTorch: call the module on batches and concatenate."""
    return torch.cat([G(torch.randn(min(batch, n - i), prior)) for i in range(0, n, batch)])


def sample_line(*, turns: int, seconds: float, threads: int, n: int = 512, game: Game = GAMES["digits"]) -> dict[str, Any]:
    """Images a second of `zerosum sample` against the module called in a loop, float32. Ours makes pixels of them too."""
    algorithm, _ = ours(game, threads=threads)
    average, prior = sampling_module(algorithm.players.ema.module, algorithm.execution.to_json()), game.config.prior
    plain = stack(algorithm.players.G).eval()
    timing = interleaved(
        lambda: draw_samples(average, prior, algorithm.space, n, 0), lambda: in_a_loop(plain, prior.dim, n), turns=turns, seconds=seconds
    )
    return {**timing.row("sample", f"{n} samples of the digits preset's G", n), "threads": algorithm.execution.threads}


def stored(path: Path, n: int) -> Rows:
    """A part of n synthetic images on the disk, memory-mapped as `.npy` data are, some of its rows set aside as `open_data` does."""
    array = np.lib.format.open_memmap(path, mode="w+", dtype=np.uint8, shape=(n, 1, STORED_SIDE, STORED_SIDE))
    block = np.random.default_rng(0).integers(0, 256, (min(n, STORED_CHUNK), 1, STORED_SIDE, STORED_SIDE), dtype=np.uint8)
    for start in range(0, n, STORED_CHUNK):
        array[start : start + STORED_CHUNK] = block[: min(STORED_CHUNK, n - start)]
    array.flush()
    return Rows(np.load(path, mmap_mode="r"), np.flatnonzero(np.random.default_rng(1).random(n) < READ_SHARE))


def load_line(*, turns: int, seconds: float, few: int = 10_000, many: int = 10_000_000, batch: int = 64) -> dict[str, Any]:
    """Items a second from `many` stored images against `few`, in shuffled batches."""
    with tempfile.TemporaryDirectory() as folder:
        parts = {n: stored(Path(folder) / f"{n}.npy", n) for n in (many, few)}
        counters = dict.fromkeys(parts, 0)

        def read(n: int) -> Tensor:
            counters[n] += 1
            return parts[n].batch(batch, 0, counters[n]).x

        timing = interleaved(lambda: read(many), lambda: read(few), turns=turns, seconds=seconds)
    return timing.row("load", f"shuffled batches of {batch} from {many:,} stored images, against {few:,}", batch)


def start_line(*, turns: int, data: str = "mnist") -> dict[str, Any]:
    """Seconds from the command to the end of the first step, as a user waits; no reference. lowest, highest: over the turns."""
    taken = [_first_round(data) for _ in range(turns)]
    waited = sorted(wall for wall, _ in taken)
    return {
        "name": "start",
        "what": f"from `zerosum train {data}` to its first training step",
        "ours": median(waited),
        "processor": median(processor for _, processor in taken),
        "reference": None,
        "ratio": None,
        "lowest": waited[0],
        "highest": waited[-1],
        "unit": "s",
        "turns": turns,
        "clock": "wall",
    }


def _children() -> float:
    """Seconds of processor time of all processes that were started here and have ended; 0 on Windows, which does not say."""
    used = os.times()
    return used.children_user + used.children_system


def _first_round(data: str) -> tuple[float, float]:
    """Seconds of wall time and of processor time that a training in its own process takes for the first step."""
    with tempfile.TemporaryDirectory() as folder:
        record = Path(folder) / "run" / "record.jsonl"
        command = [sys.executable, "-m", "zerosum", "train", data, "--samples", "1000000", "--out", str(record.parent)]
        begun, used = time.perf_counter(), _children()
        running = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            while not _played(record):
                if running.poll() is not None:
                    raise RuntimeError(f"the training ended with status {running.returncode} before its first step")
                time.sleep(0.02)
            waited = time.perf_counter() - begun
        finally:
            # Kill it, since its shutdown is not part of the measurement.
            running.kill()
            running.wait()
        return waited, _children() - used


def _played(record: Path) -> bool:
    """Whether the record has a step."""
    if not record.exists():
        return False
    whole = record.read_bytes().rpartition(b"\n")[0]
    return any(json.loads(row)["round"] > 0 for row in whole.splitlines())
