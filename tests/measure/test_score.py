import json

import pytest
import torch
from torch.testing import assert_close

from zerosum.chance import generator
from zerosum.measure.score import Score, normal, percentiles, resamples, wilson


def test_wilson_is_the_published_interval() -> None:
    # Wilson's interval for 5 of 10, e.g. Brown, Cai and DasGupta 2001: (.2366, .7634).
    assert_close(torch.tensor(wilson(0.5, 10)), torch.tensor((0.2366, 0.7634)), atol=1e-4, rtol=0)
    assert wilson(0.0, 50)[0] == 0
    assert wilson(1.0, 50)[1] == 1


@pytest.mark.parametrize("share", [0.02, 0.5, 0.95])
def test_wilson_covers_the_true_share(share: float) -> None:
    hits = (torch.rand(2000, 100, generator=generator(0, "test")) < share).double().mean(1)
    covered = sum(low <= share <= high for low, high in (wilson(h, 100) for h in hits.tolist())) / 2000
    assert_close(covered, 0.95, atol=0.035, rtol=0)


def test_resamples_keep_the_count_and_the_shares() -> None:
    counts = torch.tensor([10.0, 0.0, 30.0, 60.0])
    draws = resamples(counts, 4000, 0, "test")
    assert_close(draws.sum(1), torch.full((4000,), 100.0, dtype=torch.float64))
    assert float(draws[:, 1].max()) == 0
    assert_close(draws.mean(0), counts.double(), atol=0.4, rtol=0)
    # Var of a binomial count: n p (1 - p).
    assert_close(draws.var(0), torch.tensor([9.0, 0.0, 21.0, 24.0], dtype=torch.float64), atol=0, rtol=0.1)


def test_percentiles_hold_the_value_and_undo_the_bias() -> None:
    draws = torch.linspace(1, 2, 101)
    assert percentiles(draws, 0.5)[0] == 0.5
    low, high = percentiles(draws, 0.6, biased=True)
    assert_close(torch.tensor([low, high]), torch.tensor([0.125, 1.075]), atol=1e-6, rtol=0)


def test_normal_is_symmetric() -> None:
    assert_close(torch.tensor(normal(1.0, 4.0)), torch.tensor((1 - 3.919928, 1 + 3.919928)))


def test_a_score_is_json_even_when_refused() -> None:
    score = Score("frechet", None, None, None, None, 5, 6, "test", "raw", "lower", "Too few.")
    assert score.refused
    assert json.loads(json.dumps(score.to_json(), allow_nan=False))["note"] == "Too few."
