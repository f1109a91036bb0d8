from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zerosum.chance import uniform
from zerosum.data.digest import digest, digests
from zerosum.data.split import limited, split
from zerosum.errors import Refusal


def items(n: int, seed: int = 0) -> np.ndarray:
    return uniform((n, 3), seed, "items").numpy()


def test_a_digest_is_of_content_alone() -> None:
    array = items(10_000)
    keys = digests(array)
    assert keys[1234] == digest(array[1234].tobytes())
    assert np.array_equal(digests(array[::-1]), keys[::-1])
    assert np.array_equal(digests(array, np.array([7, 3])), keys[[7, 3]])
    assert len(np.unique(keys)) == len(array)


def test_the_shares_are_a_tenth_and_a_tenth_of_the_rest() -> None:
    n = 20_000
    keys = digests(items(n))
    parts = split(keys, keys)
    assert np.array_equal(np.sort(np.concatenate([parts.train, parts.validation, parts.test])), np.arange(n))
    # Binomial counts within 4 standard deviations.
    for part, share in ((parts.test, 0.1), (parts.validation, 0.09)):
        assert abs(len(part) - share * n) < 4 * np.sqrt(n * share * (1 - share))
    given_test = split(keys, keys, test=False)
    assert len(given_test.test) == 0
    assert abs(len(given_test.validation) - 0.1 * n) < 4 * np.sqrt(0.09 * n)


def test_no_item_changes_sides_when_others_come() -> None:
    old, new = items(500), items(700, seed=1)
    before = split(digests(old), digests(old))
    both = np.concatenate([new[:300], old, new[300:]])
    after = split(digests(both), digests(both))
    for part in ("train", "validation", "test"):
        kept = {row.tobytes() for row in old[getattr(before, part)]}
        assert kept <= {row.tobytes() for row in both[getattr(after, part)]}


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 9), min_size=3, max_size=60), st.booleans())
def test_identical_items_are_on_one_side_and_no_part_is_empty(values: list[int], test: bool) -> None:
    array = np.array(values, dtype=np.int64)[:, None]
    keys = digests(array)
    if len(set(values)) < (3 if test else 2):
        with pytest.raises(Refusal, match="distinct"):
            split(keys, keys, test)
        return
    parts = split(keys, keys, test)
    sides = [set(array[rows, 0].tolist()) for rows in (parts.train, parts.validation, parts.test)]
    assert [len(side) > 0 for side in sides] == [True, True, test]
    assert len(set.union(*sides)) == sum(map(len, sides))
    assert sum(map(len, (parts.train, parts.validation, parts.test))) == len(values)


def test_items_that_became_identical_stay_together() -> None:
    keys = digests(items(1000))
    groups = np.arange(1000, dtype=np.uint64) // np.uint64(2)
    parts = split(keys, groups)
    for rows in (parts.train, parts.validation, parts.test):
        assert set((rows // 2).tolist()) == set(groups[rows].tolist())
        assert len(rows) % 2 == 0


def test_a_limit_is_nested_and_no_more_than_there_is() -> None:
    keys = digests(items(100))
    train = np.arange(20, 80)
    few, more = limited(train, keys, 5), limited(train, keys, 30)
    assert len(few) == 5
    assert set(few.tolist()) < set(more.tolist()) < set(train.tolist())
    assert np.array_equal(limited(train, keys, 1000), train)
    with pytest.raises(Refusal, match=r"data\.limit"):
        limited(train, keys, 0)
