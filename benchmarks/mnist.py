"""Ours and the plain DCGAN reference on MNIST for the same time, on the same machine, side by side, scored alike.

    python benchmarks/mnist.py --minutes 10 --seeds 3 --out FOLDER

Each program trains in a process of its own with --threads threads (one each by default, both at once, so that neither has a quieter
machine than the other); 10,000 samples of each are scored against the 10,000 test digits in the package's digit features, and kept in
FOLDER as fakes.npy for whoever has other features. The reference is
zerosum/bench/dcgan.py at 32 x 32 (digits padded by two, samples cut back), batch 64.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path

import numpy as np


def reference(minutes: float, seed: int, threads: int, out: Path) -> None:
    import torch

    from zerosum.bench.dcgan import PublishedDCGAN, train_for
    from zerosum.data.mnist import digits

    torch.set_num_threads(threads)
    images, _ = digits("train")
    x = torch.nn.functional.pad(torch.from_numpy(np.array(images))[:, None].float() / 127.5 - 1, (2, 2, 2, 2), value=-1.0)
    generator = torch.Generator().manual_seed(seed)
    model = PublishedDCGAN(32, 1, seed=seed)
    seen = train_for(60 * minutes, model, lambda t: x[torch.randint(len(x), (64,), generator=generator)])
    fakes = model.sample(10_000)[:, 0, 2:-2, 2:-2]
    np.save(out / "fakes.npy", ((fakes + 1) * 127.5).round().clamp(0, 255).to(torch.uint8).numpy())
    (out / "seen.json").write_text(json.dumps(seen))


def ours(minutes: float, seed: int, threads: int, out: Path) -> None:
    import zerosum as zs

    options = {"seed": seed, "threads": threads}
    run = zs.train("mnist", minutes=minutes, out=out / "run", options=options)
    np.save(out / "fakes.npy", run.sample(10_000))
    (out / "seen.json").write_text(json.dumps(run.rows("stop")[-1]["samples"]))


def measured(fakes: np.ndarray) -> dict[str, float]:
    """Frechet distance, precision, recall, density and coverage of digits (N, 28, 28) uint8 against the 10,000 test digits."""
    import torch

    from zerosum.data.mnist import digits
    from zerosum.measure.evaluation import evaluate_images
    from zerosum.measure.features import features

    reals = torch.from_numpy(np.array(digits("t10k")[0]))[:, None]
    scores = evaluate_images(torch.from_numpy(fakes)[:, None], reals, None, features("digits"), 0, ("frechet", "prdc"))
    return {s.name: s.value for s in scores}


def score(out: Path) -> dict[str, float]:
    return {"images seen": json.loads((out / "seen.json").read_text()), **measured(np.load(out / "fakes.npy"))}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("runs/benchmark-mnist"))
    parser.add_argument("--child", nargs=3, metavar=("WHICH", "SEED", "OUT"), help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        which, seed, out = args.child
        {"ours": ours, "reference": reference}[which](args.minutes, int(seed), args.threads, Path(out))
        return
    for seed in range(args.seeds):
        running = {}
        for which in ("ours", "reference"):
            out = args.out / f"{which}-{seed}"
            out.mkdir(parents=True)
            options = ["--minutes", str(args.minutes), "--threads", str(args.threads), "--child", which, str(seed), str(out)]
            running[out] = subprocess.Popen([sys.executable, __file__, *options], stderr=subprocess.DEVNULL)
        for process in running.values():
            process.wait()
        for out in running:
            print(json.dumps({"program": out.name, "minutes": args.minutes, "threads": args.threads, **score(out)}), flush=True)


if __name__ == "__main__":
    main()
