"""Statement 7: how often measure/divergence.py's held-out bound exceeds the JSD, and how close it comes, on pairs of known JSD."""

from __future__ import annotations

import torch
from torch import Tensor

from zerosum.chance import generator
from zerosum.data.density import Mixture, mixture
from zerosum.data.items import Progress, silent
from zerosum.measure.divergence import DELTA, jsd_bound
from zerosum.theory.optimum import jsd
from zerosum.theory.pair import Pair
from zerosum.theory.statement import Statement, statement

_SOURCE = "V(D, G) <= V(D*, G) = -log 4 + 2 JSD"
SAMPLES = 10_000
REPEATS = 200
# A share of 5 % counted in 200 repeats stays below 8 % in 97 of 100 tables.
MOST_EXCEEDED = 0.08


def _mixture(weights: list[float], means: list[list[float]], stds: list[float]) -> Mixture:
    w, mu, sigma = (torch.tensor(t, dtype=torch.float64) for t in (weights, means, stds))
    return Mixture(w, mu, sigma)


PAIRS: dict[str, tuple[Mixture, Mixture]] = {
    "equal": (mixture([1.0], [0.0], [1.0]), mixture([1.0], [0.0], [1.0])),
    "N(0,1) and N(1,1)": (mixture([1.0], [0.0], [1.0]), mixture([1.0], [1.0], [1.0])),
    "N(0,1) and N(2,1)": (mixture([1.0], [0.0], [1.0]), mixture([1.0], [2.0], [1.0])),
    "two 2-D mixtures": (
        _mixture([0.5, 0.25, 0.25], [[-1.0, 0.0], [1.0, 1.0], [1.0, -1.0]], [0.4, 0.3, 0.3]),
        _mixture([0.4, 0.4, 0.2], [[-1.0, 0.2], [1.0, 1.0], [1.0, -0.8]], [0.5, 0.3, 0.4]),
    ),
}


def midpoint_pair(p: Mixture, q: Mixture, cells: int = 800) -> Pair:
    """Two mixtures on `cells` midpoints an axis, in a box that contains all but 1e-9 of either. For smooth densities this is exact to
    many digits."""
    low, high = torch.minimum(p.support[0], q.support[0]), torch.maximum(p.support[1], q.support[1])
    step = (high - low) / cells
    axes = [low[i] + step[i] * (torch.arange(cells, dtype=torch.float64) + 0.5) for i in range(p.dim)]
    x = torch.cartesian_prod(*axes).reshape(-1, p.dim)
    return Pair(x, p.log_prob(x).exp() * step.prod(), q.log_prob(x).exp() * step.prod())


def _draws(density: Mixture, who: str, i: int) -> Tensor:
    return density.sample(SAMPLES, generator(i, f"study/bound: {who}"))


def held_out_bound(progress: Progress = silent, repeats: int = REPEATS) -> list[Statement]:
    """Statement 7: the 95 % bound exceeds the exact JSD in at most 8 % of the repeats; its median is compared with the JSD."""
    rows = []
    for name, (p, q) in PAIRS.items():
        exact = jsd(midpoint_pair(p, q))
        bounds = []
        for i in range(repeats):
            progress(f"Held-out bound, {name}, repeats", i, repeats)
            bounds.append(jsd_bound(_draws(q, f"{name}/fake", i), _draws(p, f"{name}/real", i), seed=i).asymptotic)
        progress(f"Held-out bound, {name}, repeats", repeats, repeats)
        over = sum(bound > exact for bound in bounds) / repeats
        median = float(torch.tensor(bounds, dtype=torch.float64).quantile(0.5))
        found = f", {median / exact:.0%} of it" if exact > 1e-9 else ""
        rows += [
            statement(f"held-out bound, {name}: share of {repeats} over the JSD ({DELTA:.0%} nominal)", _SOURCE, 0.0, over, MOST_EXCEEDED),
            statement(f"held-out bound, {name}: JSD, and the bound's median{found}", _SOURCE, exact, median, max(0.02, exact / 2)),
        ]
    return rows
