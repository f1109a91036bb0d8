"""zerosum prove: the theorems as a table, each proved number beside the one that zerosum measures."""

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
  zerosum prove --quick        what needs no training: under a minute
  zerosum prove                with D trained to D* and Algorithm 1 played to its end: a few minutes
  zerosum prove --json
"""
_PIPE = 150  # columns of the table where no terminal says how many there are


@dataclass(frozen=True)
class Prove:
    """Measure every statement of the theory on the games, nets and rounds that zerosum trains with: what is proved, what was measured, the
    tolerance, and whether it holds. Exit status 1 if any does not."""

    quick: bool = False
    """Only what needs no training."""
    full: bool = False
    """The held-out bound on the JSD as well, 200 times on each of four pairs: some minutes more."""
    json: bool = False
    """One JSON list of rows on standard output, and nothing else."""


def main(argv: Sequence[str]) -> int:
    args = parse(Prove, argv, prog="zerosum prove", examples=EXAMPLES)
    if args.quick and args.full:
        raise Refusal("Give --quick or --full, not both: one leaves out what trains, the other adds to it.")
    from zerosum.report.progress import CountProgress
    from zerosum.study.proof import table

    rows = list(table(quick=args.quick, full=args.full, progress=CountProgress()))
    failed = sum(not r.holds for r in rows)
    if args.json:
        print(json.dumps([as_json(r) for r in rows], allow_nan=False))
    else:
        show(drawn(rows))
        print(f"All {len(rows)} rows hold." if not failed else f"{failed} of {len(rows)} rows do not hold.")
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
    table.add_column("holds", no_wrap=True)
    for r in rows:
        holds = Text("yes", style="green") if r.holds else Text("NO", style="bold red")
        table.add_row(Text(r.name), Text(r.source, style="dim"), *(f"{x:.6g}" for x in (r.proved, r.measured, r.tolerance)), holds)
    return table


def show(table: Table) -> None:
    """Prints a table as wide as the terminal, or wide where there is none."""
    from rich.console import Console

    console = Console(file=sys.stdout, highlight=False)
    if not console.is_terminal:
        console = Console(file=sys.stdout, highlight=False, width=_PIPE)
    console.print(table)
