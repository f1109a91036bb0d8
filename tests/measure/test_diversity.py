import math

import pytest
import torch
from torch.testing import assert_close

from zerosum.chance import normal
from zerosum.errors import Refusal
from zerosum.measure.diversity import diversity, mean_distance


def test_mean_distance_is_of_pairs_of_different_rows() -> None:
    x = normal((40, 20), 0, "x")
    assert_close(mean_distance(x)[0], float(torch.nn.functional.pdist(x.double()).mean()), atol=1e-3, rtol=0)


def test_gaussians_in_one_dimension_have_a_closed_form() -> None:
    # E |x - x'| = 2 / sqrt(pi)
    assert_close(mean_distance(normal((4000, 1), 0, "x"))[0], 2 / math.sqrt(math.pi), atol=0.03, rtol=0)


def test_a_shrunken_set_reads_its_scale_and_one_repeated_sample_zero() -> None:
    x = normal((500, 3), 0, "x")
    assert_close(diversity(0.25 * x + 7, x).value, 0.25, atol=1e-5, rtol=0)
    assert diversity(torch.ones(500, 3), x).value == 0


def test_the_interval_covers_the_truth() -> None:
    repeats = [diversity(0.5 * normal((150, 2), i, "f"), normal((150, 2), i, "r")) for i in range(200)]
    covered = sum(r.low <= 0.5 <= r.high for r in repeats) / 200
    assert_close(covered, 0.95, atol=0.05, rtol=0)


def test_identical_reals_are_refused() -> None:
    with pytest.raises(Refusal, match="identical"):
        diversity(normal((50, 2), 0, "f"), torch.ones(50, 2))
