"""A part's rows, a bit each, against the plain list of their numbers."""

from __future__ import annotations

import numpy as np
import pytest

from zerosum.data.members import Members


@pytest.mark.parametrize(("n", "share"), [(1, 1.0), (64, 1.0), (65, 0.5), (1000, 0.01), (1000, 0.9), (1000, 0.0)])
def test_the_kth_member_is_the_lists_kth(n: int, share: float) -> None:
    rows = np.flatnonzero(np.random.default_rng(n).random(n) < share)
    members = Members(rows, n)
    assert len(members) == len(rows)
    np.testing.assert_array_equal(members[np.arange(len(rows))], rows)
    np.testing.assert_array_equal(members[np.arange(len(rows))[::-1]], rows[::-1])
    np.testing.assert_array_equal(members.rows(), rows)


def test_an_empty_stretch_is_passed_over() -> None:
    members = Members(np.array([3, 70_000]), 100_000)
    np.testing.assert_array_equal(members[np.array([1, 0, 1])], [70_000, 3, 70_000])
    for beyond in (2, -1):
        with pytest.raises(IndexError, match="of 2 members"):
            members[np.array([0, beyond])]


def test_two_bits_a_row() -> None:
    assert Members(np.arange(0, 10**6, 2), 10**6).nbytes < 10**6 / 3
