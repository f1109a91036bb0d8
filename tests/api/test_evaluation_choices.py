"""Which features are used unasked."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from zerosum.api.evaluation import features_for
from zerosum.data.mnist import digits
from zerosum.measure.features import Digits

TEST = torch.tensor(digits("t10k")[0])[:, None]
NOISE = torch.randint(0, 256, (500, 1, 28, 28), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("part", [TEST[:1000], TEST[5000:5400], TEST[-300:]])
def test_digits_are_recognised(part: Tensor) -> None:
    assert isinstance(features_for("auto", part), Digits)


@pytest.mark.parametrize(
    "other",
    [TEST[:500].flip(3), 255 - TEST[:500], NOISE, TEST[:1].expand(500, -1, -1, -1), TEST[:500, :, :14], TEST[:500].expand(-1, 3, -1, -1)],
)
def test_what_is_no_set_of_digits_is_left_to_a_fresh_d(other: Tensor) -> None:
    assert features_for("auto", other) is None


def test_who_asks_is_obeyed() -> None:
    assert isinstance(features_for("digits", NOISE), Digits)
    assert features_for("fresh", TEST[:500]) is None
