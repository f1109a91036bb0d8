import pytest
import torch
from torch import Tensor
from torch.testing import assert_close
from torchmetrics.image.kid import poly_mmd

from zerosum.chance import normal
from zerosum.errors import Refusal
from zerosum.measure.kid import kid, mmd2


def test_it_agrees_with_torchmetrics_on_the_same_features() -> None:
    x, y = normal((1500, 20), 0, "x"), normal((1500, 20), 0, "y") * 1.1 + 0.1
    assert_close(mmd2(x, y)[0], float(poly_mmd(x.double(), y.double())), atol=1e-7, rtol=1e-5)


def test_unequal_sizes_agree_with_the_definition() -> None:
    x, y = normal((30, 4), 0, "x").double(), normal((50, 4), 0, "y").double() + 0.3

    def k(a: Tensor, b: Tensor) -> Tensor:
        table: Tensor = (a @ b.T / 4 + 1) ** 3
        return table

    xx, yy = k(x, x), k(y, y)
    mean_xx, mean_yy = (xx.sum() - xx.trace()) / (30 * 29), (yy.sum() - yy.trace()) / (50 * 49)
    assert_close(mmd2(x, y)[0], float(mean_xx + mean_yy - 2 * k(x, y).mean()))


def test_a_shift_in_one_dimension_has_a_closed_form() -> None:
    # E (xx' + 1)^3 - ... for N(0, 1) and N(1, 1), moments m1, m2, m3 = 0, 1, 0 and 1, 2, 4:
    # (m3 - n3)^2 + 3 (m2 - n2)^2 + 3 (m1 - n1)^2 = 16 + 3 + 3 = 22.
    values = [mmd2(normal((2000, 1), i, "x").double(), normal((2000, 1), i, "y").double() + 1)[0] for i in range(6)]
    assert_close(sum(values) / 6, 22.0, atol=1.5, rtol=0)


@pytest.mark.parametrize("shift", [0.0, 0.3])
def test_it_is_unbiased_and_its_interval_covers(shift: float) -> None:
    repeats = [kid(normal((200, 3), i, "x") + shift, normal((150, 3), i, "y")) for i in range(300)]
    centre = sum(r.value for r in repeats) / len(repeats)
    if shift == 0:
        assert_close(centre, 0.0, atol=0.01, rtol=0)
        centre = 0.0
    else:
        # The linear term alone, 3 |shift|^2 / d, is a part of the squared distance, as are the other two.
        assert centre > 3 * shift**2
    covered = sum(r.low <= centre <= r.high for r in repeats) / len(repeats)
    assert covered >= 0.9  # where the laws agree the estimate is skewed, and its interval wide enough to cover nearly always


def test_the_variance_is_that_of_repeats_when_the_laws_agree() -> None:
    # There the first-order terms vanish and the second-order ones must stand in for them.
    values, variances = zip(*(mmd2(normal((120, 4), i, "x").double(), normal((120, 4), i, "y").double()) for i in range(300)), strict=True)
    ratio = float(torch.tensor(variances).mean() / torch.tensor(values).var())
    assert_close(ratio, 1.2, atol=0.4, rtol=0)


def test_float32_products_cost_next_to_nothing() -> None:
    """Features as a classifier gives them, non-negative and far from the origin: the estimate is a small difference of large means."""
    x, y = (normal((700, 128), i, "features").abs() * 3 for i in (0, 1))
    (value, variance), (exact, wanted) = mmd2(x, y), mmd2(x.double(), y.double())
    assert_close(value, exact, atol=1e-3 * wanted**0.5, rtol=0)
    assert_close(variance, wanted, atol=0, rtol=1e-3)


def test_nothing_to_measure_is_refused() -> None:
    with pytest.raises(Refusal, match="too few"):
        kid(normal((5, 2), 0, "x"), normal((50, 2), 0, "y"))
