"""KID: the squared maximum mean discrepancy under a cubic kernel, unbiased, of all pairs of the samples (not of random subsets of them).

k(x, y) = (x.y / d + 1)^3 (Binkowski et al. 2018, arXiv 1801.01401, section 4); the estimate is Gretton et al. 2012, JMLR 13, eq. 3. Its
variance is the two-sample U-statistic's: the first-order (Hajek) terms, which vanish for equal distributions, and the second-order ones,
which then remain.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from zerosum.measure.inputs import MeasureInputs, check_pair
from zerosum.measure.score import Reading, normal

LIMIT = 10_000
Kernel = Callable[[Tensor, Tensor], Tensor]
_CHUNK = 256  # rows: such a part of the table fits the processor's cache, and is twice as fast as 1,024


@dataclass(frozen=True, eq=False)
class _Table:
    """Sums over a kernel table k(x_i, y_j): of each row (N,), of each column (M,), and of all squares, without the diagonal where x is
    y."""

    rows: Tensor
    columns: Tensor
    squares: float


def cubic(x: Tensor, y: Tensor) -> Tensor:
    """(x.y / d + 1)^3 of rows x (n, d) and y (m, d), (n, m)."""
    return torch.addmm(x.new_ones(()), x / x.shape[1], y.T).pow_(3)


def _table(x: Tensor, y: Tensor, same: bool, kernel: Kernel) -> _Table:
    rows, columns, squares = [], torch.zeros(len(y), dtype=torch.float64), 0.0
    for i in range(0, len(x), _CHUNK):
        k = kernel(x[i : i + _CHUNK], y)
        if same:
            k[torch.arange(len(k)), i + torch.arange(len(k))] = 0
        # One row's or one chunk's sum in the dtype of x rounds to 1e-7 of itself; the sums of these need float64.
        rows.append(k.sum(1).double())
        columns += k.sum(0)
        squares += float(torch.linalg.vector_norm(k, dtype=torch.float64)) ** 2
    return _Table(torch.cat(rows), columns, squares)


def mmd2(x: Tensor, y: Tensor, kernel: Kernel = cubic) -> tuple[float, float]:
    """The unbiased estimate of MMD^2 between rows x (n, d) and y (m, d), and the estimate of its own sampling variance.

    kernel: from rows (n, d) and (m, d) to a new table (n, m). The estimate may be negative: its expectation is zero for equal
    distributions. Products in the dtype of x, sums of them in float64; time n m d, memory _CHUNK x m.
    """
    n, m = len(x), len(y)
    xx, yy, xy = _table(x, x, True, kernel), _table(y, y, True, kernel), _table(x, y, False, kernel)
    mean_xx, mean_yy, mean_xy = float(xx.rows.sum()) / (n * (n - 1)), float(yy.rows.sum()) / (m * (m - 1)), float(xy.rows.sum()) / (n * m)
    # Eq. 3: means over pairs of different samples, so no term is biased.
    estimate = mean_xx + mean_yy - 2 * mean_xy
    # Second-order (degenerate) part: variances of the doubly centred kernel.
    c_xx = _centred(xx.squares / (n * (n - 1)), xx.rows / (n - 1), xx.rows / (n - 1), mean_xx)
    c_yy = _centred(yy.squares / (m * (m - 1)), yy.rows / (m - 1), yy.rows / (m - 1), mean_yy)
    c_xy = _centred(xy.squares / (n * m), xy.rows / m, xy.columns / n, mean_xy)
    # First-order part. The row means are themselves estimates: subtract their noise, which is not first-order variance.
    of_x = float((xx.rows / (n - 1) - xy.rows / m).var()) - c_xx / (n - 1) - c_xy / m
    of_y = float((yy.rows / (m - 1) - xy.columns / n).var()) - c_yy / (m - 1) - c_xy / n
    first = 4 * max(0.0, of_x) / n + 4 * max(0.0, of_y) / m
    return estimate, first + 2 * c_xx / (n * (n - 1)) + 2 * c_yy / (m * (m - 1)) + 4 * c_xy / (n * m)


def _centred(mean_square: float, rows: Tensor, columns: Tensor, mean: float) -> float:
    """E k~^2 of the doubly centred kernel k~ = k - E_x k - E_y k + E k."""
    return max(0.0, mean_square - float(rows.square().mean()) - float(columns.square().mean()) + mean**2)


def kid(fake: Tensor, real: Tensor) -> Reading:
    """KID of features fake (n, d) and real (m, d), with a 95 % interval. Raises Refusal below 10 rows a side."""
    check_pair(fake, real, least=10)
    value, variance = mmd2(fake, real)
    return Reading("kid", value, *normal(value, variance))


def measure_kid(sets: MeasureInputs) -> tuple[Reading, ...]:
    """Row of MEASURES: at most LIMIT samples a side, chosen by the seed."""
    fake, real = (part.first(LIMIT, sets.seed, "kid") for part in (sets.fake, sets.real))
    return (kid(fake.rows, real.rows),)
