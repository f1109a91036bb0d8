"""Whether the measure `noise_share` orders generated images as an independent judge does: RESULTS.md, "Image distance".

    python benchmarks/image_distance.py --out FOLDER [--data mnist shapes ...] [--emoji FOLDER] [--share 1.0]

Records runs of ten configurations on each data set, with images of the averaged generator at several moments; trains a classifier on each
data set's labels; and prints the rank correlation of the noise share with the Frechet distance in that classifier's features. What FOLDER
has already is not made again. Glyphs are drawn from the free fonts that are installed; emoji need the folder or zip of images by class.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.stats import spearmanr
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, gelu, max_pool2d
from verdict_drawn import N, shapes, tinted
from verdict_options import ADAM, PLAIN, both

from zerosum.api.training import with_options
from zerosum.chance import generator, uniform
from zerosum.data.options import DataOptions
from zerosum.data.source import Data, open_data
from zerosum.measure.frechet import distance
from zerosum.measure.noise_share import scale
from zerosum.measure.random_features import RandomConvolutions
from zerosum.monitor.checks import Checks
from zerosum.play.presets import PRESETS
from zerosum.runs.sampling import default_widening, draw_samples
from zerosum.training import launch

CHECKED, JUDGED = 256, 1000  # images of a snapshot for the noise share, and for the judge
MOMENTS = (0.02, 0.06, 0.15, 0.3, 0.6, 1.0)  # of a run
LENGTH = {"mnist": 20_000, "fashion-mnist": 12_000, "glyphs": 12_000, "emoji": 10_000, "tinted": 12_000, "shapes": 10_000}
STILL: dict[str, Any] = {"net.elastic": 0.0}
CONFIGS: dict[str, dict[str, Any]] = {
    "preset": {},
    "unconditional": {"net.classes": "none"},
    "hinge": {"game.value": "hinge", "game.penalty": "r1", "net.classes": "none", **STILL},
    "mlp": {"net.kind": "mlp", "net.hidden": 0, "net.width": 192, "net.depth": 2, **STILL, **ADAM},
    "plain": {**PLAIN, **ADAM, "net.classes": "none", **STILL},
    "narrow": {"net.width": 8, "net.hidden": 32},
    "resnet": {"net.kind": "resnet", "net.hidden": 0, "net.width": 16, "net.depth": 1, **STILL, **ADAM},
    "slow": {"net.classes": "none", **both(lr=4e-3, lr_end=2e-4)},
    "hot": {**PLAIN, **both(lr=8e-2, lr_end=8e-2)},
    "Helvetica": {**PLAIN, **ADAM, "game.g_steps": 4, "g.lr": 2e-3, "d.lr": 2e-4, **STILL},
}


def glyphs(size: int = 32) -> tuple[Any, Any]:
    """12,000 letters and digits (N, size, size) uint8 of the fonts that are installed, and their class numbers."""
    from PIL import Image, ImageDraw, ImageFont

    fonts = sorted(str(file) for file in Path("/usr/share/fonts").rglob("*.ttf"))
    characters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
    draw, x, y, scale = random.Random(0), [], [], size / 32
    for _ in range(12_000):
        k, font = draw.randrange(62), ImageFont.truetype(draw.choice(fonts), scale * draw.randint(20, 28))
        image = Image.new("L", (size, size))
        at = (scale * (16 + draw.uniform(-2, 2)), scale * (16 + draw.uniform(-2, 2)))
        ImageDraw.Draw(image).text(at, characters[k], fill=draw.randint(160, 255), font=font, anchor="mm")
        x.append(np.asarray(image.rotate(draw.uniform(-8, 8), resample=Image.Resampling.BILINEAR)))
        y.append(k)
    return np.stack(x), np.array(y)


def opened(name: str, emoji: Path | None, size: int = 32) -> tuple[Data, Tensor, Tensor]:
    """The data, and up to 20,000 of its images with their labels for the judge. size: of glyphs and emoji."""
    if name in ("tinted", "shapes"):
        images = tinted() if name == "tinted" else shapes()
        data = open_data(images)
        x = torch.from_numpy(images)
        x = x.movedim(3, 1) if x.ndim == 4 else x[:, None]
        if name == "shapes":
            return data, x, (3 * uniform((N, 5), 0, "benchmark/shapes")[:, 0]).long()
        digits = open_data("mnist", DataOptions(size="16", limit=N)).train
        y = digits.labels_head(min(N, digits.size or N))
        assert y is not None
        return data, x[: len(y)], y[: len(x)]
    if name == "emoji" and emoji is None:
        raise SystemExit("Emoji are asked for: give --emoji FOLDER.")
    spec = {"glyphs": lambda: glyphs(size), "emoji": lambda: emoji}.get(name, lambda: name)()
    data = open_data(spec, DataOptions(size=str(size) if name == "emoji" else None))
    n = min(data.train.size or 0, 20_000)
    labels = data.train.labels_head(n)
    assert labels is not None
    return data, data.train.head(n), labels


# -- recording --------------------------------------------------------------------------------------------------------------


@contextmanager
def snapshots(data: Data, samples: int) -> Iterator[dict[str, Tensor]]:
    """Within it a run's averaged generator is sampled at the first check after each of MOMENTS."""
    due, found, look = [int(samples * share) for share in MOMENTS], dict[str, Tensor](), Checks.look

    def both_looks(self: Checks, t: int, seen: int, statistics: Any) -> dict[str, Any]:
        numbers = look(self, t, seen, statistics)
        while due and seen >= due[0]:
            due.pop(0)
            algorithm = self._diagnostics.algorithm
            G, y = algorithm.players.ema.module, None
            if "g" in algorithm.networks.labelled and (labels := data.train.labels_head(JUDGED)) is not None:
                y = labels[torch.arange(JUDGED) % len(labels)]
            training = G.training
            found[str(seen)] = draw_samples(G.eval(), algorithm.config.prior, data.space, JUDGED, 5, y, default_widening(G))
            G.train(training)
        return numbers

    Checks.look = both_looks  # type: ignore[method-assign]
    try:
        yield found
    finally:
        Checks.look = look  # type: ignore[method-assign]


