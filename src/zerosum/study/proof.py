"""The whole table of `zerosum prove`: statements that need no training (theory/proof.py), those that do, and the slow one."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

from zerosum.data.items import Progress, silent
from zerosum.errors import Refusal
from zerosum.study.proofs_bound import held_out_bound
from zerosum.study.proofs_trained import algorithm_1, trained_discriminator
from zerosum.theory.proof import PROOFS, Statement, prove

NEEDS_TRAINING: dict[str, Callable[[Progress], list[Statement]]] = {
    "trained discriminator": trained_discriminator,
    "algorithm 1": algorithm_1,
}
SLOW: dict[str, Callable[[Progress], list[Statement]]] = {"held-out bound": held_out_bound}


def table(*, quick: bool = False, full: bool = False, progress: Progress = silent) -> Iterator[Statement]:
    """Yield the statements as they are measured. quick: only those that need no training. full: the held-out bound as well."""
    for i, name in enumerate(PROOFS):
        progress("Statements that need no training", i, len(PROOFS))
        yield from prove([name])
    progress("Statements that need no training", len(PROOFS), len(PROOFS))
    for name in [] if quick else [*NEEDS_TRAINING, *(SLOW if full else [])]:
        try:
            yield from (NEEDS_TRAINING | SLOW)[name](progress)
        except Refusal as refusal:
            # A training that breaks down is a statement that fails, not the end of the table.
            yield Statement(f"{name}: {refusal}", "refused", 0.0, math.nan, 0.0, False)
