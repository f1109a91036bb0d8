"""The whole table of `zerosum prove`: the statements that need no training (theory/proof.py), those that do, and the long one."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

from zerosum.errors import Refusal
from zerosum.study.progress import Progress, silent
from zerosum.study.proofs_bound import held_out_bound
from zerosum.study.proofs_trained import algorithm_1, trained_discriminator
from zerosum.theory.proof import PROOFS, Statement, prove

TRAINED: dict[str, Callable[[Progress], list[Statement]]] = {
    "trained discriminator": trained_discriminator,
    "algorithm 1": algorithm_1,
}
LONG: dict[str, Callable[[Progress], list[Statement]]] = {"modes_reached-out bound": held_out_bound}


def table(*, quick: bool = False, full: bool = False, progress: Progress = silent) -> Iterator[Statement]:
    """The rows, as each proof is done. quick: only what trains nothing. full: the modes_reached-out bound as well."""
    for i, name in enumerate(PROOFS):
        progress("Proofs that train nothing", i, len(PROOFS))
        yield from prove([name])
    progress("Proofs that train nothing", len(PROOFS), len(PROOFS))
    for name in [] if quick else [*TRAINED, *(LONG if full else [])]:
        try:
            yield from (TRAINED | LONG)[name](progress)
        except Refusal as refusal:
            # A game that breaks is a row that does not hold, not the end of the table.
            yield Statement(f"{name}: {refusal}", "refused", 0.0, math.nan, 0.0, False)
