"""zerosum sample RUN: samples of the generator as an array, a picture or a folder of pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zerosum.commands.flags import parse, positional, short
from zerosum.errors import Refusal, printable
from zerosum.report.text_table import wrapped

if TYPE_CHECKING:
    import numpy as np

    from zerosum.runs.run import Run

    Array = np.ndarray[Any, Any]

EXAMPLES = """\
  zerosum sample runs/digits -n 64 --out digits.png             a grid
  zerosum sample runs/digits -n 10000 --out digits.npy          an array: uint8, N x H x W (x C); points: float32, N x d
  zerosum sample runs/digits -n 100 --out digits/               a file each
  zerosum sample runs/digits -n 80 --interpolate --out walk.png  rows of ten, each a walk between two samples
  zerosum sample runs/digits -n 60 --interpolate --out walk.gif  an animation: a closed walk, also .mp4
  zerosum sample runs/digits --interpolate --seeds 3,17,42 --out loop.gif
  zerosum sample runs/digits -n 64 --truncation 0.7 --out clean.png  fewer bad samples, less variety
  zerosum sample runs/digits --mix "#3,#8 - #1 + #4" --out sum.png  arithmetic of the samples' mean z
  zerosum sample runs/digits -n 64 --widen 1 --out digits.png   displaced as in training (default: 1.05 times as widely)
For a run on data with classes:
  zerosum sample runs/pets -n 64 --class cat --out cats.png     one class, by its name or its number
  zerosum sample runs/pets -n 60 --class cat,dog --out pets.png  30 of each class, in this order
  zerosum sample runs/pets -n 60 --class all --out all.png      equally many of every class
  zerosum sample runs/pets -n 80 --interpolate --class "cat>dog" --out between.png
  zerosum sample runs/pets -n 60 --interpolate --class "cat>dog" --out between.gif
  zerosum sample runs/pets -n 16 --mix "cat - dog + owl" --out sum.png
"""

STEPS = 10
"""Samples in a row of an interpolation."""

LONGEST = 16
"""Samples in a row of a picture in which each row shows one class."""

STOPS = 6
"""Samples that an animation goes through."""

TILES = 16
"""Walks that an animation shows beside each other, at most."""

ANIMATIONS = (".gif", ".mp4")

ALL = "all"
"""What --class says for every class of the data."""


@dataclass(frozen=True)
class Sample:
    """Draw samples from a run's averaged generator. Sample i depends on the seed, on i and on its class alone."""

    run: Path = positional("RUN")
    """The run's folder."""
    n: int = short("-n", 64)
    """How many samples."""
    out: Path | None = None
    """Where to write them: a name ending in .npy (an array) or .png (one picture of all), or a folder (a PNG each). With --interpolate also
    .gif or .mp4, an animation of -n pictures."""
    seed: int = 0
    """Seed of the random draws of z, and of the classes where none are given."""
    interpolate: bool = False
    """Walk from one z to another, in rows of ten samples, instead of drawing each z anew; in an animation, on a closed loop."""
    seeds: str | None = None
    """Seeds whose first samples the walk goes through, with commas between them. Default: six from --seed on."""
    truncation: float = 1.0
    """Multiply z by this: below 1, samples are nearer to the mean of their class. Fewer are bad, and all are more alike."""
    mix: str | None = None
    """Add and subtract mean vectors: classes ("7 - 1 + 0"), or samples by their numbers in a picture of this seed ("#3,#8 - #1 + #4")."""
    classes: str | None = short("--class", None)
    """Class to draw, for a conditional run: a name or a number; several with commas between them (equally many samples of each, in this
    order); all; or, with --interpolate, a walk between two ("cat>dog"; an animation goes there and back). Default: classes by their shares
    of the training data."""
    widen: float | None = None
    """How many times as widely as in training samples are displaced, for a run with --net.elastic. Default: what the run states, 1.05."""


