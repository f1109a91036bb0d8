"""The whole table of `zerosum prove`: the theory (theory/proof.py), the code that trains, what training reaches, and the slow one."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

from zerosum.data.items import Progress, silent
from zerosum.errors import Refusal
from zerosum.study.proofs_backends import backends
from zerosum.study.proofs_bound import held_out_bound
from zerosum.study.proofs_step import training_step
from zerosum.study.proofs_trained import algorithm_1, trained_discriminator
from zerosum.theory.proof import PROOFS, Statement, prove

OF_THE_CODE: dict[str, Callable[[], list[Statement]]] = {"backends": backends, "training step": training_step}
NEEDS_TRAINING: dict[str, Callable[[Progress], list[Statement]]] = {
    "trained discriminator": trained_discriminator,
    "algorithm 1": algorithm_1,
}
SLOW: dict[str, Callable[[Progress], list[Statement]]] = {"held-out bound": held_out_bound}


def table(*, quick: bool = False, full: bool = False, progress: Progress = silent) -> Iterator[Statement]:
    """Yield the statements as they are measured. quick: only those that need no training. full: the held-out bound as well."""
    many = len(PROOFS) + len(OF_THE_CODE)
    for i, name in enumerate([*PROOFS, *OF_THE_CODE]):
        progress("Statements that need no training", i, many)
        yield from prove([name]) if name in PROOFS else OF_THE_CODE[name]()
    progress("Statements that need no training", many, many)
    for name in [] if quick else [*NEEDS_TRAINING, *(SLOW if full else [])]:
        try:
            yield from (NEEDS_TRAINING | SLOW)[name](progress)
        except Refusal as refusal:
            # A training that breaks down is a statement that fails, not the end of the table.
            yield Statement(f"{name}: {refusal}", "refused", 0.0, math.nan, 0.0, False)
