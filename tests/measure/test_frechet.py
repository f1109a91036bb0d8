import math

import numpy as np
import pytest
import torch
from scipy.linalg import sqrtm
from torch import Tensor, nn
from torch.testing import assert_close
from torchmetrics.image.fid import FrechetInceptionDistance

from zerosum.chance import normal
from zerosum.errors import Refusal
from zerosum.measure.frechet import Moments, distance, frechet, moments, root


def spd(d: int, seed: int) -> Tensor:
    a = normal((d, d), seed, "spd").double()
    return a @ a.T / d


class Identity(nn.Module):
    num_features = 8

    def forward(self, x: Tensor) -> Tensor:
        return x


def test_diagonal_laws_have_a_closed_form() -> None:
    m, n = torch.tensor([0.0, 1.0]).double(), torch.tensor([3.0, 1.0]).double()
    s, t = torch.tensor([1.0, 4.0]).double(), torch.tensor([4.0, 9.0]).double()
    # ||m - n||^2 + sum (sigma - tau)^2 = 9 + 1 + 1
    assert_close(distance(m, s.diag(), n, t.diag()), 11.0)


def test_square_roots_agree_with_scipy() -> None:
    S, T = spd(12, 0), spd(12, 1)
    m = torch.zeros(12, dtype=torch.float64)
    assert_close(root(S) @ root(S), S)
    expected = float(S.trace() + T.trace() - 2 * np.real(np.trace(sqrtm(S.numpy() @ T.numpy()))))
    assert_close(distance(m, S, m, T), expected, atol=1e-9, rtol=1e-9)


def test_it_is_symmetric_zero_on_itself_and_unchanged_by_a_rotation() -> None:
    S, T, m, n = spd(6, 0), spd(6, 1), normal((6,), 0, "m").double(), normal((6,), 0, "n").double()
    Q = torch.linalg.qr(normal((6, 6), 0, "q").double()).Q
    F = distance(m, S, n, T)
    assert_close(distance(n, T, m, S), F)
    assert_close(distance(m, S, m, S), 0.0, atol=1e-9, rtol=0)
    assert_close(distance(Q @ m, Q @ S @ Q.T, Q @ n, Q @ T @ Q.T), F)


def test_a_singular_covariance_does_no_harm() -> None:
    S = torch.diag(torch.tensor([1.0, 0.0, 0.0]).double())
    m = torch.zeros(3, dtype=torch.float64)
    assert_close(distance(m, S, m, 4 * S), 1.0)


def test_it_agrees_with_torchmetrics_on_the_same_features() -> None:
    x, y = normal((600, 8), 0, "x"), 1.3 * normal((500, 8), 0, "y") + 0.2
    oracle = FrechetInceptionDistance(feature=Identity(), normalize=False).set_dtype(torch.float64)
    oracle.update(x.double(), real=True)
    oracle.update(y.double(), real=False)
    assert_close(frechet(moments(y), moments(x))[0].value, float(oracle.compute()), atol=1e-5, rtol=1e-5)


def test_a_stream_has_the_moments_of_the_whole_far_from_the_origin() -> None:
    x = normal((1003, 5), 0, "x") + 1e4
    streamed = moments(torch.split(x, 37))
    mean, covariance = streamed.mean_and_covariance()
    assert streamed.n == 1003
    assert_close(mean, x.double().mean(0))
    assert_close(covariance, x.double().T.cov(), atol=1e-8, rtol=1e-8)
    whole = moments(x)
    assert_close(streamed.mean_and_covariance(3)[1], whole.mean_and_covariance(3)[1], atol=1e-8, rtol=1e-8)
    assert streamed.count.tolist() == whole.count.tolist()
    assert {float(n) for n in whole.count} <= {100.0, 101.0}


def test_half_a_million_rows_stream_in_the_memory_of_one_batch() -> None:
    total = Moments(16)
    held = sum(t.numel() for t in (total.count, total.sum, total.outer))
    for batch in range(50):
        total.update(normal((10_000, 16), 0, "stream", batch))
    assert total.n == 500_000
    assert sum(t.numel() for t in (total.count, total.sum, total.outer)) == held
    assert_close(total.mean_and_covariance()[1], torch.eye(16, dtype=torch.float64), atol=0.01, rtol=0)


@pytest.mark.parametrize(("scale", "shift", "truth"), [(1.4, 1.0, 1.48), (1.0, 0.0, 0.0)])
def test_intervals_cover_and_the_corrected_distance_has_no_bias(scale: float, shift: float, truth: float) -> None:
    apart = torch.tensor([shift, 0.0, 0.0])
    repeats = [frechet(moments(normal((400, 3), i, "x") * scale), moments(normal((300, 3), i, "y") + apart)) for i in range(120)]
    plain, corrected = ([pair[i] for pair in repeats] for i in (0, 1))
    # Closed form: shift^2 + 3 (scale - 1)^2.
    mean = sum(r.value for r in corrected) / len(corrected)
    assert_close(mean, truth, atol=0.02, rtol=0)
    centre = sum(r.value for r in plain) / len(plain)
    assert centre > mean + 0.01
    for rows, middle in ((corrected, truth), (plain, centre)):
        covered = sum(r.low <= middle <= r.high for r in rows if r.low is not None and r.high is not None) / len(rows)
        assert 0.9 <= covered <= 1.0


def test_too_few_samples_are_refused_and_nan_too() -> None:
    with pytest.raises(Refusal, match="at least 64 generated samples"):
        frechet(moments(normal((63, 32), 0, "x")), moments(normal((64, 32), 0, "y")))
    with pytest.raises(Refusal, match="same features"):
        frechet(moments(normal((64, 3), 0, "x")), moments(normal((64, 2), 0, "y")))
    with pytest.raises(Refusal, match="NaN"):
        moments(torch.tensor([[math.nan]]))
    with pytest.raises(Refusal, match="No features"):
        moments([])


def test_classes_that_take_turns_do_not_fill_a_group_each() -> None:
    """Ten clusters, in turn or one after the other, with a variance of about 100 in all: the corrected distance of equal distributions
    stays near zero. In the second case the classes of a group vary by chance, which those of all samples do not."""
    centres, noise = 10 * normal((10, 4), 0, "centres"), normal((10_000, 4), 0, "fake")
    real = centres[torch.arange(10_000) % 10] + normal((10_000, 4), 0, "real")
    for classes in (torch.arange(10_000) % 10, torch.arange(10_000) // 1000):
        plain, corrected = frechet(moments(centres[classes] + noise), moments(real))
        assert abs(corrected.value) < 0.1
        assert corrected.high - corrected.low < 0.1
        assert plain.value < 0.1
