"""Operations counted against arithmetic done by hand; kinds of operation by name; two programs by turns."""

from __future__ import annotations

import pytest
import torch
from torch.nn.functional import conv2d

from zerosum.bench.clock import interleaved
from zerosum.bench.limits import kind_of, operations, product_rate, shares


def test_operations_of_a_product_and_a_convolution_with_double_backward() -> None:
    a, b = torch.ones(3, 5), torch.ones(5, 7)
    assert operations(lambda: a @ b) == 2 * 3 * 5 * 7
    x, w = torch.ones(2, 3, 8, 8, requires_grad=True), torch.ones(4, 3, 4, 4, requires_grad=True)
    once = 2 * 2 * 4 * 4 * 4 * 3 * 4 * 4  # two an output's tap: N O H' W' C k k
    assert operations(lambda: conv2d(x, w, None, 2, 1)) == once
    assert operations(lambda: torch.autograd.grad(conv2d(x, w, None, 2, 1).sum(), [x, w])) == 3 * once

    def penalty() -> None:
        (g,) = torch.autograd.grad(conv2d(x, w, None, 2, 1).square().sum(), x, create_graph=True)
        torch.autograd.grad(g.square().sum(), w)

    # y, g; then of g = up(2 y, w): in y a convolution, in w a correlation; and w's part through y.
    assert operations(penalty) == 5 * once


@pytest.mark.parametrize(
    ("operator", "kind"),
    [
        ("aten::convolution_backward", "convolution, backward"),
        ("aten::mkldnn_convolution", "convolution"),
        ("aten::addmm", "matrix products"),
        ("aten::_to_copy", "copies and casts"),
        ("aten::_fused_adam_", "optimiser and average"),
        ("aten::leaky_relu_backward", "elementwise and sums"),
        ("aten::unheard_of", "other"),
    ],
)
def test_kinds(operator: str, kind: str) -> None:
    assert kind_of(operator) == kind


def test_shares_sum_to_one_and_name_what_dominates() -> None:
    a = torch.ones(256, 256)
    found = shares(lambda: [a @ a for _ in range(20)])
    assert sum(found.values()) == pytest.approx(1)
    assert found["matrix products"] > 0.3


def test_interleaved_sees_four_times_the_work() -> None:
    a = torch.ones(192, 192)
    timing = interleaved(lambda: a @ a, lambda: [a @ a for _ in range(4)], turns=5, seconds=0.01)
    assert 2 < timing.ratio < 8
    assert timing.ratios[0] <= timing.ratio <= timing.ratios[-1]
    assert product_rate(torch.float32) > 1e8