def record(file: Path, data: Data, options: dict[str, Any], samples: int) -> None:
    grey = data.space.shape[0] == 1
    labelled = {} if data.space.classes else {"net.classes": "none"}
    config = with_options(PRESETS["digits" if grey or options else "images"].config, {"threads": 1, **options, **labelled})
    with tempfile.TemporaryDirectory() as folder, snapshots(data, samples) as found:
        launch.train(data, Path(folder) / "run", config, samples=samples)
    np.savez_compressed(file, **{name: images.numpy() for name, images in found.items()})


# -- judging ----------------------------------------------------------------------------------------------------------------


class Judge(nn.Module):
    """A convolutional classifier of images (N, C, H, W), with features of 64 numbers."""

    def __init__(self, shape: torch.Size, classes: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.Conv2d(i, o, 3, padding=1) for i, o in ((shape[1], 32), (32, 64), (64, 96)))
        self.last = nn.LazyLinear(64)
        self.out = nn.Linear(64, classes)

    def features(self, images: Tensor) -> Tensor:
        x = images.float() / 127.5 - 1
        for layer in self.layers:
            x = max_pool2d(gelu(layer(x)), 2, ceil_mode=True)
        return gelu(self.last(x.flatten(1)))

    def forward(self, images: Tensor) -> Tensor:
        found: Tensor = self.out(self.features(images))
        return found


def trained(x: Tensor, y: Tensor) -> tuple[Judge, float]:
    """A judge after 900 steps on seven eighths of the images, and its accuracy on the rest."""
    torch.manual_seed(0)
    order = torch.randperm(len(x), generator=generator(0, "judge"))
    x, y, held = x[order], y[order], len(x) // 8
    judge = Judge(x.shape, int(y.max()) + 1)
    judge(x[:2])
    optimiser = torch.optim.AdamW(judge.parameters(), lr=2e-3, weight_decay=0.02)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 4e-3, total_steps=900)
    for _ in range(900):
        j = torch.randint(held, len(x), (96,))
        moved = torch.roll(x[j], tuple(torch.randint(-1, 2, (2,)).tolist()), (2, 3))
        optimiser.zero_grad()
        cross_entropy(judge(moved), y[j], label_smoothing=0.02).backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        schedule.step()
    with torch.no_grad():
        right = torch.cat([judge(part) for part in x[:held].split(500)]).argmax(1) == y[:held]
    return judge.eval().requires_grad_(False), float(right.double().mean())


def moments(judge: Judge, images: Tensor) -> tuple[Tensor, Tensor]:
    rows = torch.cat([judge.features(part) for part in images.split(500)]).double()
    return rows.mean(0), torch.cov(rows.T)


def table_row(name: str, folder: Path, data: Data, x: Tensor, y: Tensor) -> str:
    judge, accuracy = trained(x, y)
    train, held = data.train.head(1500), data.validation.head(CHECKED)
    features = RandomConvolutions(train)
    real, of_real = scale(held, features), moments(judge, x[-4000:])
    shares, distances = [], []
    for file in sorted(folder.glob(f"{name} *.npz")):
        for images in np.load(file).values():
            made = torch.from_numpy(images)
            shares.append(real.share(features(made[:CHECKED])).value)
            distances.append(distance(*moments(judge, made), *of_real))
    rho = float(spearmanr(shares, distances).statistic)
    return (
        f"| {name} | {accuracy:.1%} | {len(shares)} | {min(distances):.3g}, {max(distances):.3g}"
        f" | {min(shares):.2f}, {max(shares):.2f} | {rho:.3f} |"
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--data", nargs="+", choices=LENGTH, default=list(LENGTH))
    parser.add_argument("--emoji", type=Path)
    parser.add_argument("--share", type=float, default=1.0, help="of the runs' lengths")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    print("| data | judge's accuracy | snapshots | Frechet distance | noise share | rank correlation |", flush=True)
    for name in args.data:
        data, x, y = opened(name, args.emoji)
        for config, options in CONFIGS.items():
            if not (file := args.out / f"{name} {config}.npz").exists():
                record(file, data, options, round(args.share * LENGTH[name]))
        print(table_row(name, args.out, data, x, y), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
