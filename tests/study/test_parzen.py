"""The Parzen trial at a hundredth of its scale: real digits score above noise and blank images, and wrong images are refused."""

from __future__ import annotations

import numpy as np
import pytest

from zerosum.errors import Refusal
from zerosum.study.parzen import published_rows, real, row, scored, unit

SCALE = 200


def test_real_digits_score_above_what_is_no_digit() -> None:
    reals = real(SCALE)
    assert reals.n == reals.n_test == SCALE
    noise = np.random.default_rng(0).integers(0, 256, (SCALE, 28, 28), dtype=np.uint8)
    blank = np.zeros((SCALE, 28, 28), np.uint8)
    assert reals.mean > scored(blank, SCALE).mean + 20 > scored(noise, SCALE).mean + 20
    assert set(row("x", reals)) == set(published_rows()[0])


def test_images_that_are_no_digits_are_refused() -> None:
    with pytest.raises(Refusal, match="28 x 28"):
        unit(np.zeros((5, 32, 32), np.uint8))
    with pytest.raises(Refusal, match="28 x 28"):
        unit(np.zeros((5, 28, 28), np.float32))
