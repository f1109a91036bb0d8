"""zerosum resume RUN: continue a run exactly where it stopped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from zerosum.commands.flags import parse, positional
from zerosum.commands.terminal import tell
from zerosum.play.length import Minutes, Samples, checked_length

if TYPE_CHECKING:
    from zerosum.runs.run import Run

EXAMPLES = """\
  zerosum resume runs/digits                      to the end that it was started with
  zerosum resume runs/digits --samples 1000000    to a later end; after --until-plateau or --decay, from before its decay
  zerosum resume copied/run --data photos/        on another machine, where the data are in another place
"""


@dataclass(frozen=True)
class Resume:
    """Continue a run from its newest checkpoint. A resumed run is bit-identical to an uninterrupted one.

    A finished run gets the scores, the grid and the report that it lacks where its process was killed before it had written them."""

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


def _complete(run: Run, data: str | None) -> None:
    """Writes what a finished run lacks, and says so."""
    from zerosum.api.completion import complete
    from zerosum.data.source import open_data

    found = complete(run, run.data if data is None else lambda: run.require_its_own(open_data(data, run.config.data)))
    if found.done:
        what = " and ".join(filter(None, [", ".join(found.done[:-1]), found.done[-1]]))
        tell(f"{run.path} lacked its {what}, because its process ended before it had written everything: written now.")
    if found.refused:
        tell(f"Its scores or its last grid could not be made: {found.refused}")


def main(argv: Sequence[str]) -> int:
    args = parse(Resume, argv, prog="zerosum resume", examples=EXAMPLES)
    checked_length(args.minutes, args.samples, "--{}")
    from zerosum import api
    from zerosum.commands.listeners import followed, report
    from zerosum.play.distributed import is_first

    run = api.load(args.run)
    if run.finished and args.samples is None and args.minutes is None:
        if is_first():
            _complete(run, args.data)
        return report(run)
    with followed(run.path, quiet=args.quiet or not is_first(), tensorboard=args.tensorboard and is_first()) as listener:
        run = api.resume(run.path, samples=args.samples, minutes=args.minutes, data=args.data, listener=listener)
    return report(run)
