"""Kills trainings again and again, for test_kill.py: `python killing.py OUT SEED GAME:KILLS ...` prints what happened, in JSON.

torch is imported once; every training is a fork of this process that runs the command line `zerosum train` or `zerosum resume` and tells
through a pipe when its rounds have begun. SIGKILL comes at a random moment after that. A run that reaches its end is compared, bit for
bit, with one that nobody touched, and the next one begins.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import torch
from safetensors.torch import load_file

from zerosum.api import training as api_training
from zerosum.chance import normal
from zerosum.commands import cli
from zerosum.records import read_rows
from zerosum.report import page
from zerosum.runs import checkpoint
from zerosum.training import loop, timers
from zerosum.training import state as training_state
from zerosum.training.loop import Loop

LONGEST = 0.4  # seconds that a training may live
# What is trained: perceptrons on points, and the preset for digits (Muon, and whatever engine the machine gives it) on stored images.
GAMES: dict[str, list[str]] = {
    "points": ["ring8", "--batch", "16", "--net.width", "16", "--prior.dim", "4", "--samples", "12000", "--quiet"],
    "digits": ["PICTURES", "--preset", "digits", "--batch", "8", "--net.width", "4", "--net.hidden", "8", "--samples", "640", "--quiet"],
}


def begin(arguments: list[str]) -> tuple[int, int]:
    """Forks a training. Returns its process and the pipe in which a byte tells that its rounds begin."""
    reading, writing = os.pipe()
    if (pid := os.fork()) == 0:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        timers.CHECKPOINT, timers.ROW, timers.GRID = 0.02, 0.01, 0.1
        # Paced by its own processor time: a busy machine's clock would have it save after every round.
        paced = SimpleNamespace(perf_counter=time.process_time, monotonic=time.monotonic, sleep=time.sleep)
        loop.time = training_state.time = paced  # type: ignore[attr-defined]
        # To draw takes longer than to train; what is killed here is the writing.
        api_training.drawer = lambda data: lambda samples, path: path.write_bytes(b"a picture")
        page.curves = lambda run: []
        start = Loop._start

        def told(self: Loop) -> None:
            os.write(writing, b".")
            start(self)

        Loop._start = told  # type: ignore[method-assign]
        os._exit(cli.main(arguments))
    os.close(writing)
    return pid, reading


def used(pid: int) -> float:
    """Seconds of processor time that a process has had: by the clock, a training on a busy machine would be killed before it did anything.

    By Linux's clock of another process; elsewhere by the clock all the same.
    """
    return time.clock_gettime(~pid << 3 | 2) if sys.platform == "linux" else time.monotonic()


def live_for(pid: int, seconds: float) -> None:
    """Waits until a process has lived for so long, or has ended."""
    end = used(pid) + seconds
    while used(pid) < end and os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
        time.sleep(0.002)


def state(run: Path) -> dict[str, torch.Tensor]:
    found, _ = checkpoint.newest(run)
    assert found is not None
    return {f"{f.name}:{name}": t for f in sorted(found.path.glob("*.safetensors")) for name, t in load_file(f).items()}


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(t, other[name]) for name, t in one.items())


def gapless(run: Path) -> bool:
    """Whether the record's rows come in order, no round's statistics twice, and end where the run does."""
    rows = read_rows(run / "record.jsonl").rows
    rounds = [row["round"] for row in rows]
    signals = [row["round"] for row in rows if row["type"] == "signals"]
    ends = [row["reason"] for row in rows if row["type"] == "stop"]
    return rounds == sorted(rounds) and len(set(signals)) == len(signals) and ends[-1] == "finished"


def play(out: Path, options: list[str], kills: int, seed: int) -> dict[str, int]:
    chosen = random.Random(seed)
    pid, _ = begin(["train", *options, "--out", str(out / "straight")])
    assert os.waitpid(pid, 0)[1] == 0
    straight = state(out / "straight")
    counts = {"kills": 0, "mid_run": 0, "loadable": 0, "runs": 0, "same": 0, "gapless": 0, "resumed": 0, "bad_exits": 0}
    run, last = out / "run-0", -1
    while counts["kills"] < kills or run.exists():
        going_on = (run / "run.json").exists()
        pid, pipe = begin(["resume", str(run), "--quiet"] if going_on else ["train", *options, "--out", str(run)])
        began = os.read(pipe, 1) == b"."
        os.close(pipe)
        if counts["kills"] < kills and began:
            live_for(pid, chosen.uniform(0, LONGEST))
            os.kill(pid, signal.SIGKILL)
        _, status = os.waitpid(pid, 0)
        if os.WIFSIGNALED(status):  # It had begun and had not ended: the kill hit a live training.
            counts["kills"] += 1
            found, _ = checkpoint.newest(run)
            counts["mid_run"] += found is not None and found.round > 0
            # Before its first checkpoint a run has earned nothing; from there on the newest never goes back.
            counts["loadable"] += (found.round if found else -1) >= last
            last = found.round if found else -1
            counts["resumed"] += going_on
        elif os.WEXITSTATUS(status) == 0:
            counts["runs"] += 1
            counts["same"] += same(state(run), straight)
            counts["gapless"] += gapless(run)
            run, last = out / f"run-{counts['runs']}", -1
        else:
            counts["bad_exits"] += 1
            break
    return counts


def main(out: Path, seed: int, asked: list[str]) -> None:
    torch.set_num_threads(1)
    # What torch imports at its first optimiser takes longer than a training here; forks inherit it.
    torch.optim.SGD([torch.zeros(1)])
    pictures = out / "pictures.npy"
    np.save(pictures, (normal((60, 16, 16), 0, "pictures") * 40 + 128).clamp(0, 255).to(torch.uint8).numpy())
    for name, _, kills in (word.partition(":") for word in asked):
        (out / name).mkdir()
        options = [str(pictures) if word == "PICTURES" else word for word in GAMES[name]]
        print(json.dumps(play(out / name, options, int(kills), seed)), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3:])
