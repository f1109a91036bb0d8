"""zerosum sample RUN: draws from the generator into an array, a picture or a folder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zerosum.commands.flags import parse, positional, short
from zerosum.errors import Refusal

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

EXAMPLES = """\
  zerosum sample runs/digits -n 64 --out digits.png             a grid
  zerosum sample runs/digits -n 10000 --out digits.npy          an array: uint8, N x H x W (x C); points: float32, N x d
  zerosum sample runs/digits -n 100 --out digits/               a file each
  zerosum sample runs/digits -n 80 --interpolate --out walk.png  rows of ten, each a walk between two samples
"""

STEPS = 10
"""Samples in a row of an interpolation."""


@dataclass(frozen=True)
class Sample:
    """Draw samples from a run's generator (its average, where the run keeps one). Sample i depends on the seed and i alone."""

    run: Path = positional("RUN")
    """The run's folder."""
    n: int = short("-n", 64)
    """How many samples."""
    out: Path | None = None
    """Where to: a name ending in .npy (an array) or .png (one picture of all), or a folder (a PNG each)."""
    seed: int = 0
    """Seed of the draws of z."""
    interpolate: bool = False
    """Walk from one z to another, in rows of ten samples, instead of drawing each z anew."""


def main(argv: Sequence[str]) -> int:
    args = parse(Sample, argv, prog="zerosum sample", examples=EXAMPLES)
    if args.n < 1:
        raise Refusal(f"-n must be at least 1, not {args.n}.")
    out = _destination(args.out)
    from zerosum import api
    from zerosum.report.disk import write_whole
    from zerosum.report.grid import save_grid

    run = api.load(args.run)
    modality = run.space.modality
    if out.suffix not in (".npy", ".png") and not modality.one_file_each:
        raise Refusal(f"{args.run} makes {run.space.kind}, which have no picture each: end --out in .npy, or in .png for a plot of all.")
    steps = min(STEPS, args.n)
    if args.interpolate:
        array = run.interpolate(-(-args.n // steps), steps, args.seed)[: args.n]
    else:
        array = run.sample(args.n, args.seed)
    if out.suffix == ".npy":
        write_whole(out, _npy(array))
    elif out.suffix == ".png":
        save_grid(array, out, columns=steps if args.interpolate else None, preview=modality.preview)
    else:
        _write_each(array, out)
    print(f"{args.n:,} samples of {args.run} with seed {args.seed}: {out}")
    return 0


def _destination(out: Path | None) -> Path:
    """The --out that can be written. Raises Refusal where it is missing, of an unknown kind, or a folder that holds something."""
    if out is None:
        raise Refusal("zerosum sample needs --out: a name ending in .npy or .png, or a folder for a PNG each.")
    if out.suffix in (".npy", ".png") and not out.is_dir():
        return out
    if out.suffix and not out.is_dir():
        raise Refusal(f"--out {out} is neither an array (.npy), a picture (.png) nor a folder: name one of these.")
    if out.is_file() or (out.is_dir() and any(out.iterdir())):
        raise Refusal(f"--out {out} holds something already, which zerosum does not overwrite: name another folder.")
    return out


def _npy(array: Array) -> bytes:
    import numpy as np

    buffer = BytesIO()
    np.save(buffer, array, allow_pickle=False)
    return buffer.getvalue()


def _write_each(images: Array, folder: Path) -> None:
    """One PNG an image, uint8 (N, H, W[, C]), named by its number with as many digits as the last one has."""
    from PIL import Image

    folder.mkdir(parents=True, exist_ok=True)
    digits = len(str(len(images) - 1))
    for i, image in enumerate(images):
        Image.fromarray(image).save(folder / f"{i:0{digits}d}.png")
