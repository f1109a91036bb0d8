"""Does speed cost quality? The engine that a run chooses against plain eager float32, by equal samples and seeds, scored alike.

    python benchmarks/engines.py ring8 --seeds 10 --samples 640000
    python benchmarks/engines.py mnist --seeds 3 --samples 60000

Prints the scores of every training, then for each score the mean over seeds of either engine and of their difference seed by seed, with
standard errors. The first weights, the noise and the reals of a seed are the same for both engines; they part by rounding alone.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Mapping
from math import sqrt
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import torch
from mnist import measured

import zerosum as zs
from zerosum.data.density import DENSITIES
from zerosum.study.stress import SCORED, scored

ENGINES: dict[str, dict[str, Any]] = {"chosen": {}, "plain": {"engine": "eager", "precision": "float32"}}


def scores(data: str, fakes: Any) -> Mapping[str, float]:
    """Of points: modes, high quality, reverse KL, sigma ratio. Of digits: measures in the package's features, against the test digits."""
    if data == "mnist":
        return measured(fakes)
    return {name: value for name, value in vars(scored(torch.from_numpy(fakes), DENSITIES[data]())).items() if value is not None}


def trained(data: str, engine: str, seed: int, samples: int, threads: int) -> Mapping[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        options = {"seed": seed, "threads": threads, **ENGINES[engine]}
        run = zs.train(data, samples=samples, out=Path(folder) / "run", options=options)
        found = scores(data, run.sample(10_000 if data == "mnist" else SCORED))
        played = {f"its {name}": run.manifest["engine"][name] for name in ("engine", "precision", "routes", "closed_form")}
    print(json.dumps({"data": data, "which": engine, **played, "seed": seed, "samples": samples, **found}), flush=True)
    return found


def about(values: list[float]) -> str:
    error = f" +- {stdev(values) / sqrt(len(values)):.2g}" if len(values) > 1 else ""
    return f"{mean(values):.4g}{error}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", choices=("mnist", *(name for name, density in DENSITIES.items() if density().modes is not None)))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--samples", type=int, default=60_000)
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    runs = [{engine: trained(args.data, engine, seed, args.samples, args.threads) for engine in ENGINES} for seed in range(args.seeds)]
    # A score that some run lacks, such as the spread within modes where none was hit, is left out.
    for name in [name for name in runs[0]["plain"] if all(name in found for run in runs for found in run.values())]:
        chosen, plain = ([run[engine][name] for run in runs] for engine in ENGINES)
        apart = [a - b for a, b in zip(chosen, plain, strict=True)]
        print(f"{name}: chosen {about(chosen)}, plain {about(plain)}, difference {about(apart)} ({args.seeds} seeds)")


if __name__ == "__main__":
    main()
