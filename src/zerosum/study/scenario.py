"""The scenarios of `zerosum lab`: ways in which a game goes wrong, played from several seeds, and what mends each."""

from __future__ import annotations

from collections.abc import Callable

from zerosum.study.drawbacks import drawbacks
from zerosum.study.helvetica import helvetica
from zerosum.study.progress import Progress
from zerosum.study.scenario_result import ScenarioResult
from zerosum.study.vanishing import vanishing

# (seeds, rounds or None for the scenario's own, progress) -> what came of it.
SCENARIOS: dict[str, Callable[[int, int | None, Progress], ScenarioResult]] = {
    "helvetica": helvetica,
    "vanishing": vanishing,
    "drawbacks": drawbacks,
}
