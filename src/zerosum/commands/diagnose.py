"""zerosum diagnose RUN: the verdict on a run, read from its record."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from textwrap import wrap

from zerosum.commands.flags import parse, positional

EXAMPLES = """\
  zerosum diagnose runs/digits
  zerosum diagnose runs/digits --json
  zerosum diagnose runs/digits --check && zerosum resume runs/digits
"""


@dataclass(frozen=True)
class Diagnose:
    """Say how a run is going, or went: one named state, since when, the evidence, what to change, and how sure that is.

    It reads the record alone: the run may be training still, and its data and checkpoints need not be here.
    """

    run: Path = positional("RUN")
    """The run's folder."""
    json: bool = False
    """One JSON object on standard output, with the state at every check, and nothing else."""
    check: bool = False
    """Exit with status 1 where the run is in trouble."""


def main(argv: Sequence[str]) -> int:
    args = parse(Diagnose, argv, prog="zerosum diagnose", examples=EXAMPLES)
    # A report's reader, which loads no torch: a diagnosis should not wait for it.
    from zerosum.report.folder import read_run
    from zerosum.verdict import verdict

    run = read_run(args.run)
    config = run.manifest.get("config")
    found = verdict(run.rows, config if isinstance(config, dict) else None)
    if args.json:
        print(json.dumps(found.to_json(), allow_nan=False))
    else:
        print("\n".join(wrap(found.paragraph, 110)))
        if found.history:
            print("\nstate at each check, by samples seen")
            for state, group in groupby(found.history, key=lambda row: row["state"]):
                rows = list(group)
                print(
                    f"  {rows[0]['samples']:>12,} to {rows[-1]['samples']:>12,}  {state} ({len(rows)} check{'s' if len(rows) > 1 else ''})"
                )
    sys.stdout.flush()
    return 1 if args.check and found.trouble else 0
