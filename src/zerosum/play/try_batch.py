"""Does a batch of another size fit into memory?"""

from __future__ import annotations

from dataclasses import replace

from zerosum.play.step import Algorithm1


def try_batch(algorithm: Algorithm1, batch: int) -> None:
    """Computes both players' gradients for a batch of this size and discards them. Raises the allocator's error where it has no room."""
    config = replace(algorithm.config, batch=batch)
    trial = Algorithm1(config, algorithm.players, algorithm.source, algorithm.space, replace(algorithm.execution, engine="eager"))
    inputs = trial.sampler(0, None)
    x, y = trial.real_samples(inputs, 0)
    fake = trial.backend.generated_samples(inputs.z_d[0], y)
    trial.backend.discriminator_gradients(x, fake, y, inputs.numbers.gamma, inputs.epsilon[0] if inputs.epsilon else None)
    trial.backend.generator_gradients(inputs.z_g[0], x, y, None)
