"""Every measurement that needs a GPU, by one command, in about eight minutes.

    python benchmarks/gpu.py

Prints, as lines of JSON: rounds at 64 x 64 and 32 x 32 against the same game in eager PyTorch with TF32, at batches of 64 and 1,024, as
CUDA graphs and without, each with its share of what a bf16 matrix product reaches there (`zerosum bench` has the same columns); whether
rounds were recorded, and by what twenty rounds' costs differ from those of rounds that were not; and whether a run that was stopped and
resumed, in deterministic mode, ended in the very bits of one that was not.

    python benchmarks/gpu.py --device cpu --small

goes through all of it on nets that take no time, to see that it runs.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

# Read when the GPU's library of matrix products loads; without it they add in an order that changes.
os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")

import torch

import zerosum as zs
from zerosum.bench.games import GAMES, line, ours, small

BATCHES = (64, 1024)
SEEN = 6_400  # samples of the run that is resumed; the machine's own choice of kernels shows in the first hundred rounds


def rounds(device: str, tiny: bool, turns: int, seconds: float) -> Iterator[dict[str, Any]]:
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
    for batch in (4,) if tiny else BATCHES:
        for name in ("dcgan64", "resnet32"):
            game = small(GAMES[name]) if tiny else GAMES[name]
            game = replace(game, config=replace(game.config, batch=batch, device=device), doc=game.doc.partition(", batch")[0])
            for engine in ("auto", "eager"):
                asked = replace(game, config=replace(game.config, engine=engine))
                yield {"batch": batch, "asked": engine, **line(name, asked, turns=turns, seconds=seconds, threads=0)}


def replayed(device: str, tiny: bool) -> Iterator[dict[str, Any]]:
    """What a recording changes: the costs of twenty rounds from the same start, with CUDA graphs and without, in float32."""
    for name in ("digits", "resnet32"):
        game = small(GAMES[name]) if tiny else GAMES[name]
        costs, complaint = [], None
        for engine in ("auto", "eager"):
            # The short ways through D are part of "auto": in float32 both give the same to its rounding.
            it, play = ours(game, device=device, engine=engine, precision="float32")
            costs.append(torch.stack([play()[:2] for _ in range(20)]))  # type: ignore[index]
            complaint = complaint or it.complaint()
        apart = float((costs[0] - costs[1]).abs().max())
        yield {"name": "recorded", "game": name, "complaint": complaint, "costs apart": apart, "largest cost": float(costs[1].abs().max())}


def resumed(device: str, tiny: bool) -> dict[str, Any]:
    """Whether k samples, a resume and the rest end where a straight run does, weight by weight and sample by sample."""
    torch.use_deterministic_algorithms(True)
    seen = 640 if tiny else SEEN
    options: dict[str, Any] = {"device": device, "d.lr_end": None, "g.lr_end": None, "game.gamma_end": None, "batch": 64}
    if tiny:
        options |= {"net.width": 4, "net.hidden": 8}
    with tempfile.TemporaryDirectory() as folder:
        straight = zs.train("mnist", samples=seen, out=Path(folder) / "straight", options=options)
        zs.train("mnist", samples=seen // 2, out=Path(folder) / "halves", options=options)
        halves = zs.resume(Path(folder) / "halves", samples=seen)
        weights = [run.players().weights() for run in (straight, halves)]
        same = {name: torch.equal(weight, weights[1][name]) for name, weight in weights[0].items()}
        samples = bool((straight.sample(256) == halves.sample(256)).all())
    equal = {"weights equal": sum(same.values()), "of": len(same), "samples equal": samples}
    return {"name": "resume", "device": device, "samples seen": seen, **equal}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--small", action="store_true")
    args = parser.parse_args()
    if args.device != "cpu" and not torch.cuda.is_available():
        print("torch sees no GPU here: --device cpu --small shows that the benchmark runs.", file=sys.stderr)
        return 2
    for row in rounds(args.device, args.small, args.turns, args.seconds):
        print(json.dumps(row), flush=True)
    for row in replayed(args.device, args.small):
        print(json.dumps(row), flush=True)
    print(json.dumps(resumed(args.device, args.small)), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
