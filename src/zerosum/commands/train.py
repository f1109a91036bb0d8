"""zerosum train DATA: trains, and writes a run folder with its report."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zerosum.commands.flags import knobs, parse, positional
from zerosum.data.options import DataOptions
from zerosum.play.config import Config
from zerosum.play.presets import default_preset, named, with_net

EXAMPLES = """\
  zerosum train mnist --minutes 5 --out runs/digits     the digits that come with zerosum
  zerosum train ring8 --minutes 1                       a known density in two dimensions
  zerosum train photos/ --data.size 64 --minutes 60     a folder of images
  zerosum train cloud.npy --preset goodfellow --samples 1e6
  zerosum train bimodal --game.value minimax --game.penalty none --d.lr 1e-4
"""


@dataclass(frozen=True)
class Train:
    """Train a GAN on DATA and write everything about it into a folder: the record, checkpoints, grids of samples, report.html."""

    data: str = positional("DATA")
    """A name (mnist, fashion-mnist, ring8, grid25, spiral, moons, checkerboard, gaussian, bimodal, uniform), a mixture such as
    "mixture:0.3*N(-2,0.5)+0.7*N(1,0.2)", or the path of a folder or zip of images, an idx file, or an array (.npy, .npz)."""
    out: Path | None = None
    """The run's folder, which must not hold anything; by default runs/NAME-N with the first free N."""
    preset: str | None = None
    """Where the knobs start from; by default what suits the data."""
    minutes: float | None = None
    """Train for about this long: the number of samples is fixed from the speed of the first seconds, and recorded. By default 5."""
    samples: int | None = None
    """Train until D has seen this many reals, instead of --minutes."""
    until_settled: bool = False
    """Stop earlier, when the run has settled: when it no longer comes nearer to its data. While learning rates fall it has not settled."""
    tensorboard: bool = False
    """Write the record for TensorBoard too, into RUN/tensorboard (needs the extra: pip install 'zerosum[tensorboard]')."""
    quiet: bool = False
    """Show no progress."""
    config: Config = knobs(Config)


def preset_of(given: Mapping[str, Any]) -> dict[str, Any]:
    """The defaults that --preset names, or that suit the DATA on the command line; none where neither is there yet."""
    name = given.get("preset")
    if name is None and given.get("data") is not None:
        name = default_preset(*_kind(given["data"], given.get("config.data.size")))
    if name is None:
        return {}
    config = named(name).config
    return {"preset": name, "config": with_net(config, given.get("config.net.kind", config.net.kind))}


def _kind(spec: str, size: str | None) -> tuple[str, tuple[int, ...] | None]:
    """Kind and shape of the data, without loading torch where the name tells: a help page that names DATA should not wait for it."""
    if size is None and spec in ("mnist", "fashion-mnist"):
        return "images", (1, 28, 28)
    if not Path(spec).expanduser().exists():
        # A density, a mixture, or nothing, which opening the data will refuse.
        return "points", None
    from zerosum.data.detect import kind_of

    return kind_of(spec, DataOptions(size=size))


def main(argv: Sequence[str]) -> int:
    args = parse(Train, argv, prog="zerosum train", examples=EXAMPLES, preset=preset_of)
    command = shlex.join(["zerosum", "train", *argv])
    # torch is loaded from here on: no help page waits for it.
    from zerosum.api import open_data, train
    from zerosum.api.training import check_length, next_folder, refuse_taken
    from zerosum.commands.listeners import followed, report
    from zerosum.play.distributed import is_first, require_name
    from zerosum.report.progress import reading

    require_name(args.out)
    quiet = args.quiet or not is_first()
    check_length(args.minutes, args.samples)
    if args.out is not None:
        refuse_taken(args.out)
    data = open_data(args.data, args.config.data, None if quiet else reading)
    if data.skipped and not quiet:
        print(f"{len(data.skipped)} files were skipped; zerosum inspect {args.data} says why.", file=sys.stderr)
    out = args.out or next_folder(data.name)
    with followed(out, quiet=quiet, tensorboard=args.tensorboard and is_first()) as listener:
        run = train(
            data,
            minutes=args.minutes,
            samples=args.samples,
            until_settled=args.until_settled,
            out=out,
            preset=args.preset,
            config=args.config,
            listener=listener,
            command=command,
        )
    return report(run)
