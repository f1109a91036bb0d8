"""zerosum resume RUN: continue a run exactly where it stopped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from zerosum.commands.flags import parse, positional
from zerosum.play.length import Minutes, Samples, checked_length

EXAMPLES = """\
  zerosum resume runs/digits                      to the end that it was started with
  zerosum resume runs/digits --samples 1000000    to a later end
  zerosum resume copied/run --data photos/        on another machine, where the data are in another place
"""


@dataclass(frozen=True)
class Resume:
    """Continue a run from its newest checkpoint. A resumed run is bit-identical to an uninterrupted one."""

    run: Path = positional("RUN")
    """The run's folder."""
    samples: Samples = None
    """Train until D has seen this many real samples in all."""
    minutes: Minutes = None
    """Train for about this many more minutes."""
    data: str | None = None
    """Where the data are now, if they have moved. They must be the same data."""
    tensorboard: bool = False
    """Also write the record for TensorBoard, into RUN/tensorboard."""
    quiet: bool = False
    """Show no progress."""


def main(argv: Sequence[str]) -> int:
    args = parse(Resume, argv, prog="zerosum resume", examples=EXAMPLES)
    checked_length(args.minutes, args.samples, "--{}")
    from zerosum import api
    from zerosum.commands.listeners import followed, report
    from zerosum.play.distributed import is_first

    run = api.load(args.run)
    if run.finished and args.samples is None and args.minutes is None:
        return report(run)
    with followed(run.path, quiet=args.quiet or not is_first(), tensorboard=args.tensorboard and is_first()) as listener:
        run = api.resume(run.path, samples=args.samples, minutes=args.minutes, data=args.data, listener=listener)
    return report(run)
