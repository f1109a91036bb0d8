"""Which batch fits into memory, where one did not."""

from __future__ import annotations

import traceback
from dataclasses import replace

from zerosum.play import oom
from zerosum.play.memory import parts_of
from zerosum.play.step import Algorithm1


def lack_of_memory(error: Exception, algorithm: Algorithm1, t: int, tries: bool) -> str:
    """What to do where the allocator found no room in step t, as half a sentence. tries: whether to try which smaller batch fits."""
    traceback.clear_frames(error.__traceback__)  # They hold what filled the memory.
    config = algorithm.config
    in_parts = f" --accumulate {config.accumulate}" if config.accumulate > 1 else ""
    asked = f"{oom.asked_for(error)} could not be had in step {t + 1} at --batch {config.batch}{in_parts}"
    if not tries:
        return f"{asked}: give {parts_of(config.batch)}, or a smaller --batch, --net.width or --data.size"
    fits = oom.largest(config.batch // config.accumulate, lambda n: try_batch(algorithm, n))
    if not fits:
        return f"{asked}; not even --batch 1 fits: give a smaller --net.width or --data.size"
    same = f": {parts_of(config.batch, fits)} fits, and trains as --batch {config.batch} does"
    return f"{asked}; --batch {fits} was tried and fits" + (same if config.batch % fits == 0 else "")


def try_batch(algorithm: Algorithm1, batch: int) -> None:
    """Computes both players' gradients for a batch of this size and discards them. Raises the allocator's error where it has no room."""
    config = replace(algorithm.config, batch=batch, accumulate=1)
    trial = Algorithm1(config, algorithm.players, algorithm.source, algorithm.space, replace(algorithm.execution, engine="eager"))
    inputs = trial.sampler(0, None)
    x, y = trial.real_samples(inputs, 0)
    fake = trial.backend.generated_samples(inputs.z_d[0], y)
    trial.backend.discriminator_gradients(x, fake, y, inputs.numbers.gamma, inputs.epsilon[0] if inputs.epsilon else None)
    trial.backend.generator_gradients(inputs.z_g[0], x, y, None)
