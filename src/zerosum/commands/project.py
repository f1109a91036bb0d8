"""zerosum project RUN IMAGE: the z at which a run's generator comes nearest to an image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from zerosum.commands.flags import parse, positional, short
from zerosum.errors import Refusal, printable
from zerosum.report.text_table import wrapped

EXAMPLES = """\
  zerosum project runs/digits seven.png                       writes seven-projected.png: the image beside what G makes of it
  zerosum project runs/digits seven.png --class 7 --out both.png
"""


@dataclass(frozen=True)
class Project:
    """Find the z, and the class if it is not given, at which a run's generator comes nearest to an image. Draws the image, at the
    size of the run, beside the sample found."""

    run: Path = positional("RUN")
    """The run's folder."""
    image: Path = positional("IMAGE")
    """The image: PNG, JPEG, WebP, BMP, TIFF or GIF. Of another size than the run's, its centre is cropped and resized."""
    out: Path | None = None
    """The picture to write; by default IMAGE-projected.png in this folder."""
    y: str | None = short("--class", None)
    """Its class, by name or number, for a conditional run. Default: the class that fits best."""
    seed: int = 0
    """Seed of the values of z at which the search begins."""


def main(argv: Sequence[str]) -> int:
    args = parse(Project, argv, prog="zerosum project", examples=EXAMPLES)
    out = args.out or Path(f"{args.image.stem}-projected.png")
    if out.suffix != ".png":
        raise Refusal(f"--out {out} must end in .png.")
    import numpy as np

    from zerosum import api
    from zerosum.report.grid import save_grid
    from zerosum.report.progress import CountProgress
    from zerosum.runs.projection import target_of

    run = api.load(args.run)
    _, resized = target_of(args.image, run.space)
    found = run.project(args.image, y=args.y, seed=args.seed, progress=CountProgress())
    images = np.stack([run.space.to_array(raw[None])[0] for raw in (found.target, found.image)])
    save_grid(images, out, columns=2)
    said = [f"{args.image} (left) and the nearest sample of {args.run} (right): {out}."]
    if resized:
        said.append(f"The image was cropped and resized to the run's {run.space.shape[1]} x {run.space.shape[2]} pixels.")
    if found.y is not None:
        said.append(f"Class: {run.classes[found.y]}{'' if args.y is not None else ', which fits best'}.")
    numbers = f"{found.distance:.4f}; of the nearest of the first draws: {found.before:.4f}"
    said.append(f"Distance (mean squared difference of pixels in [-1, 1]): {numbers}.")
    print(wrapped(printable(" ".join(said))))
    return 0