def main(argv: Sequence[str]) -> int:
    args = parse(Sample, argv, prog="zerosum sample", examples=EXAMPLES)
    if args.n < 1:
        raise Refusal(f"-n must be at least 1, not {args.n}.")
    out = _destination(args.out)
    _require_one_way(args)
    from zerosum import api
    from zerosum.plain_files import write_whole
    from zerosum.report.grid import save_grid
    from zerosum.runs.labels import class_number

    run = api.load(args.run)
    modality = run.space.modality
    if out.suffix not in (".npy", ".png") and not modality.one_file_each:
        raise Refusal(f"{args.run} makes {run.space.kind}, which have no picture each: end --out in .npy, or in .png for a plot of all.")
    if out.suffix in ANIMATIONS:
        _animate(run, args, out)
        return 0
    steps, names = min(STEPS, args.n), list[str]()
    columns = steps if args.interpolate else None
    if args.mix is not None:
        array = run.mix(args.mix, args.n, args.seed, args.widen)
    elif args.interpolate and args.seeds:
        array = run.walk(_seeds(args), args.n, chosen(run.classes, args.classes, 1, "walk"), args.widen)
    elif args.interpolate:
        rows = -(-args.n // steps)
        array = run.interpolate(rows, steps, args.seed, chosen(run.classes, args.classes, rows, "rows"), args.widen)[: args.n]
    else:
        y = chosen(run.classes, args.classes, args.n, "samples")
        array = run.sample(args.n, args.seed, y, args.widen, args.truncation)
        columns = one_class_a_row(y)
        names = [run.classes[class_number(name, run.classes)] for name in (y or ())[::columns]] if columns else []
    if out.suffix == ".npy":
        write_whole(out, _npy(array))
    elif out.suffix == ".png":
        save_grid(array, out, columns=columns, preview=modality.preview, names=names)
    else:
        _write_each(array, out)
    which = "" if args.classes is None else f", class {args.classes}"
    print(wrapped(printable(f"{args.n:,} samples of {args.run} with seed {args.seed}{which}: {out}")))
    return 0


def _require_one_way(args: Sample) -> None:
    """Raises Refusal for options that do not go together."""
    if args.out is not None and args.out.suffix in ANIMATIONS and not args.interpolate:
        raise Refusal(f"--out {args.out} is an animation, which shows a walk: add --interpolate, or end it in .png.")
    if args.seeds is not None and not args.interpolate:
        raise Refusal("--seeds names the samples that a walk goes through: add --interpolate, or give one --seed.")
    if args.mix is not None and (args.interpolate or args.classes is not None):
        raise Refusal("--mix says by itself which z and class are drawn: leave --interpolate and --class out.")
    if args.truncation != 1 and (args.interpolate or args.mix is not None):
        raise Refusal("--truncation is for samples that are drawn, not for a walk or a sum: leave it out there.")


def _seeds(args: Sample) -> list[int]:
    """The seeds of a walk. Raises Refusal."""
    if args.seeds is None:
        return [args.seed + i for i in range(STOPS)]
    words = [word.strip() for word in args.seeds.split(",")]
    if len(words) < 2 or not all(word.isdecimal() for word in words):
        raise Refusal(f"--seeds must be two or more whole numbers with commas between them, not {args.seeds!r}.")
    return [int(word) for word in words]


def _animate(run: Run, args: Sample, out: Path) -> None:
    """A closed walk as an animation: of every class beside each other, up to TILES, where no class is given."""
    import numpy as np

    from zerosum.report.animation import save_animation

    seeds = _seeds(args)
    classes: list[str | None] = [*run.classes[:TILES]] if run.classes and args.classes is None else [None]
    if run.classes and args.classes is not None:
        asked = chosen(run.classes, args.classes, max(len(run.classes), 1 + args.classes.count(",")), "walks")
        classes = [*dict.fromkeys(asked)] if isinstance(asked, list) else [asked]
    walks = [run.walk(seeds, args.n, name, args.widen) for name in classes]
    save_animation(np.stack(walks, 1), out)
    print(wrapped(printable(f"{args.n:,} pictures of a walk through {len(seeds)} samples of {args.run}: {out}")))


def chosen(classes: Sequence[str], asked: str | None, n: int, what: str) -> str | list[str] | None:
    """What --class says, as `Run.sample` takes it: None, one class, or one for each of n samples, as many of each and in order.

    what: what there are n of. Raises Refusal where there are more classes than that.
    """
    from zerosum.runs.labels import BETWEEN

    if asked is None or asked in classes or not classes or BETWEEN in asked:
        return asked
    named = list(classes) if asked == ALL else [name.strip() for name in asked.split(",")]
    if len(named) > n:
        raise Refusal(f"--class {asked} names {len(named)} classes, and there are only {n} {what}: ask for more with -n.")
    return [named[i * len(named) // n] for i in range(n)]


def one_class_a_row(y: str | list[str] | None) -> int | None:
    """How many tiles a row of a picture has, so that each row shows one class; None where rows cannot, or would be long."""
    if not isinstance(y, list):
        return None
    lengths = {sum(1 for _ in same) for _, same in groupby(y)}
    return lengths.pop() if len(lengths) == 1 and max(lengths) <= LONGEST else None


def _destination(out: Path | None) -> Path:
    """--out, if it can be written. Raises Refusal where it is missing, of an unknown kind, or a folder that is not empty."""
    if out is None:
        raise Refusal("zerosum sample needs --out: a name ending in .npy or .png, or a folder for a PNG each.")
    if out.suffix in (".npy", ".png", *ANIMATIONS) and not out.is_dir():
        return out
    if out.suffix and not out.is_dir():
        raise Refusal(
            f"--out {out} is neither an array (.npy), a picture (.png), an animation (.gif, .mp4) nor a folder: name one of these."
        )
    if out.is_file() or (out.is_dir() and any(out.iterdir())):
        raise Refusal(f"--out {out} is not empty, and zerosum overwrites nothing: name another folder.")
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
