"""How much of its speed a training keeps beside other busy programs: RESULTS.md, "Training beside other programs".

    python benchmarks/neighbours.py [--data mnist ring8] [--seconds 35] [--turns 2] [--threads 2]

`zerosum train` as a person starts it, alone, beside one and beside two programs that compute without end, in turns. The first 8 seconds of
training are not counted. --threads fixes their number; without it the run follows the machine (src/zerosum/play/thread_count.py).
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

NEIGHBOURS, FIRST = (0, 1, 2), 8.0


@contextmanager
def busy(n: int) -> Iterator[None]:
    """n programs that compute without end."""
    programs = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(n)]
    try:
        yield
    finally:
        for program in programs:
            program.kill()
            program.wait()


def speed(data: str, neighbours: int, seconds: float, threads: int | None) -> float:
    """Samples a second."""
    environment = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}
    fixed = ["--threads", str(threads)] if threads else []
    with tempfile.TemporaryDirectory() as folder, busy(neighbours):
        out = Path(folder) / "run"
        words = [sys.executable, "-m", "zerosum", "train", data, "--samples", str(10**9), "--out", str(out), "--quiet", *fixed]
        training = subprocess.Popen(words, env=environment)
        time.sleep(seconds)
        training.kill()
        training.wait()
        rows = [json.loads(line) for line in (out / "record.jsonl").read_text().splitlines()]
    seen = [(row["seconds"], row["samples"]) for row in rows if row["type"] == "signals" and row["seconds"] > FIRST]
    if len(seen) < 2:
        raise SystemExit(f"{data} beside {neighbours}: too few rows after {FIRST:g} s: give more --seconds.")
    (begun, first), (ended, last) = seen[0], seen[-1]
    return float((last - first) / (ended - begun))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", nargs="+", default=["mnist", "ring8"])
    parser.add_argument("--seconds", type=float, default=35.0)
    parser.add_argument("--turns", type=int, default=2)
    parser.add_argument("--threads", type=int)
    args = parser.parse_args()
    for data in args.data:
        found: dict[int, list[float]] = {n: [] for n in NEIGHBOURS}
        for _ in range(args.turns):
            for n in NEIGHBOURS:
                found[n].append(speed(data, n, args.seconds, args.threads))
        alone = median(found[0])
        for n, speeds in found.items():
            listed = ", ".join(f"{value:,.0f}" for value in speeds)
            print(f"{data} beside {n}: {listed} samples a second ({median(speeds) / alone:.0%})", flush=True)


if __name__ == "__main__":
    main()
