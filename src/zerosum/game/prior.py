"""The prior p_z: where G's noise comes from. Rows are (N, dim) float32; row draws depend on (seed, purpose, counter) alone."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from zerosum.chance import normal, uniform


def _uniform(shape: tuple[int, int], seed: int, purpose: str, counter: int) -> Tensor:
    return 2 * uniform(shape, seed, purpose, counter) - 1


PRIORS: dict[str, Callable[[tuple[int, int], int, str, int], Tensor]] = {
    "normal": normal,  # N(0, I)
    "uniform": _uniform,  # U(-1, 1)^dim, as in Goodfellow et al. 2014 and Radford et al. 2015
}
