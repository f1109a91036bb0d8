"""The Parzen window of Goodfellow et al. 2014, Table 1: the log-likelihood of test samples under a Gaussian kernel on a model's samples.

A poor measure of quality, here because the paper reports it: in many dimensions ten thousand kernels say little about the distribution that
they come from, and worse samples can score higher (Theis et al. 2015, arXiv 1511.01844, section 3.2). Always compare with the score of real
samples.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from zerosum.errors import Refusal

# Ten widths from 0.1 to 1; validation samples choose among them, as in the paper's published code.
KERNEL_WIDTHS: tuple[float, ...] = tuple(torch.logspace(-1, 0, 10, dtype=torch.float64).tolist())
_TABLE = 2**23  # distances in memory at once: 64 MB in float64


@dataclass(frozen=True)
class ParzenScore:
    """A Parzen log-likelihood.

    mean, error: log-likelihood per test sample and its standard error, nats, higher is better. width: the kernel's sigma, in x's unit.

    n, n_test: samples of the model, and of the test.
    """

    mean: float
    error: float
    width: float
    n: int
    n_test: int


def log_likelihood(x: Tensor, centres: Tensor, widths: tuple[float, ...]) -> Tensor:
    """log p(x) in nats, (len(widths), N), under p = mean of N(c, width^2 I) over the centres (M, d), for x (N, d): in float64."""
    x, c = x.double(), centres.double()
    (m, d), squares = c.shape, c.square().sum(1)
    found = []
    # ||x - c||^2 = ||x||^2 + ||c||^2 - 2 x.c: one matrix product, in parts that fit the memory.
    for part in torch.split(x, max(1, _TABLE // m)):
        distance = (part.square().sum(1)[:, None] + squares - 2 * part @ c.T).clamp_(min=0)
        found.append(torch.stack([_mean_kernel(distance, width, d) for width in widths]))
    return torch.cat(found, 1) if found else x.new_zeros(len(widths), 0)


def _mean_kernel(distance: Tensor, width: float, d: int) -> Tensor:
    constant = math.log(distance.shape[1]) + d / 2 * math.log(2 * math.pi * width**2)
    # In 784 dimensions every kernel underflows, so stay in logarithms.
    return torch.logsumexp(distance / (-2 * width**2), 1) - constant


def parzen(samples: Tensor, validation: Tensor, test: Tensor, widths: tuple[float, ...] = KERNEL_WIDTHS) -> ParzenScore:
    """The Parzen score of a model's samples (M, ...): the width maximises the likelihood of
    `validation`, the score is that of `test`; all in one unit.

    Axes after the first are flattened. Raises Refusal where the shapes differ, or where a set has fewer than two rows.
    """
    samples, validation, test = (t.flatten(1) for t in (samples, validation, test))
    if len({t.shape[1] for t in (samples, validation, test)}) > 1 or min(map(len, (samples, validation, test))) < 2:
        shapes = ", ".join(str(tuple(t.shape)) for t in (samples, validation, test))
        raise Refusal(f"A Parzen window needs samples, validation and test rows of one size, two or more of each, not {shapes}.")
    width = widths[int(log_likelihood(validation, samples, widths).mean(1).argmax())]
    each = log_likelihood(test, samples, (width,))[0]
    return ParzenScore(float(each.mean()), float(each.std()) / math.sqrt(len(each)), width, len(samples), len(test))
