"""zerosum report RUN: write a run's report.html again."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from zerosum.commands.flags import parse, positional
from zerosum.commands.terminal import tell

EXAMPLES = """\
  zerosum report runs/digits        writes runs/digits/report.html
  zerosum report copied/run         on another machine, without the data or the checkpoints
"""


@dataclass(frozen=True)
class Report:
    """Write a run's report.html again, from its record and its pictures: during the training, after a crash, or with a newer version.

    Neither the data nor the checkpoints are needed, and nothing else in the folder changes.
    """

    run: Path = positional("RUN")
    """The run's folder."""


def main(argv: Sequence[str]) -> int:
    args = parse(Report, argv, prog="zerosum report", examples=EXAMPLES)
    from zerosum.report.page import write_report

    tell(write_report(args.run))
    sys.stdout.flush()
    return 0
