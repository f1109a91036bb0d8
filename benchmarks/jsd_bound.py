"""Is the JSD bound a bound, and how much of the truth does it find? A table over laws whose JSD is known.

    python benchmarks/jsd_bound.py [--repeats 200] [--pairs equal gaussians_1 gaussians_2 mixtures] [--json]

For each pair, `repeats` fresh draws of 10,000 samples a side (in all: to fit, calibrate and report) and one D design for all. `over`
counts the repeats in which a 95 % lower bound exceeds the true JSD: about 5 % are expected of the asymptotic one where D is nearly
optimal, fewer otherwise (95 % of binomial counts of 200 are at most 15). `recovered` is the median bound over the truth.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from zerosum.chance import generator
from zerosum.data.density import Mixture
from zerosum.measure.divergence import jsd_bound

N = 10_000


def mixture(weights: list[float], means: list[list[float]], stds: list[float]) -> Mixture:
    w, mu, sigma = (torch.tensor(t, dtype=torch.float64) for t in (weights, means, stds))
    return Mixture(w, mu, sigma)


_TWO = mixture([0.5, 0.3, 0.2], [[0.0, 0.0], [3.0, 0.0], [0.0, 3.0]], [0.5, 0.7, 0.3])
_TWO_OFF = mixture([0.3, 0.3, 0.4], [[0.0, 0.0], [3.0, 0.5], [0.0, 3.0]], [0.6, 0.7, 0.3])

PAIRS: dict[str, tuple[Mixture, Mixture]] = {
    "equal": (mixture([1.0], [[0.0]], [1.0]), mixture([1.0], [[0.0]], [1.0])),
    "gaussians_1": (mixture([1.0], [[0.0]], [1.0]), mixture([1.0], [[1.0]], [1.0])),
    "gaussians_2": (mixture([1.0], [[0.0]], [1.0]), mixture([1.0], [[2.0]], [1.0])),
    "mixtures": (_TWO, _TWO_OFF),
}


def jsd(p: Mixture, q: Mixture, points: int = 1200) -> float:
    """JSD(p, q) in nats by the midpoint rule on a box that holds all but 1e-9 of either."""
    low = torch.minimum(p.support[0], q.support[0])
    high = torch.maximum(p.support[1], q.support[1])
    step = (high - low) / points
    axes = [low[i] + step[i] * (torch.arange(points, dtype=torch.float64) + 0.5) for i in range(p.dim)]
    x = torch.cartesian_prod(*axes).reshape(-1, p.dim)
    total = sum(_integrand(p, q, part).sum() for part in torch.split(x, 100_000))
    return float(total * step.prod())


def _integrand(p: Mixture, q: Mixture, x: Tensor) -> Tensor:
    a, b = p.log_prob(x), q.log_prob(x)
    middle = torch.logaddexp(a, b) - torch.log(torch.tensor(2.0, dtype=torch.float64))
    return (a.exp() * (a - middle) + b.exp() * (b - middle)) / 2


def rows(names: list[str], repeats: int) -> Iterator[dict[str, Any]]:
    for name in names:
        p, q = PAIRS[name]
        truth, start = jsd(p, q), time.monotonic()
        bounds = [
            jsd_bound(q.sample(N, generator(i, f"{name}: fake")), p.sample(N, generator(i, f"{name}: real")), seed=i)
            for i in range(repeats)
        ]
        found = {kind: torch.tensor([getattr(b, kind) for b in bounds]).double() for kind in ("asymptotic", "finite")}
        yield {
            "pair": name,
            "jsd": truth,
            "repeats": repeats,
            **{f"{kind}_over": int((values > truth).sum()) for kind, values in found.items()},
            **{f"{kind}_median": float(values.median()) for kind, values in found.items()},
            **{f"{kind}_recovered": float(values.median()) / truth if truth > 1e-9 else None for kind, values in found.items()},
            "seconds_each": (time.monotonic() - start) / repeats,
        }


def main() -> None:
    parser = argparse.ArgumentParser(description="The JSD bound on pairs of laws whose JSD is known")
    parser.add_argument("--repeats", type=int, default=200)
    parser.add_argument("--pairs", nargs="+", choices=list(PAIRS), default=list(PAIRS))
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)
    found = []
    for row in rows(options.pairs, options.repeats):
        found.append(row)
        if not options.json:
            shares = ", ".join(
                f"{kind}: over in {row[f'{kind}_over']}, median {row[f'{kind}_median']:.4f}"
                + (f" ({row[f'{kind}_recovered']:.0%})" if row[f"{kind}_recovered"] is not None else "")
                for kind in ("asymptotic", "finite")
            )
            print(
                f"{row['pair']:12} JSD {row['jsd']:.4f}  {row['repeats']} repeats  {shares}  {row['seconds_each']:.2f} s each", flush=True
            )
    if options.json:
        print(json.dumps(found))


if __name__ == "__main__":
    main()
