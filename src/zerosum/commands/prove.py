"""zerosum prove: the theorems as a table, each proved number next to the measured one."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from zerosum.commands.flags import parse
from zerosum.errors import Refusal

if TYPE_CHECKING:
    from rich.table import Table

    from zerosum.theory.statement import Statement

EXAMPLES = """\
  zerosum prove --quick        without training: under a minute
  zerosum prove                also trains D to D*, and both players by Algorithm 1: a few minutes
  zerosum prove --json
"""
_PIPE = 150  # columns of the table where the output is no terminal


@dataclass(frozen=True)
class Prove:
    """Check every statement of the theory on the code that zerosum trains with. Prints the number that the mathematics gives, the measured
    one, the tolerance, and whether they agree. The exit status is 1 if any statement fails."""

    quick: bool = False
    """Only the statements that need no training."""
    full: bool = False
    """Also check the held-out bound on the JSD, 200 times on each of four pairs: some minutes more."""
    json: bool = False
    """Print one JSON list of rows and nothing else."""


def main(argv: Sequence[str]) -> int:
    args = parse(Prove, argv, prog="zerosum prove", examples=EXAMPLES)
    if args.quick and args.full:
        raise Refusal("Give --quick or --full, not both: one leaves out the training, the other adds to it.")
    from zerosum.report.progress import CountProgress
    from zerosum.study.proof import table

    rows = list(table(quick=args.quick, full=args.full, progress=CountProgress()))
    failed = sum(not r.holds for r in rows)
    if args.json:
        print(json.dumps([as_json(r) for r in rows], allow_nan=False))
    else:
        show(drawn(rows))
        print(f"All {len(rows)} statements hold." if not failed else f"{failed} of {len(rows)} statements fail.")
    sys.stdout.flush()
    return 1 if failed else 0


def as_json(row: Statement) -> dict[str, Any]:
    """The row as plain values; a number that is not finite is null."""
    return {k: None if isinstance(v, float) and not math.isfinite(v) else v for k, v in asdict(row).items()}


def drawn(rows: Sequence[Statement]) -> Table:
    """The rows as a table for a terminal."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for head in ("statement", "source"):
        table.add_column(head, overflow="fold", ratio=3 if head == "statement" else 2)
    for head in ("proved", "measured", "tolerance"):
        table.add_column(head, justify="right", no_wrap=True)
    table.add_column("agree", no_wrap=True)
    for r in rows:
        holds = Text("yes", style="green") if r.holds else Text("NO", style="bold red")
        table.add_row(Text(r.name), Text(r.source, style="dim"), *(f"{x:.6g}" for x in (r.proved, r.measured, r.tolerance)), holds)
    return table


def show(table: Table) -> None:
    """Print a table as wide as the terminal, or _PIPE columns wide where there is none."""
    from rich.console import Console

    console = Console(file=sys.stdout, highlight=False)
    if not console.is_terminal:
        console = Console(file=sys.stdout, highlight=False, width=_PIPE)
    console.print(table)
