"""Whether a change of the code changes what is trained: short trainings by name, each reduced to a hash of all weights.

Run it before and after a change, on one machine, and compare: `python benchmarks/same_weights.py > before.txt`. Bits differ between
processors and versions of PyTorch, so the hashes mean nothing elsewhere.
"""

from __future__ import annotations

import argparse
import hashlib
import tempfile
from pathlib import Path

import torch

import zerosum as zs

STEPS = 200
# Name, data, preset and further options. Batches of 64, but for the points, so that 200 steps of each take about a minute.
TRAININGS: dict[str, tuple[str, str | None, dict[str, object]]] = {
    "ring8": ("ring8", None, {}),
    "digits": ("mnist", None, {}),
    "digits-bf16": ("mnist", None, {"precision": "bf16"}),
    "dcgan": ("mnist", "dcgan", {"batch": 64, "net.width": 16}),
    "resnet": ("mnist", "images", {"net.kind": "resnet", "net.width": 16, "net.depth": 1}),
    "goodfellow": ("mnist", "goodfellow", {}),
    "gp": ("ring8", None, {"game.penalty": "gp", "game.value": "wasserstein", "game.k": 2}),
    "reused": ("grid25", None, {"game.fakes": "reused", "net.dropout": 0.1}),
}


def digest(name: str, folder: Path) -> str:
    """The hash of the last checkpoint's weights, by tensor name in alphabetical order."""
    data, preset, options = TRAININGS[name]
    batch = options.get("batch", 64)
    config = {"threads": 1, "batch": batch, **options}
    run = zs.train(data, out=folder / name, preset=preset, samples=STEPS * 64 * int(options.get("game.k", 1)), options=config)
    weights = run.players().weights()
    hashed = hashlib.sha256()
    for key in sorted(weights):
        hashed.update(weights[key].detach().to(torch.float64).contiguous().numpy().tobytes())
    return hashed.hexdigest()[:32]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", default=list(TRAININGS))
    for name in parser.parse_args().names:
        with tempfile.TemporaryDirectory() as folder:
            print(f"{name:12} {digest(name, Path(folder))}", flush=True)


if __name__ == "__main__":
    main()
