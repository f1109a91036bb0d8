"""The theorems as a table: for each statement the number that the mathematics gives, and the one that zerosum's code gives.

Each function takes seconds and trains nothing: `zerosum prove --quick`. The statements are chosen so that a wrong sign or a missing factor
of 1/2 in game/ changes a measured number.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator

from zerosum.errors import Refusal
from zerosum.theory.proofs_baseline import preliminaries
from zerosum.theory.proofs_play import dirac, generator_gradients, penalties, prior
from zerosum.theory.proofs_value import identities, optimal_discriminator, value_at_optimum
from zerosum.theory.statement import Statement

__all__ = ["PROOFS", "Statement", "prove"]

# In the order in which `zerosum prove` prints them.
PROOFS: dict[str, Callable[[], list[Statement]]] = {
    "optimal discriminator": optimal_discriminator,
    "value at the optimum": value_at_optimum,
    "generator gradients": generator_gradients,
    "dirac": dirac,
    "penalties": penalties,
    "prior": prior,
    "identities": identities,
    "preliminaries": preliminaries,
}


def prove(names: Iterable[str] = tuple(PROOFS)) -> Iterator[Statement]:
    """Yield the statements of the named proofs, one proof at a time.

    A game without an optimum raises Refusal; here that becomes a statement that fails (measured NaN), and the others still run.
    """
    for name in names:
        try:
            yield from PROOFS[name]()
        except Refusal as refusal:
            yield Statement(f"{name}: {refusal}", "refused", 0.0, math.nan, 0.0, False)
