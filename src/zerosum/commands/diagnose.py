"""zerosum diagnose RUN: the verdict on a run, from its record."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from zerosum.commands.flags import parse, positional
from zerosum.commands.terminal import tell

EXAMPLES = """\
  zerosum diagnose runs/digits
  zerosum diagnose runs/digits --json
  zerosum diagnose runs/digits --check && zerosum resume runs/digits
"""


@dataclass(frozen=True)
class Diagnose:
    """Say how a run is going, or went: its state, since when, the evidence, what to change, and how certain that is.

    Only the record is read: the run may still be training, and its data and checkpoints are not needed.
    """

    run: Path = positional("RUN")
    """The run's folder."""
    json: bool = False
    """Print one JSON object, with the state at every check, and nothing else."""
    check: bool = False
    """Exit with status 1 if the run is in trouble."""


def main(argv: Sequence[str]) -> int:
    args = parse(Diagnose, argv, prog="zerosum diagnose", examples=EXAMPLES)
    # This reader loads no torch, so a diagnosis does not wait for it.
    from zerosum.report.complaints import complaints
    from zerosum.report.folder import read_run
    from zerosum.report.text_table import paragraph
    from zerosum.verdict import verdict

    run = read_run(args.run)
    config = run.manifest.get("config")
    found = verdict(run.rows, config if isinstance(config, dict) else None)
    if args.json:
        print(json.dumps({**found.to_json(), "complaints": complaints(run)}, allow_nan=False))
    else:
        print(paragraph(found.paragraph))
        for sentence in complaints(run):
            print(paragraph(f"Warning: {sentence}"))
        if found.history:
            tell("", "State at each check, by training samples:")
            for state, group in groupby(found.history, key=lambda row: row["state"]):
                rows = list(group)
                checks = f"{len(rows)} check{'s' if len(rows) > 1 else ''}"
                print(paragraph(f"{rows[0]['samples']:>12,} to {rows[-1]['samples']:>12,}  {state} ({checks})", "    ", "  "))
    sys.stdout.flush()
    return 1 if args.check and found.trouble else 0
