"""`zerosum stress parzen`: the Parzen window on MNIST, as in Goodfellow et al. 2014, Table 1, compared with the score of real digits."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from zerosum.data.mnist import digits
from zerosum.errors import Refusal
from zerosum.measure.parzen import ParzenScore, parzen

SCORED = 10_000
# The last 10,000 training images are the paper's validation set, of which the first 1,000 choose the kernel's width.
HELD_OUT, CHOOSE = 10_000, 1_000
WARNING = (
    "Higher is better, but the Parzen window is a poor measure of quality: ten thousand kernels say little about a distribution in 784 "
    "dimensions, and k-means centres score higher than real digits. Compare with the row of real digits (Theis et al. 2015, "
    "arXiv 1511.01844)."
)

_GOODFELLOW = "Goodfellow et al. 2014, arXiv 1406.2661, Table 1"
# (method, nats, standard error, source), as published.
PUBLISHED: tuple[tuple[str, float, float, str], ...] = (
    ("DBN", 138, 2, _GOODFELLOW),
    ("stacked CAE", 121, 1.6, _GOODFELLOW),
    ("deep GSN", 214, 1.1, _GOODFELLOW),
    ("adversarial nets", 225, 2, _GOODFELLOW),
    ("GMMN + AE", 282, 2, "Li et al. 2015, arXiv 1502.02761"),
    ("AAE", 340, 2, "Makhzani et al. 2015, arXiv 1511.05644"),
)


def unit(images: NDArray[Any]) -> Tensor:
    """uint8 (N, 28, 28) as rows in [0, 1], (N, 784), float64. Raises Refusal for images of another size."""
    if images.dtype != np.uint8 or images.shape[1:] != (28, 28):
        raise Refusal(f"The Parzen benchmark is for grey digits of 28 x 28, and these are {images.shape[1:]}: give a run on mnist.")
    return torch.from_numpy(images.copy()).flatten(1).double() / 255


def scored(images: NDArray[Any], scale: int = SCORED) -> ParzenScore:
    """Score images uint8 (N, 28, 28) by `scale` test digits. A tenth as many held-out training digits choose the kernel's width."""
    reals, test = digits("train")[0], digits("t10k")[0]
    chosen = reals[len(reals) - HELD_OUT :][: max(2, CHOOSE * scale // SCORED)]
    return parzen(unit(images), unit(chosen), unit(test[:scale]))


def real(scale: int = SCORED) -> ParzenScore:
    """The score of real training digits in the samples' place, without those that choose the width."""
    return scored(digits("train")[0][:scale], scale)


def row(sampler: str, score: ParzenScore) -> dict[str, Any]:
    """A score as a row of the table."""
    source = f"measured, {score.n} samples, {score.n_test} test digits, width {score.width:.2f}"
    return {"sampler": sampler, "log-likelihood": score.mean, "error": score.error, "source": source}


def published_rows() -> list[dict[str, Any]]:
    """The papers' rows."""
    return [{"sampler": name, "log-likelihood": nats, "error": error, "source": source} for name, nats, error, source in PUBLISHED]
