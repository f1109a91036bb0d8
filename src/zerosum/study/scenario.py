"""The scenarios of `zerosum lab`: ways in which GAN training fails, from several seeds, and what fixes each."""

from __future__ import annotations

from collections.abc import Callable

from zerosum.data.items import Progress
from zerosum.study.drawbacks import drawbacks
from zerosum.study.helvetica import helvetica
from zerosum.study.scenario_result import ScenarioResult
from zerosum.study.vanishing import vanishing

# (seeds, steps or None for the scenario's own number, progress) -> result.
SCENARIOS: dict[str, Callable[[int, int | None, Progress], ScenarioResult]] = {
    "helvetica": helvetica,
    "vanishing": vanishing,
    "drawbacks": drawbacks,
}
