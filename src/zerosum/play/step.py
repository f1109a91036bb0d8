"""Algorithm 1 of Goodfellow et al. 2014 (arXiv 1406.2661): k steps of D, then one of G, by alternating gradient descent.

Nothing here waits for the device: statistics stay tensors until the training loop reads them. How samples and gradients are computed is
the backend's concern (engine/backend.py); everything random is drawn beforehand (play/inputs.py).
"""

from __future__ import annotations

import torch
from torch import Tensor

from zerosum.chance import key
from zerosum.data.space import Space
from zerosum.engine.accumulate import Accumulated
from zerosum.engine.backend import Transform
from zerosum.engine.cuda_graph import GraphedStep
from zerosum.engine.networks import Gradients
from zerosum.game.ada import gated
from zerosum.game.augment import AUGMENTATIONS, Augmented
from zerosum.game.penalty import PENALTIES
from zerosum.game.value import VALUES, smoothed
from zerosum.nets.traits import draws_random_numbers, uses_batch_statistics
from zerosum.play.backends import backend_for, networks_for
from zerosum.play.config import Config
from zerosum.play.device import Execution
from zerosum.play.distributed import ALONE, BatchSource, Processes
from zerosum.play.finite import FiniteGuard
from zerosum.play.inputs import InputSampler, Number, StepInputs, on_device
from zerosum.play.players import Players
from zerosum.play.schedule import End
from zerosum.play.statistics import pooled, statistics


class Algorithm1:
    """The game between two players. `step(t)` plays step t = 0, 1, ...; the same t from the same state is the same step, bit for bit.

    whole: whether the players' state is that between two steps, and not one in the middle of a step. moving: the players that are updated,
    by the letters "d" and "g"; a player that is not keeps its weights and moments, and its gradient is computed all the same.
    """

    def __init__(
        self, config: Config, players: Players, source: BatchSource, space: Space, execution: Execution, processes: Processes = ALONE
    ) -> None:
        self.config, self.players, self.source, self.space = config, players, source, space
        self.execution, self.processes, self.whole = execution, processes, True
        self.moving = frozenset("dg")
        self.value = smoothed(VALUES[config.game.value], config.game.smoothing)
        self.device, self.networks = torch.device(execution.device), networks_for(players, execution)
        self.backend = backend_for(self.networks, players, self.value, PENALTIES[config.game.penalty], execution)
        if config.accumulate > 1:
            self.backend = Accumulated(self.backend, config.accumulate)
        self.sampler = InputSampler(
            config, on_device(source, self.device, processes), processes, self.device, self.networks.dtype, bool(players.labelled)
        )
        self.guard = FiniteGuard(players, self.device)
        self.samples_a_step = config.game.k * config.batch
        nets = (players.G, players.D)
        self._buffers_move, self._random_layers = (any(map(has, nets)) for has in (uses_batch_statistics, draws_random_numbers))
        self.graph = GraphedStep(self.iteration, self.state) if execution.engine == "graph" else None

    def step(self, t: int, horizon: End) -> Tensor:
        """Plays step t and returns its statistics, a vector in the order of STATISTICS on the device. horizon: the run's end."""
        self.whole = self.whole and not self._buffers_move
        if self._random_layers:
            torch.manual_seed(key(self.config.seed, "modules", t))
        played = (self.graph or self.iteration)(self.sampler(t, horizon))
        self.whole = True
        return played

    def iteration(self, inputs: StepInputs) -> Tensor:
        """One pass of Algorithm 1's outer loop, a function of its inputs and the players' state alone."""
        game, numbers = self.config.game, inputs.numbers
        self.networks.moved("d", "g")  # Between two steps anybody may write the weights: a resume, an experiment.
        for j in range(game.k):
            last = j == game.k - 1
            x, y = self.real_samples(inputs, j)
            fake = self.backend.generated_samples(inputs.z_d[j], y, ahead=inputs.z_g[0] if last else None)
            fake = fake if (see := self._seen(inputs.u_d, j)) is None else see(fake)
            epsilon = inputs.epsilon[j] if inputs.epsilon else None
            d, by_weight = self.backend.discriminator_gradients(x, fake, y, numbers.gamma, epsilon)
            norm_d = self._descend("d", by_weight, d.total, numbers.t)
            if not (last and game.order == "simultaneous"):
                self._update("d", numbers.lr_d)
        for j in range(game.g_steps):
            g, by_weight = self.backend.generator_gradients(inputs.z_g[j], x, y, self._seen(inputs.u_g, j))
            norm_g = self._descend("g", by_weight, g.total, numbers.t)
            if j == 0 and game.order == "simultaneous":
                self._update("d", numbers.lr_d)  # Both players' gradients were taken at their old weights.
            self._update("g", numbers.lr_g)
        if self.players.adaptive is not None:
            self.players.adaptive.update(self.value, d.a, d.b, self.config.batch, self.processes)
        self.players.ema.update(numbers.ema_keep)
        return pooled(statistics(self.value, d, g, norm_d, norm_g), self.processes)

    def real_samples(self, inputs: StepInputs, j: int) -> tuple[Tensor, Tensor | None]:
        """The real samples of D's step j as D sees them, and their labels, which the generated samples share."""
        raw, y = inputs.real[j]
        x = self.space.encode(raw).to(self.networks.dtype)
        return (x if (see := self._seen(inputs.u_real, j)) is None else see(x)), y

    def _seen(self, numbers: tuple[Tensor, ...], j: int) -> Transform | None:
        """The augmentation with its numbers of step j: the one place where real and generated samples are transformed."""
        row = AUGMENTATIONS[self.config.game.augment]
        if row is None:
            return None
        adaptive = self.players.adaptive
        return Augmented(row, numbers[j] if adaptive is None else gated(numbers[j], adaptive.p))

    def _descend(self, letter: str, gradients: Gradients, loss: Tensor, t: Number) -> Tensor:
        """Leaves the gradients in the player's weights, averaged over the processes, and returns their norm. Raises NotFinite."""
        for weight, gradient in gradients.items():
            weight.grad = gradient
        taken, loss = [g for g in gradients.values() if g is not None], loss.detach()
        self.processes.average([*taken, loss])
        norm: Tensor = torch.linalg.vector_norm(torch.stack(torch._foreach_norm(taken)))
        self.guard.check(letter, norm + loss, t)
        return norm

    def _update(self, letter: str, lr: Number) -> None:
        if letter not in self.moving:
            return
        optimiser = self.players.optimisers[letter]
        for group in optimiser.param_groups:
            group["lr"] = lr * group["share"]
        self.whole = False
        optimiser.step()
        self.networks.moved(letter)

    def state(self) -> list[Tensor]:
        """Every tensor that a step changes."""
        return [*self.players.weights().values(), *self.players.moments().values(), self.guard.first]

    def complaint(self) -> str | None:
        """Why steps are not executed as the execution says, once; None where they are."""
        return None if self.graph is None else self.graph.complaint()
