import math

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from zerosum.chance import normal
from zerosum.errors import Refusal
from zerosum.measure.inputs import SampleSet, check_pair, check_rows, squared_distances


@pytest.mark.parametrize("d", [1, 3, 16, 17, 60])
def test_distances_in_chunks_are_the_whole_table(d: int) -> None:
    # Far from the origin, where ||x||^2 + ||y||^2 - 2 x y would lose its digits without centring.
    x, y = normal((50, d), 0, "x") + 1000, normal((31, d), 0, "y") + 1000
    table = torch.cat([part.clone() for _, part in squared_distances(x, y, chunk=7)])
    assert_close(table.double(), torch.cdist(x.double(), y.double()).square(), atol=1e-3, rtol=1e-4)


def test_a_distance_to_oneself_is_next_to_nothing() -> None:
    x = normal((40, 60), 0, "x")
    (_, table), *_ = squared_distances(x, x)
    assert_close(table.diagonal(), torch.zeros(40), atol=1e-4, rtol=0)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (torch.zeros(3), "shape"),
        (torch.zeros(1, 2), "too few"),
        (torch.tensor([[1.0, math.nan], [0.0, 1.0]]), "NaN"),
        (torch.tensor([[1.0, math.inf], [0.0, 1.0]]), "infinite"),
        (torch.ones(9, 2), "identical"),
    ],
)
def test_what_cannot_be_measured_is_refused_in_a_sentence(rows: Tensor, said: str) -> None:
    with pytest.raises(Refusal, match=said) as refusal:
        check_rows(rows, "fakes")
    assert str(refusal.value).endswith(".")


def test_columns_must_agree() -> None:
    with pytest.raises(Refusal, match="3 columns and the other 2"):
        check_pair(normal((9, 3), 0, "x"), normal((9, 2), 0, "y"))


def test_a_part_taken_keeps_rows_samples_and_classes_together() -> None:
    index = torch.arange(100)
    part = SampleSet(index[:, None].float(), index[:, None, None, None], index).first(30, 0, "test")
    assert len(part) == 30
    assert part.classes is not None
    assert_close(part.rows[:, 0].long(), part.classes)
    assert_close(part.samples.flatten(), part.classes)
    assert len(set(part.classes.tolist())) == 30
