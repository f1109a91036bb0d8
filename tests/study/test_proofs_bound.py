"""The held-out bound's row: the exact JSDs that it is held against, and a shortened table."""

from __future__ import annotations

import pytest
import torch

from zerosum.study import proofs_bound
from zerosum.study.proofs_bound import PAIRS, held_out_bound, midpoint_pair
from zerosum.theory.optimum import jsd
from zerosum.theory.pair import line


@pytest.mark.parametrize("name", [name for name, (p, _) in PAIRS.items() if p.dim == 1])
def test_midpoints_agree_with_the_adaptive_line(name: str) -> None:
    torch.testing.assert_close(jsd(midpoint_pair(*PAIRS[name])), jsd(line(*PAIRS[name])), atol=1e-9, rtol=0)


def test_midpoints_in_the_plane_lose_no_mass_and_converge() -> None:
    p, q = PAIRS["two 2-D mixtures"]
    fine, coarse = midpoint_pair(p, q, 500), midpoint_pair(p, q, 250)
    torch.testing.assert_close([float(fine.P.sum()), float(fine.Q.sum())], [1.0, 1.0], atol=1e-7, rtol=0)
    torch.testing.assert_close(jsd(fine), jsd(coarse), atol=1e-7, rtol=0)


def test_a_bound_that_is_too_high_fails_the_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proofs_bound, "SAMPLES", 400)
    monkeypatch.setattr(proofs_bound, "PAIRS", {"equal": PAIRS["equal"]})
    over, median = held_out_bound(repeats=2)
    assert over.holds
    assert median.measured < 0.02

    class Boastful:
        asymptotic = 0.3

    monkeypatch.setattr(proofs_bound, "jsd_bound", lambda *args, **kwargs: Boastful())
    assert not any(r.holds for r in held_out_bound(repeats=2))
