"""The decay of learning rates and penalty: when a run's state is kept for a longer run, and when a plateau lets the decay begin."""

from __future__ import annotations

import math

from zerosum.play.config import Config
from zerosum.play.schedule import End, depends_on_horizon, in_decay


class Decay:
    """a_step: samples that D sees in a step. possible: whether a part of the run comes before the decay."""

    def __init__(self, config: Config, a_step: int) -> None:
        self._config, self._a_step = config, a_step
        self.possible = config.decay < 1 and depends_on_horizon(config)

    def ahead(self, samples: int, course: End) -> bool:
        """Whether the state after so many samples is one before the decay."""
        return self.possible and not in_decay(self._config, samples, course)

    def next(self, samples: int, course: End) -> bool:
        """Whether that state is the last one before the decay."""
        return self.ahead(samples, course) and in_decay(self._config, samples + self._a_step, course)

    def end(self, so_far: float) -> float:
        """Where a run ends whose decay begins now: of the whole, `so_far` is then the part before the decay."""
        return so_far / (1 - self._config.decay)

    def end_in_samples(self, samples: int) -> int:
        """The same in samples, of whole steps."""
        return math.ceil(self.end(samples) / self._a_step) * self._a_step
