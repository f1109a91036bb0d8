"""The Parzen window against closed forms: one kernel, many samples of a known law, and the width that validation should choose."""

from __future__ import annotations

import math

import pytest
import torch
from torch.testing import assert_close

from zerosum.chance import normal
from zerosum.errors import Refusal
from zerosum.measure.parzen import KERNEL_WIDTHS, log_likelihood, parzen


def test_one_centre_is_a_gaussian() -> None:
    x, c = normal((20, 3), 0, "x").double(), normal((1, 3), 0, "c").double()
    law = torch.distributions.Normal(c, 0.4)
    assert_close(log_likelihood(x, c, (0.4,))[0], law.log_prob(x).sum(1))


def test_many_centres_are_their_mean() -> None:
    x, c = normal((20, 3), 0, "x").double(), normal((7, 3), 1, "c").double()
    each = torch.stack([log_likelihood(x, one[None], (0.3, 0.9)) for one in c])
    assert_close(log_likelihood(x, c, (0.3, 0.9)), torch.logsumexp(each, 0) - math.log(7))


def test_in_one_dimension_it_comes_to_the_blurred_law() -> None:
    """Samples of N(0, 1) under kernels of width h: N(0, 1 + h^2), whose mean log density on N(0, 1) is -log(2 pi v)/2 - 1/(2 v)."""
    samples, held, test = (normal((4000, 1), i, "parzen") for i in range(3))
    found = parzen(samples, held[:400], test)
    v = 1 + found.width**2
    assert_close(found.mean, -math.log(2 * math.pi * v) / 2 - 1 / (2 * v), rtol=0, atol=4 * found.error + 0.01)
    # Var of x^2 / (2 v) on N(0, 1) is 1 / (2 v^2).
    assert_close(found.error, (1 / (2 * v**2) / 4000) ** 0.5, rtol=0.1, atol=0)
    assert (found.n, found.n_test) == (4000, 4000)


def test_the_width_is_the_likeliest_for_validation() -> None:
    samples = normal((500, 2), 0, "parzen")
    held = samples + 0.25 * normal((500, 2), 1, "parzen")
    means = log_likelihood(held, samples, KERNEL_WIDTHS).mean(1)
    assert parzen(samples, held, held).width == KERNEL_WIDTHS[int(means.argmax())]
    assert 0 < int(means.argmax()) < len(KERNEL_WIDTHS) - 1


def test_rows_of_other_sizes_are_refused() -> None:
    with pytest.raises(Refusal, match="one size"):
        parzen(torch.zeros(5, 3), torch.zeros(5, 2), torch.zeros(5, 3))
    with pytest.raises(Refusal, match="two or more"):
        parzen(torch.zeros(1, 3), torch.zeros(5, 3), torch.zeros(5, 3))
