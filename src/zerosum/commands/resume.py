"""zerosum resume RUN: goes on exactly where the run stopped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from zerosum.commands.flags import parse, positional

EXAMPLES = """\
  zerosum resume runs/digits                      to the end that it was started with
  zerosum resume runs/digits --samples 1000000    further than that
  zerosum resume copied/run --data photos/        on another machine, where the data lie elsewhere
"""


@dataclass(frozen=True)
class Resume:
    """Go on with a run exactly where it stopped: what comes is what would have come had it never stopped."""

    run: Path = positional("RUN")
    """The run's folder."""
    samples: int | None = None
    """Go on until D has seen this many reals in all."""
    minutes: float | None = None
    """Go on for about this much longer."""
    data: str | None = None
    """Where its data lie now, if no longer where they were; they must be the same."""
    tensorboard: bool = False
    """Write the record for TensorBoard too, into RUN/tensorboard."""
    quiet: bool = False
    """Show no progress."""


def main(argv: Sequence[str]) -> int:
    args = parse(Resume, argv, prog="zerosum resume", examples=EXAMPLES)
    from zerosum import api
    from zerosum.commands.listeners import followed, report
    from zerosum.play.distributed import is_first

    run = api.load(args.run)
    if run.finished and args.samples is None and args.minutes is None:
        return report(run)
    with followed(run.path, quiet=args.quiet or not is_first(), tensorboard=args.tensorboard and is_first()) as listener:
        run = api.resume(run.path, samples=args.samples, minutes=args.minutes, data=args.data, listener=listener)
    return report(run)
