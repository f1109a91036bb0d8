"""Kills a training again and again, for test_kill.py: `python killing.py OUT KILLS SEED` prints what happened as one line of JSON.

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

import torch
from safetensors.torch import load_file

from zerosum.commands import cli
from zerosum.run import checkpoint, pace
from zerosum.run.record import read_rows
from zerosum.run.training import Training

KNOBS = ["--batch", "16", "--net.width", "16", "--prior.dim", "4", "--samples", "12000", "--quiet"]
LONGEST = 0.4  # seconds that a training may live


def begin(arguments: list[str]) -> tuple[int, int]:
    """Forks a training. Returns its process and the pipe in which a byte tells that its rounds begin."""
    reading, writing = os.pipe()
    if (pid := os.fork()) == 0:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        pace.CHECKPOINT, pace.ROW, pace.GRID = 0.02, 0.01, 0.1
        start = Training._start

        def told(self: Training) -> None:
            os.write(writing, b".")
            start(self)

        Training._start = told  # type: ignore[method-assign]
        os._exit(cli.main(arguments))
    os.close(writing)
    return pid, reading


def state(run: Path) -> dict[str, torch.Tensor]:
    found, _ = checkpoint.newest(run)
    assert found is not None
    return {f"{f.name}:{name}": t for f in sorted(found.path.glob("*.safetensors")) for name, t in load_file(f).items()}


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(t, other[name]) for name, t in one.items())


def gapless(run: Path) -> bool:
    """Whether the record's rows come in order, no round's statistics twice, and end where the run does."""
    rows = read_rows(run / "record.jsonl")
    rounds = [row["round"] for row in rows]
    signals = [row["round"] for row in rows if row["type"] == "signals"]
    return rounds == sorted(rounds) and len(set(signals)) == len(signals) and rows[-1].get("reason") == "finished"


def main(out: Path, kills: int, seed: int) -> None:
    torch.set_num_threads(1)
    chosen = random.Random(seed)
    pid, _ = begin(["train", "ring8", "--out", str(out / "straight"), *KNOBS])
    assert os.waitpid(pid, 0)[1] == 0
    straight = state(out / "straight")
    counts = {"kills": 0, "mid_run": 0, "loadable": 0, "runs": 0, "same": 0, "gapless": 0, "resumed": 0, "bad_exits": 0}
    run, last = out / "run-0", -1
    while counts["kills"] < kills or run.exists():
        going_on = (run / "run.json").exists()
        pid, pipe = begin(["resume", str(run), "--quiet"] if going_on else ["train", "ring8", "--out", str(run), *KNOBS])
        began = os.read(pipe, 1) == b"."
        os.close(pipe)
        if counts["kills"] < kills and began:
            time.sleep(chosen.uniform(0, LONGEST))
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
    print(json.dumps(counts))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
