"""Trains in two processes, of which the second meets a fault, for test_process_faults.py: `python faulty_processes.py OUT FAULT ...`.

Each process leaves OUT/FAULT/RANK.json: how its training ended, and after how many seconds.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from playing_processes import POINTS, together
from torch import Tensor

from zerosum.data.batch import Batch
from zerosum.data.source import Data, open_data
from zerosum.errors import Refusal
from zerosum.play.distributed import is_first
from zerosum.play.inputs import InputSampler
from zerosum.training import launch

AT = 3  # the round, from 0, in which it happens
Act = Callable[[Tensor], Tensor]


def fails(error: Exception) -> Act:
    def act(x: Tensor) -> Tensor:
        raise error

    return act


def interrupted(x: Tensor) -> Tensor:
    os.kill(os.getpid(), signal.SIGTERM)
    return x


FAULTS: dict[str, Act | None] = {
    "not finite": lambda x: x * float("nan"),
    "a fault": fails(RuntimeError("a fault")),
    "no memory": fails(MemoryError()),
    "interrupted": interrupted,
    "other data": None,
}


def faulty(act: Act) -> None:
    """From here on this process's reals of round AT go through `act`."""
    original = InputSampler.real

    def real(self: InputSampler, step: int) -> Batch:
        x, y = original(self, step)
        return Batch(act(x), y) if step == AT else Batch(x, y)

    InputSampler.real = real  # type: ignore[method-assign]


def opened(fault: str) -> Data:
    return open_data("ring8" if is_first() or fault != "other data" else "grid25")


def play(out: Path, fault: str) -> None:
    act = FAULTS[fault]
    if act is not None and not is_first():
        faulty(act)
    began = time.monotonic()
    found: dict[str, Any] = {}
    try:
        run = launch.train(opened(fault), out / "run", POINTS, samples=16 * 200)
        found = {"reason": run.rows()[-1]["reason"], "message": run.rows()[-1]["message"], "round": run.checkpoint().round}
    except (Refusal, RuntimeError) as error:
        found = {"error": type(error).__name__, "message": str(error)}
    found["seconds"] = time.monotonic() - began
    (out / f"{os.environ['RANK']}.json").write_text(json.dumps(found))


def main(out: Path, fault: str) -> None:
    (out / fault).mkdir(parents=True)
    together(2, lambda: play(out / fault, fault))


if __name__ == "__main__":
    torch.set_num_threads(1)
    for word in sys.argv[2:]:
        main(Path(sys.argv[1]), word)
