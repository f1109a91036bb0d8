"""zerosum and DCGAN on several kinds of images, for the same time, side by side, scored alike: RESULTS.md, "Other images".

    python benchmarks/sets.py --out FOLDER [--sets fashion-mnist emoji-32 ...] [--emoji ZIP] [--minutes 10] [--seed 0]

Both programs train at once, each with one thread: zerosum with its defaults for the data, and the published DCGAN
(src/zerosum/bench/dcgan.py), for few images with the transformations of DiffAugment (Zhao et al. 2020, arXiv 2006.10738) before D. 2,000
samples of each are compared with real images in the features of a classifier that is trained here on the set's labels
(image_distance.py), and by the noise share. Excess: the Frechet distance above that of real images. FOLDER keeps samples and pictures;
what it has already is not made again.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from image_distance import Judge, glyphs, moments, opened, trained
from torch import Tensor, nn
from torch.nn.functional import pad

from zerosum.data.source import Data
from zerosum.measure.evaluation import evaluate_images
from zerosum.measure.features import UnavailableFeatures
from zerosum.measure.frechet import distance

SAMPLES, REFERENCE_BATCH = 2_000, 64
UNAVAILABLE = UnavailableFeatures("none", "The classifier of image_distance.py has its own.")


@dataclass(frozen=True)
class Images:
    """data: a name that image_distance.py knows. size: pixels a side. limit: training images. augmented: the reference has DiffAugment."""

    data: str
    size: int
    limit: int | None = None
    augmented: bool = False


SETS = {
    "fashion-mnist": Images("fashion-mnist", 28),
    "glyphs-32": Images("glyphs", 32),
    "glyphs-64": Images("glyphs", 64),
    "emoji-32": Images("emoji", 32, augmented=True),
    "emoji-64": Images("emoji", 64, augmented=True),
    "emoji-32, 500": Images("emoji", 32, 500, augmented=True),
    "emoji-32, 100": Images("emoji", 32, 100, augmented=True),
}


class Augmented(nn.Module):
    """A discriminator that sees transformed images. The numbers of the transformations are drawn here."""

    def __init__(self, D: nn.Module) -> None:
        super().__init__()
        self.D = D

    def forward(self, x: Tensor) -> Any:
        from zerosum.game.augment import diffaugment

        return self.D(diffaugment(x, torch.rand(len(x), 7)))


def reference(images: Images, data: Data, minutes: float, seed: int) -> tuple[np.ndarray, int]:
    """Samples of DCGAN, uint8 (N, C, H, W), and the number of images that it saw."""
    from zerosum.bench.dcgan import PublishedDCGAN, train_for

    side = 32 if images.size < 32 else images.size
    edge = (side - images.size) // 2
    rows = data.train.head(min(data.train.size or 0, images.limit or 10**9))
    x = pad(rows.float() / 127.5 - 1, (edge,) * 4, value=-1.0)
    generator = torch.Generator().manual_seed(seed)
    model = PublishedDCGAN(side, x.shape[1], seed=seed)
    if images.augmented:
        model.D = Augmented(model.D)  # type: ignore[assignment]
    seen = train_for(60 * minutes, model, lambda t: x[torch.randint(len(x), (REFERENCE_BATCH,), generator=generator)])
    made = model.sample(SAMPLES)[:, :, edge : side - edge, edge : side - edge]
    return ((made + 1) * 127.5).round().clamp(0, 255).to(torch.uint8).numpy(), seen


def ours(images: Images, data: Data, emoji: Path | None, minutes: float, seed: int, out: Path) -> tuple[np.ndarray, int]:
    import zerosum as zs

    given = {"glyphs": lambda: glyphs(images.size), "emoji": lambda: emoji}.get(images.data, lambda: images.data)()
    options: dict[str, Any] = {"seed": seed, "threads": 1}
    options |= {"data.size": str(images.size)} if images.data == "emoji" else {}
    options |= {"data.limit": images.limit} if images.limit else {}
    run = zs.train(given, minutes=minutes, out=out / "run", options=options, progress=False)
    return data.space.from_array(run.sample(SAMPLES)).numpy(), run.rows("stop")[-1]["samples"]


def train(name: str, program: str, emoji: Path | None, minutes: float, seed: int, out: Path) -> None:
    torch.set_num_threads(1)
    out.mkdir(parents=True, exist_ok=True)
    images = SETS[name]
    data, _, _ = opened(images.data, emoji, images.size)
    if program == "zerosum":
        made, seen = ours(images, data, emoji, minutes, seed, out)
    else:
        made, seen = reference(images, data, minutes, seed)
    np.savez(out / "samples.npz", images=made, seen=seen)


@cache
def judged(data: str, size: int, emoji: Path | None) -> tuple[Data, Judge, tuple[Tensor, Tensor], float]:
    """The data, their judge, the moments of their real images, and the distance of the held-out ones from these."""
    opened_data, x, y = opened(data, emoji, size)
    judge, _ = trained(x, y)
    real = moments(judge, x[-4000:])
    held = torch.cat([part.head(SAMPLES // 2) for part in (opened_data.validation, opened_data.test)])
    return opened_data, judge, real, distance(*moments(judge, held), *real)


def scored(name: str, emoji: Path | None, out: Path) -> dict[str, float]:
    images = SETS[name]
    data, judge, real, least = judged(images.data, images.size, emoji)
    with np.load(out / "samples.npz") as stored:
        made, seen = torch.from_numpy(stored["images"]), int(stored["seen"])
    (share,) = evaluate_images(made, data.test.head(SAMPLES), data.train.head(SAMPLES), UNAVAILABLE, only=("noise_share",))
    picture(data, made, out.with_suffix(".png"))
    found = distance(*moments(judge, made), *real)
    return {"images seen": seen, "frechet": found, "real": least, "noise share": share.value or 0.0, "real share": share.floor or 0.0}


def picture(data: Data, made: Tensor, file: Path) -> None:
    from zerosum.report.grid import save_grid

    save_grid(data.space.to_array(made[:60]), file, columns=10)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--sets", nargs="+", choices=SETS, default=list(SETS))
    parser.add_argument("--emoji", type=Path)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--child", nargs=2, metavar=("SET", "PROGRAM"), help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        train(*args.child, args.emoji, args.minutes, args.seed, args.out)
        return
    torch.set_num_threads(1)
    for name in args.sets:
        if SETS[name].data == "emoji" and args.emoji is None:
            print(f"{name}: give --emoji ZIP", file=sys.stderr)
            continue
        places = {program: args.out / f"{name} {program} {args.seed}" for program in ("zerosum", "DCGAN")}
        running = []
        for program, out in places.items():
            if not (out / "samples.npz").exists():
                given = ["--minutes", str(args.minutes), "--seed", str(args.seed), *(["--emoji", str(args.emoji)] if args.emoji else [])]
                running.append(subprocess.Popen([sys.executable, __file__, "--out", str(out), *given, "--child", name, program]))
        if any(process.wait() for process in running):
            raise SystemExit(f"{name}: a training failed, see above.")
        scores = {program: scored(name, args.emoji, out) for program, out in places.items()}
        excess = {program: max(0.0, s["frechet"] - s["real"]) for program, s in scores.items()}
        ratio = excess["zerosum"] / excess["DCGAN"]
        print(json.dumps({"set": name, "seed": args.seed, "minutes": args.minutes, "excess ratio": ratio, **scores}), flush=True)


if __name__ == "__main__":
    main()
