"""What a recorded run deserves, by its truth alone (benchmarks/verdict_names.py): lines, their margin, and when a name began."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

Look = dict[str, Any]


@pytest.fixture(scope="module")
def deserve(benchmark: Callable[[str], ModuleType]) -> ModuleType:
    return benchmark("verdict_names")


def look(i: int, jsd: float, **facts: float) -> Look:
    """The i-th look at a run whose average is at this JSD, and G with it; D tells all of it."""
    good = {"own": jsd, "auc": 0.8, "gap": 0.0, "burst": 1.0, "lost": 0.1, "kinds": 0.6, "spread": 1.0, "likely": 0.9, "wander": 0.1}
    return {"samples": 1000 * i, "finite": True, "jsd": jsd, "jsd_G": jsd, **good, **facts}


def series(*jsd: float, **facts: float) -> list[Look]:
    return [look(i, d, **facts) for i, d in enumerate(jsd)]


@pytest.mark.parametrize(
    ("end", "kind"),
    [(0.05, "healthy"), (0.13, "healthy"), (0.19, "border"), (0.22, "border"), (0.3, "broken")],
)
def test_a_run_near_a_line_is_neither_broken_nor_sound(end: float, kind: str, deserve: ModuleType) -> None:
    """It stands at `end`, from a start at .4: far from the data is .2, or .6 of where it began, which is .24."""
    truth = {"reason": "finished", "series": series(0.4, 0.35, *[end] * 15, auc=0.9)}
    assert deserve.kind(truth) == kind
    assert (deserve.deserved(truth, deserve.SLACK) == ["stalled"]) == (kind == "broken")


def test_what_comes_nearer_is_in_no_trouble_however_far_it_is(deserve: ModuleType) -> None:
    falling = series(*[0.6 - 0.03 * i for i in range(12)], own=0.0, auc=0.5)
    assert deserve.names(falling) == []
    assert "weak discriminator" in deserve.names(series(*[0.4] * 12, own=0.0, auc=0.5))
    lucky = [*[0.4, 0.38] * 6, 0.1, 0.4, 0.38]  # One look of three is no way nearer.
    assert not deserve.nearer(lucky)
    assert deserve.nearer([*lucky, 0.1, 0.1])


def test_memory_is_a_trouble_whatever_the_distance_does(deserve: ModuleType) -> None:
    falling = [0.6 - 0.03 * i for i in range(12)]
    assert deserve.names(series(*falling, gap=0.3)) == ["discriminator overfitting"]
    assert deserve.names(series(*falling, memory_held_out=0.2, memory_copies=0.9)) == ["memorisation"]
    assert deserve.names([*series(*falling), look(12, 0.2, burst=50.0)]) == ["diverged"]
    assert deserve.names([*series(*[0.6] * 12), look(12, 0.6, burst=50.0)]) == ["diverged", "stalled"]
    assert deserve.names([*series(*falling), {"samples": 12_000, "finite": True, "burst": 1e9}]) == ["diverged"]
    assert deserve.names([*series(*falling), {"samples": 12_000, "finite": False}]) == ["diverged"]


def test_when_a_name_began(deserve: ModuleType) -> None:
    """Near for eight looks; then D goes blind and the run away."""
    facts = series(0.4, *[0.05] * 8) + [look(9 + i, 0.35, own=0.0, auc=0.5) for i in range(8)]
    truth = {"reason": "finished", "series": facts}
    assert {"weak discriminator", "stalled"} <= set(deserve.deserved(truth))
    assert deserve.began(facts, "stalled") == 9000
    assert 9000 < deserve.began(facts, "weak discriminator") <= 12_000  # The median of four looks.
    assert deserve.kind({"reason": "finished", "series": [*facts[9:], *(look(i, 0.03) for i in range(17, 30))]}) == "recovered"
