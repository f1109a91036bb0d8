"""The scenarios of `zerosum lab`: ways in which GAN training fails, from several seeds, and what fixes each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from zerosum.data.items import Progress
from zerosum.study.drawbacks import drawbacks
from zerosum.study.helvetica import helvetica
from zerosum.study.officer import officer
from zerosum.study.remedies import remedies
from zerosum.study.scenario_result import ScenarioResult
from zerosum.study.vanishing import vanishing

Play = Callable[[int, int | None, Progress], ScenarioResult]


@dataclass(frozen=True)
class Scenario:
    """play: (seeds, steps or None for the scenario's own number, progress) -> result. seeds: how many by default."""

    play: Play
    seeds: int = 2


SCENARIOS: dict[str, Scenario] = {
    "helvetica": Scenario(helvetica, seeds=5),
    "officer": Scenario(officer, seeds=1),
    "vanishing": Scenario(vanishing),
    "drawbacks": Scenario(drawbacks),
    "remedies": Scenario(remedies, seeds=3),
}
