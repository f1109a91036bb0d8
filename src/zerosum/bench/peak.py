"""The peak memory of a process that trains: zerosum and the reference, each in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from zerosum.bench.games import GAMES, Game, ours, reference, small
from zerosum.errors import Refusal

MEASURED_STEPS = 4
UNIT = 1 if sys.platform == "darwin" else 1024  # bytes in a unit of ru_maxrss
MEASURABLE = sys.platform != "win32"  # Python cannot read a process's peak on Windows.


def memory_line(*, name: str = "dcgan64", threads: int, tiny: bool = False) -> dict[str, Any]:
    """Peak bytes over a few steps, of zerosum and of the reference, and how much more that is than before the first step.

    Raises Refusal on Windows.
    """
    if not MEASURABLE:
        raise Refusal("`memory` needs a process's peak memory, which Windows does not report: name other benchmarks.")
    found = {who: _measured(who, name, threads, tiny) for who in ("ours", "reference")}
    return {
        "name": "memory",
        "what": f"peak memory of a process in {MEASURED_STEPS} steps of {name}",
        "ours": found["ours"][1],
        "reference": found["reference"][1],
        "ratio": found["ours"][1] / found["reference"][1],
        "above_start": {who: peak - before for who, (before, peak) in found.items()},
        "unit": "bytes",
        "turns": 1,
        "clock": "none",
    }


def _measured(who: str, name: str, threads: int, tiny: bool) -> tuple[int, int]:
    words = [sys.executable, "-m", "zerosum.bench.peak", who, name, str(threads), "tiny" if tiny else "whole"]
    before, peak = json.loads(subprocess.run(words, check=True, capture_output=True).stdout)
    return int(before), int(peak)


def _held() -> int:
    import resource  # Not on Windows.

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * UNIT


def play(who: str, game: Game, threads: int) -> tuple[int, int]:
    """Peak bytes before the first step, and after a few."""
    if who == "ours":
        _, work = ours(game, threads=threads)
    else:
        algorithm, _ = ours(game, threads=threads, engine="eager", precision="float32")
        work = reference(game, algorithm)
        del algorithm
    before = _held()
    for _ in range(MEASURED_STEPS):
        work()
    return before, _held()


if __name__ == "__main__":
    who, name, threads, size = sys.argv[1:]
    print(json.dumps(play(who, small(GAMES[name]) if size == "tiny" else GAMES[name], int(threads))))
