import pytest
import torch
from prdc import compute_prdc
from torch import Tensor
from torch.testing import assert_close

from zerosum.chance import normal
from zerosum.errors import Refusal
from zerosum.measure.prdc import prdc
from zerosum.measure.score import wilson


def read(fake: Tensor, real: Tensor) -> dict[str, float]:
    return {r.name: r.value for r in prdc(fake, real)}


def oracle(fake: Tensor, real: Tensor, k: int) -> dict[str, float]:
    values: dict[str, float] = compute_prdc(real.double().numpy(), fake.double().numpy(), nearest_k=k)
    return values


@pytest.mark.parametrize("d", [2, 40])
def test_it_agrees_with_prdc(d: int, capsys: pytest.CaptureFixture[str]) -> None:
    real, fake = normal((700, d), 0, "real"), 0.8 * normal((500, d), 0, "fake") + 0.1
    ours, at3, at5 = read(fake, real), oracle(fake, real, 3), oracle(fake, real, 5)
    expected = {"precision": at3["precision"], "recall": at3["recall"], "density": at5["density"], "coverage": at5["coverage"]}
    # One borderline sample may fall to the other side by float32 rounding.
    assert_close(ours, expected, atol=1.5 / 500, rtol=0)


def test_mode_collapse_has_high_precision_and_low_recall() -> None:
    """The convention: precision and density are of fakes, recall and coverage of reals."""
    real = torch.cat([normal((300, 2), i, "real") * 0.1 + torch.tensor([10.0 * i, 0.0]) for i in range(4)])
    fake = normal((1200, 2), 9, "fake") * 0.1
    collapsed, spread = read(fake, real), read(torch.cat([real, normal((1200, 2), 3, "far") * 50 + 1000]), real)
    assert collapsed["precision"] > 0.9
    assert collapsed["density"] > 0.9
    assert collapsed["recall"] < 0.3
    assert collapsed["coverage"] < 0.3
    assert spread["recall"] == 1
    assert spread["precision"] < 0.6


def test_equal_laws_have_the_published_expectation() -> None:
    # Naeem et al. 2020, section 3.4: E coverage = 1 - (M-1)...(M-k) / ((N+M-1)...(N+M-k)), N = M = 500, k = 5: 0.9699; E density = 1.
    readings = [read(normal((500, 8), i, "fake"), normal((500, 8), i, "real")) for i in range(8)]
    mean = {name: sum(r[name] for r in readings) / 8 for name in readings[0]}
    expected = 1.0
    for j in range(1, 6):
        expected *= (500 - j) / (1000 - j)
    assert_close(mean["coverage"], 1 - expected, atol=0.01, rtol=0)
    assert_close(mean["density"], 1.0, atol=0.05, rtol=0)


def test_scale_and_shift_do_not_matter() -> None:
    real, fake = normal((300, 20), 0, "real"), normal((300, 20), 0, "fake") * 0.9
    assert_close(read(fake * 64 + 32, real * 64 + 32), read(fake, real), atol=0.011, rtol=0)


def test_intervals_cover_the_mean_of_repeats() -> None:
    repeats = [prdc(normal((200, 3), i, "fake") * 0.7, normal((250, 3), i, "real")) for i in range(150)]
    for four in zip(*repeats, strict=True):
        if four[0].name == "density":
            assert all(r.low is None and r.high is None for r in four)
            continue
        centre = sum(r.value for r in four) / len(four)
        covered = sum(r.low <= centre <= r.high for r in four if r.low is not None and r.high is not None) / len(four)
        assert covered >= 0.9, (four[0].name, covered)


def test_an_interval_is_wider_where_one_real_sample_decides_over_many() -> None:
    """An outlier whose ball reaches back to the data makes all samples on the way precise: without it half of all are not."""
    real = torch.cat([normal((199, 2), 0, "real") * 0.1, torch.tensor([[10.0, 0.0]])])
    fake = torch.cat([normal((100, 2), 0, "fake") * 0.1, normal((100, 2), 1, "fake") * 0.1 + torch.tensor([5.0, 0.0])])
    precision = prdc(fake, real)[0]
    assert precision.value > 0.9
    assert precision.low is not None
    assert precision.high is not None
    low, high = wilson(precision.value, 100)
    assert precision.high - precision.low > 1.5 * (high - low)
    half = prdc(fake, real[:199])[0]
    assert half.value < 0.51


def test_too_few_and_identical_are_refused() -> None:
    with pytest.raises(Refusal, match="at least 6"):
        prdc(normal((5, 2), 0, "fake"), normal((50, 2), 0, "real"))
    with pytest.raises(Refusal, match="identical"):
        prdc(torch.ones(50, 2), normal((50, 2), 0, "real"))
