"""Remedies: a pair of games differs in the technique alone, its measures are what they say, and each technique helps."""

from __future__ import annotations

import math

import pytest
import torch

from zerosum.study import remedies


def quiet(stage: str, done: int, total: int) -> None:
    """Show no progress."""


def test_every_technique_has_a_row_with_both_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remedies, "FAR_STEPS", 5)
    rows = remedies.remedies(2, 5, quiet).rows
    assert [row["technique"] for row in rows] == [remedy.technique for remedy in remedies.REMEDIES]
    assert all(math.isfinite(row[name]) for row in rows for name in ("without", "with"))
    assert all(str(row["with, 95 %"]).startswith("+- ") for row in rows)


def test_labels_of_the_ring_are_its_modes() -> None:
    data = remedies.labelled_ring(0, 500)
    assert data.classes == tuple("01234567")
    batch, modes = data.train.batch(100, 0, 0), remedies.ring().modes
    assert batch.y is not None
    assert modes is not None
    assert torch.cdist(batch.x.double(), modes).argmin(1).tolist() == batch.y.tolist()


def test_the_way_of_g_is_counted_in_its_updates(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remedies, "FAR_STEPS", 5)
    # At the start the distance is whole: nothing is counted as half of the way before G has moved.
    assert remedies.way_from_far("non_saturating")(0, remedies.CHECK) == remedies.CHECK


@pytest.mark.slow
@pytest.mark.parametrize("remedy", remedies.REMEDIES, ids=lambda r: r.technique)
def test_every_technique_helps_with_its_own_problem(remedy: remedies.Remedy) -> None:
    """On average over three seeds; the relativistic game not with each of them."""
    up = "best" not in remedy.measure or "1 is best" in remedy.measure
    found = [remedy.play(seed, remedies.DEFAULT_STEPS) for seed in range(3)]
    without, with_it = (sum(values) for values in zip(*found, strict=True))
    assert (with_it > without) if up else (with_it < without), found
