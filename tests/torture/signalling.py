"""Sends SIGTERM or Ctrl-C to trainings in their phases, for test_signals.py: `python signalling.py OUT PHASE:SIGNAL:TIMES ...`.

Prints, for each, a line of JSON: the exit status (negative: the signal that ended it), the seconds until then, less those in which the
process waited for a processor that others held, and what stands in the run's folder. A training is a fork of this process that tells
through a pipe when it is in the phase, and lingers there for a while.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

import zerosum.api
from zerosum.api import training as api_training
from zerosum.commands import cli
from zerosum.data.modality import MODALITIES, CheckSize
from zerosum.monitor.diagnostics import Diagnostics
from zerosum.play.step import Algorithm1
from zerosum.report import page
from zerosum.runs import checkpoint
from zerosum.runs.run import open_run
from zerosum.training import timers
from zerosum.training.loop import Loop

OPTIONS = ["--batch", "16", "--net.width", "16", "--prior.dim", "4", "--samples", "1000000", "--quiet"]
# Where each phase's code is entered: the object and the name of the function.
PHASES: dict[str, tuple[Any, str]] = {
    "start-up": (zerosum.api, "open_data"),
    "building": (Loop, "_found"),
    "first save": (Loop, "_start"),
    "steps": (Algorithm1, "_update"),
    "measuring": (Diagnostics, "look"),
    "grid": (Loop, "write_grid"),
    "saving": (checkpoint, "sync_folder"),
    "report": (api_training, "write_report"),
}


def lingering(function: Callable[..., Any], writing: int, seconds: float, after: int) -> Callable[..., Any]:
    """The function, which at its call number `after` tells of it and takes its time."""
    calls = 0

    def entered(*arguments: Any, **named: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == after:
            os.write(writing, b".")
            end = time.monotonic() + seconds
            while time.monotonic() < end:
                time.sleep(0.01)
        return function(*arguments, **named)

    return entered


def begin(run: Path, phase: str, seconds: float) -> tuple[int, int]:
    reading, writing = os.pipe()
    if (pid := os.fork()) == 0:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        timers.CHECKPOINT, timers.GRID = 0.3, 0.3
        # To draw takes longer than all the rest.
        api_training.drawer = lambda data: lambda samples, path: path.write_bytes(b"a picture")
        page.curves = lambda run: []
        MODALITIES["points"] = replace(MODALITIES["points"], check=CheckSize(n=64, apart=1600))  # Checks come early, and are short.
        owner, name = PHASES[phase]
        # The first checkpoint syncs twice, and the first look is before the first round: what comes after is in mid-run.
        after = {"steps": 20, "saving": 4, "measuring": 2}.get(phase, 1)
        setattr(owner, name, lingering(getattr(owner, name), writing, seconds, after))
        options = OPTIONS[:-2] + ["160", "--quiet"] if phase == "report" else OPTIONS
        os._exit(cli.main(["train", "ring8", "--out", str(run), *options]))
    os.close(writing)
    return pid, reading


def waited(pid: int) -> float:
    """Seconds in which a process was ready to run and others held the processors; 0 where the system does not say."""
    try:
        return int(Path(f"/proc/{pid}/schedstat").read_text().split()[1]) / 1e9
    except (OSError, IndexError, ValueError):
        return 0.0


def signalled(run: Path, phase: str, number: int, times: int) -> dict[str, Any]:
    pid, pipe = begin(run, phase, 0.5 if times == 1 else 30.0)
    assert os.read(pipe, 1) == b"."
    for _ in range(times):
        sent = time.monotonic() - waited(pid)
        os.kill(pid, number)  # A process that the first has ended is still there to be waited for.
        if times > 1:
            time.sleep(0.5)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    seconds = time.monotonic() - waited(pid) - sent
    found: dict[str, Any] = {"status": os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), "seconds": seconds}
    if (run / "run.json").exists():
        newest, found["complaints"] = checkpoint.newest(run)
        ends = open_run(run).rows("stop")
        found |= {"round": newest.round if newest else None, "reason": ends[-1]["reason"] if ends else None}
        found["last"] = open_run(run).rows()[-1]["round"]
    return found


if __name__ == "__main__":
    torch.set_num_threads(1)
    # What torch imports at its first optimiser takes longer than a training here; forks inherit it.
    torch.optim.SGD([torch.zeros(1)])
    for i, case in enumerate(sys.argv[2:]):
        phase, name, times = case.split(":")
        print(json.dumps(signalled(Path(sys.argv[1]) / str(i), phase, getattr(signal, name), int(times))))
