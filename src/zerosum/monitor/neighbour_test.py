"""A nearest-neighbour two-sample test: a lower bound on the JSD between two sets, without training anything.

Each sample is classified by its nearest others: D(x) = (k_same + 1) / (k + 2), where k_same of its k nearest other samples are of its own
set. log 2 minus the mean cross-entropy of this classifier is, in expectation, at most the JSD in nats (Goodfellow et al. 2014, Theorem 1),
if the classifiers of real and of generated samples are alike and know nothing of the sample itself. So the samples are paired: real sample
i and generated sample i are classified by all others, and neither by itself nor by its partner. Schilling 1986, "Multivariate two-sample
tests based on nearest neighbors", is the test.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from zerosum.measure.inputs import squared_distances

NEIGHBOURS = 15  # of a sample, by which it is classified
PER_NEIGHBOUR = 4  # samples for each neighbour, at least: with fewer samples there are fewer neighbours


def jsd_bound(among_real: Tensor, among_generated: Tensor, across: Tensor) -> tuple[float, float]:
    """The bound in nats, and its standard error. Where there are fewer of one set, the rest of the other have no partner.

    among_real (n, k), among_generated (N, k): see `nearest_others`. across: squared distances from real to generated samples, (n, N).
    """
    k = among_real.shape[1]
    across = across.clone().fill_diagonal_(math.inf)
    of_real = own_probability(among_real, smallest(across, k))
    of_generated = own_probability(among_generated, smallest(across.T.contiguous(), k))
    loss_real, loss_generated = -of_real.log(), -of_generated.log()
    error = math.sqrt((float(loss_real.var()) / len(loss_real) + float(loss_generated.var()) / len(loss_generated)) / 4)
    return math.log(2) - float(loss_real.mean() + loss_generated.mean()) / 2, error


def nearest_others(rows: Tensor) -> Tensor:
    """Squared distances from each row (N, d) to its nearest other rows, (N, k), in no order."""
    near = []
    for at, d in squared_distances(rows, rows):
        d[torch.arange(len(d)), torch.arange(len(rows))[at]] = math.inf
        near.append(smallest(d, min(NEIGHBOURS, len(rows) // PER_NEIGHBOUR)))
    return torch.cat(near)


def smallest(d: Tensor, k: int) -> Tensor:
    """The k smallest numbers of each row (N, M), (N, k), in no order. By numpy: four times as fast as torch's topk, which sorts pairs."""
    return torch.from_numpy(np.partition(d.numpy(), k - 1, axis=1)[:, :k])


def own_probability(own: Tensor, other: Tensor) -> Tensor:
    """The probability of its own set that each sample's neighbours give it. own, other: squared distances (N, k) within either set."""
    k = own.shape[1]
    # Where several are as far as the k-th, as among identical samples, each counts for a part.
    cut = smallest(torch.cat([own, other], 1), k).amax(1, keepdim=True)
    sure, tied = [(near < cut).sum(1).double() for near in (own, other)], [(near == cut).sum(1).double() for near in (own, other)]
    left = k - sure[0] - sure[1]
    mine = sure[0] + left * tied[0] / (tied[0] + tied[1])
    return (mine + 1) / (k + 2)
