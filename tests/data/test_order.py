from __future__ import annotations

from collections import Counter
from math import factorial

import numpy as np
import pytest

from zerosum.data.order import BLOCK, batch_order, permuted


@pytest.mark.parametrize("size", [*range(1, 40), 63, 64, 65, 100, 1000, 1023, 1025, 4096, 4097, 12_345, 53_907])
def test_each_epoch_holds_every_item_once(size: int) -> None:
    for epoch in (0, 1):
        assert np.array_equal(np.sort(permuted(np.arange(size), size, 7, "test", epoch)), np.arange(size))


def test_any_position_is_found_without_the_others() -> None:
    whole = permuted(np.arange(1000), 1000, 7, "test", 0)
    assert np.array_equal(permuted(np.array([999, 3, 500]), 1000, 7, "test", 0), whole[[999, 3, 500]])


def test_a_size_of_billions_needs_no_table() -> None:
    size = 10**10
    seen = permuted(np.arange(5000), size, 0, "test", 0)
    assert len(np.unique(seen)) == 5000
    assert 0 <= seen.min() < seen.max() < size
    # The mean of 5000 uniform numbers lies within 4 standard errors of the middle.
    assert abs(seen.mean() / size - 0.5) < 4 / np.sqrt(12 * 5000)


def test_small_data_is_shuffled_uniformly() -> None:
    # Chi-square over the 24 orders of four items; its 1 - 1e-4 quantile with 23 degrees of freedom is 55.
    draws = 1500
    counts = Counter(tuple(permuted(np.arange(4), 4, seed, "test", 0).tolist()) for seed in range(draws))
    expected = draws / factorial(4)
    assert len(counts) == factorial(4)
    assert sum((n - expected) ** 2 / expected for n in counts.values()) < 55


def test_neighbours_are_unrelated() -> None:
    order = permuted(np.arange(50_000), 50_000, 3, "test", 0).astype(float)
    for lag in (1, 2, 223, 224):
        assert abs(np.corrcoef(order[:-lag], order[lag:])[0, 1]) < 4 / np.sqrt(len(order))
    assert abs(np.corrcoef(order, np.arange(50_000))[0, 1]) < 4 / np.sqrt(len(order))


@pytest.mark.parametrize(("n", "size"), [(7, 10), (10, 10), (64, 10), (1, 3), (100, 5000), (BLOCK + 1, 3 * BLOCK + 5)])
def test_batches_cut_one_endless_order_across_epochs(n: int, size: int) -> None:
    endless = np.concatenate([permuted(np.arange(size), size, 1, "test", epoch) for epoch in range(3 + 5 * n // size)])
    for counter in (3, 0, 4, 1):
        assert np.array_equal(batch_order(n, size, 1, "test", counter), endless[counter * n : (counter + 1) * n])


def test_seed_purpose_and_epoch_each_give_another_order() -> None:
    positions = np.arange(100)
    orders = [permuted(positions, 100, *k).tolist() for k in [(0, "a", 0), (1, "a", 0), (0, "b", 0), (0, "a", 1)]]
    assert len({tuple(order) for order in orders}) == 4


def test_a_caller_may_write_into_a_batch() -> None:
    first = batch_order(8, 100, 0, "test", 0)
    kept = first.copy()
    first[:] = -1
    assert np.array_equal(batch_order(8, 100, 0, "test", 0), kept)
