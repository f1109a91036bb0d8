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
from zerosum.report.text_table import text_table

if TYPE_CHECKING:
    from zerosum.theory.statement import Statement

EXAMPLES = """\
  zerosum prove --quick        without training: under a minute
  zerosum prove                also trains D to D*, and both players by Algorithm 1: a few minutes
  zerosum prove --json
"""


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
        print(drawn(rows))
        print(f"All {len(rows)} statements hold." if not failed else f"{failed} of {len(rows)} statements fail.")
    sys.stdout.flush()
    return 1 if failed else 0


def as_json(row: Statement) -> dict[str, Any]:
    """The row as plain values; a number that is not finite is null."""
    return {k: None if isinstance(v, float) and not math.isfinite(v) else v for k, v in asdict(row).items()}


def drawn(rows: Sequence[Statement]) -> str:
    """The rows as a table."""
    heads = ("statement", "source", "proved", "measured", "tolerance", "agree")
    cells = [(r.name, r.source, *(f"{x:.6g}" for x in (r.proved, r.measured, r.tolerance)), "yes" if r.holds else "NO") for r in rows]
    return text_table(heads, cells, right=("proved", "measured", "tolerance"))
