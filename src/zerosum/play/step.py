"""One round of Algorithm 1 as a function of its number: draws, D's k steps, G's steps, the average; and the statistics that it leaves.

Nothing here waits for the device: the statistics stay tensors until the trainer reads them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from zerosum.chance import key
from zerosum.data.space import Space
from zerosum.engine.bf16_copy import bf16_copies
from zerosum.engine.closed_form import ClosedForm
from zerosum.engine.cuda_graph import GraphedStep
from zerosum.engine.freeze import frozen_running_statistics, frozen_weights
from zerosum.engine.passes import Chain
from zerosum.engine.perceptron import Perceptron
from zerosum.game.losses import DiscriminatorLoss, GeneratorLoss, discriminator_loss, generator_loss
from zerosum.game.penalty import PENALTIES
from zerosum.game.value import VALUES, Value, smoothed
from zerosum.nets import chain_of, perceptron_of
from zerosum.play.config import Config
from zerosum.play.device import Execution
from zerosum.play.distributed import ALONE, Processes, Reals
from zerosum.play.inputs import InputSampler, Number, StepInputs, near
from zerosum.play.players import Players, draws_random_numbers, uses_batch_statistics

STATISTICS = ("loss_d", "loss_g", "penalty", "a", "b", "a_std", "b_std", "V", "D_real", "D_fake", "accuracy", "grad_d", "grad_g")


class NotFinite(ArithmeticError):
    """A cost, gradient or weight is NaN or infinite; raised before the update that would have used it. The sentence says whose and when."""


@dataclass
class Algorithm1:
    """The game between two players on some reals. `play(t)` plays round t; the same t from the same state is the same round.

    whole: whether the players stand between two rounds, rather than within one.
    """

    config: Config
    players: Players
    reals: Reals
    space: Space
    engine: Execution
    ranks: Processes = ALONE
    whole: bool = True

    def __post_init__(self) -> None:
        game = self.config.game
        self.value: Value = smoothed(VALUES[game.value], game.smoothing)
        self.penalty = PENALTIES[game.penalty]
        self.device = torch.device(self.engine.device)
        self.together = not uses_batch_statistics(self.players.D)
        self.blends = uses_batch_statistics(self.players.G)
        self.seeds_modules = draws_random_numbers(self.players.G) or draws_random_numbers(self.players.D)
        self.samples_a_step = game.k * self.config.batch
        # A person's own modules may be of float64: then the game is played in it.
        self.dtype = torch.promote_types(next(self.players.G.parameters()).dtype, torch.float32)
        self.deal = InputSampler(self.config, near(self.reals, self.device, self.ranks), self.ranks, self.device, self.dtype)
        self._kept: Tensor | None = None  # D's fakes, until G's step takes them over.
        self.bf16_copies = bf16_copies(self.engine, self.players)
        self._modules = {
            letter: self.bf16_copies[letter].module if letter in self.bf16_copies else m for letter, m in self._players.items()
        }
        self._still = {letter: frozen_running_statistics(module) for letter, module in self._modules.items()}
        self._short_way = self._piecewise()
        self._by_hand = self._perceptron()
        # The first round in which something was not finite, kept on a GPU until the host looks; -1 is none.
        self._bad = torch.full((), -1, dtype=torch.int64, device=self.device)
        self._replayed = GraphedStep(self.round, self._state) if self.engine.engine == "graph" else None
        self._way = self._replayed or self.round

    # -- the players, in the engine's arithmetic --------------------------------------------------------------------------

    def _playing(self, letter: str) -> nn.Module:
        """The module that plays: the player's twin where the engine has one, else the player itself."""
        if letter in self.bf16_copies:
            self.bf16_copies[letter].follow()
        return self._modules[letter]

    @property
    def _players(self) -> dict[str, nn.Module]:
        return {"d": self.players.D, "g": self.players.G}

    def _piecewise(self) -> ClosedForm | None:
        """The way to D's gradients in four passes, where the engine takes it and D is a chain that holds all of its weights."""
        steps = chain_of(self._modules["d"]) if self.engine.passes else None
        if steps is None or {*self._modules["d"].parameters()} != {*Chain(steps).weights}:
            return None
        return ClosedForm(Chain(steps), torch.bfloat16 if self.engine.precision == "bf16" else self.dtype)

    def _perceptron(self) -> Perceptron | None:
        """G and its gradients without autograd, where D's are too and G is a perceptron of float32 or better."""
        G = self._modules["g"]
        # Its fakes carry no graph: what takes G's cost must give the slope at them by other means.
        steps = perceptron_of(G) if self._short_way is not None and self.engine.precision != "bf16" else None
        if steps is None or {*G.parameters()} != {*nn.ModuleList(steps).parameters()}:
            return None
        return Perceptron(steps)

    def _passes(self) -> ClosedForm | None:
        if self._short_way is not None:
            self._playing("d")  # The chain is of the very weights that play: they are to be where the player's are.
        return self._short_way

    def _moved(self, *letters: str) -> None:
        for letter in self.bf16_copies.keys() & set(letters):
            self.bf16_copies[letter].stale = True

    def _G(self, z: Tensor) -> Tensor:
        if self._by_hand is not None:
            return self._by_hand.up(z)
        with self.engine.arithmetic():
            fake: Tensor = self._playing("g")(z)
        return fake.to(self.dtype)

    def _D(self, x: Tensor) -> Tensor:
        with self.engine.arithmetic():
            logits: Tensor = self._playing("d")(x)
        return logits.to(self.dtype).flatten()

    # -- steps ------------------------------------------------------------------------------------------------------------

    def _reals(self, hand: StepInputs, j: int) -> Tensor:
        return self.space.encode(hand.reals[j]).to(self.dtype)

    def _fakes_for_D(self, hand: StepInputs, j: int) -> Tensor:
        last = j == self.config.game.k - 1
        if self.config.game.fakes == "reused" and last:
            # The graph stays for G's step, and G's running statistics move once a round all the same.
            self._kept = self._G(hand.z_d[j])
            return self._kept
        if self._by_hand is not None and last:
            # G does not move before its own step: both batches go through it at once.
            fake, self._kept = self._by_hand.up(torch.cat([hand.z_d[j], hand.z_g[0]])).chunk(2)
            return fake
        # G's running statistics move in its own step alone: D's step leaves G as it was, buffers too.
        with torch.no_grad(), self._still["g"]:
            return self._G(hand.z_d[j])

    def _d_cost(self, x: Tensor, hand: StepInputs, j: int) -> DiscriminatorLoss:
        fake = self._fakes_for_D(hand, j)
        epsilon = hand.epsilon[j] if hand.epsilon else None
        if (passes := self._passes()) is not None:
            return passes.discriminator_loss(x, fake, self.value, self.penalty, hand.numbers.gamma, epsilon)
        return discriminator_loss(self._D, x, fake, self.value, self.penalty, hand.numbers.gamma, epsilon, self.together)

    def _g_cost(self, x: Tensor, hand: StepInputs, j: int) -> GeneratorLoss:
        fake, self._kept = self._kept, None
        if fake is None:
            # Counted from the end: the first step has no noise of its own where it plays D's fakes.
            fake = self._G(hand.z_g[j - self.config.game.g_steps])
        if (passes := self._passes()) is not None:
            return passes.generator_loss(fake, self.value, x)
        # G's cost asks nothing of D's weights: what their gradients would need is then not kept either.
        with self._still["d"], frozen_weights(self._playing("d")):
            return generator_loss(self._D, fake, self.value, x)

    def _gradient(self, letter: str, owed: DiscriminatorLoss | GeneratorLoss, t: Number) -> Tensor:
        """Leaves the gradient of what is owed in the player's weights and gives its norm. Raises NotFinite."""
        optimiser = self.players.optimisers[letter]
        weights = [p for group in optimiser.param_groups for p in group["params"]]
        gradients = self._raw_gradients(letter, owed, weights)
        for weight, gradient in zip(weights, gradients, strict=True):
            weight.grad = gradient
        taken = [g for g in gradients if g is not None]
        paid = owed.whole.detach()
        self.ranks.average([*taken, paid])
        norm: Tensor = torch.linalg.vector_norm(torch.stack(torch._foreach_norm(taken)))
        self._heed(letter, norm + paid, t)
        return norm

    def _raw_gradients(self, letter: str, owed: DiscriminatorLoss | GeneratorLoss, weights: Sequence[Tensor]) -> Sequence[Tensor | None]:
        """By the player's weights, in their own type; None where what is owed does not depend on one."""
        played = [self.bf16_copies[letter].of[w] for w in weights] if letter in self.bf16_copies else weights
        known = owed.gradients
        found: Sequence[Tensor | None]
        if known is None:
            found = torch.autograd.grad(owed.whole, played, allow_unused=True)
        elif letter == "g" and self._by_hand is None:
            # A scalar with this gradient at the fakes: given one of its own, autograd would load PyTorch's symbolic shapes, for a second.
            ((fake, at_fakes),) = known.items()
            found = torch.autograd.grad((fake * at_fakes).sum(), played, allow_unused=True)
        else:
            by_weight = self._by_hand.gradients(*known.values()) if letter == "g" and self._by_hand is not None else known
            found = [by_weight[w] for w in played]
        return [None if g is None else g.to(w.dtype) for g, w in zip(found, weights, strict=True)]

    def _heed(self, letter: str, number: Tensor, t: Number) -> None:
        """Sees to it that no update follows a number that is not finite.

        On a CPU by raising NotFinite; on a GPU, which nobody waits for, by switching the optimisers off until `require_finite` raises it.
        """
        if self.device.type != "cpu":
            self._bad.copy_(torch.where((self._bad < 0) & ~torch.isfinite(number), t, self._bad))
            for optimiser in self.players.optimisers.values():
                optimiser.found_inf = (self._bad >= 0).float()
        elif not math.isfinite(float(number)):
            names = [n for n, p in self._players[letter].named_parameters() if p.grad is not None and not torch.isfinite(p.grad).all()]
            what = f"the gradient of {letter.upper()}'s {names[0]}" if names else f"the cost of {letter.upper()}"
            raise NotFinite(f"{what} was not finite in round {int(t) + 1}; that update was not made.")

    def require_finite(self, t: int) -> None:
        """Raises NotFinite where, in the t rounds played, a number that the GPU kept to itself was not, or a weight is not."""
        if self.device.type != "cpu" and (bad := int(self._bad)) >= 0:
            raise NotFinite(f"a cost or a gradient was not finite in round {bad + 1}; no update was made from there on.")
        if name := self.players.not_finite():
            raise NotFinite(f"the weight {name} was not finite after round {t}; it was not saved.")

    def complaint(self) -> str | None:
        """Why rounds are not played as the engine says, once; None where they are."""
        return None if self._replayed is None else self._replayed.complaint()

    def _update(self, letter: str, rate: Number) -> None:
        optimiser = self.players.optimisers[letter]
        for group in optimiser.param_groups:
            group["lr"] = rate * group["share"]
        self.whole = False
        optimiser.step()
        self._moved(letter)

    def _state(self) -> list[Tensor]:
        """All that a round alters."""
        return [*self.players.weights().values(), *self.players.moments().values(), self._bad]

    # -- the round --------------------------------------------------------------------------------------------------------

    def play(self, t: int, horizon: int | None) -> Tensor:
        """Plays round t (0, 1, ...) and returns the statistics named in STATISTICS, a vector on the device."""
        self.whole = self.whole and self.together and not self.blends
        if self.seeds_modules:
            torch.manual_seed(key(self.config.seed, "modules", t))
        played = self._way(self.deal(t, horizon))
        self.whole = True
        return played

    def round(self, hand: StepInputs) -> Tensor:
        """The round itself, on what was dealt: nothing that it does depends on anything else but the players."""
        game, numbers = self.config.game, hand.numbers
        self._moved("d", "g")  # Between two rounds anybody may write: a resume, a study.
        for j in range(game.k):
            last = j == game.k - 1
            x = self._reals(hand, j)
            d = self._d_cost(x, hand, j)
            norm_d = self._gradient("d", d, numbers.t)
            if game.order == "simultaneous" and last:
                break
            self._update("d", numbers.rate_d)
        for j in range(game.g_steps):
            g = self._g_cost(x, hand, j)
            norm_g = self._gradient("g", g, numbers.t)
            if game.order == "simultaneous" and j == 0:
                self._update("d", numbers.rate_d)
            self._update("g", numbers.rate_g)
        self.players.average.update(numbers.keep)
        return pooled(statistics(self.value, d, g, norm_d, norm_g), self.ranks)

    def rehearse(self, batch: int) -> None:
        """Takes both players' gradients for a batch of another size, and forgets them: does it fit into memory?"""
        smaller = replace(self, config=replace(self.config, batch=batch), ranks=ALONE)
        hand = smaller.deal(0, None)
        x = smaller._reals(hand, 0)
        d = smaller._d_cost(x, hand, 0)
        smaller._raw_gradients("d", d, [p for p in self.players.D.parameters() if p.requires_grad])
        smaller._raw_gradients("g", smaller._g_cost(x, hand, 0), [p for p in self.players.G.parameters() if p.requires_grad])


@torch.no_grad()
def statistics(value: Value, d: DiscriminatorLoss, g: GeneratorLoss, norm_d: Tensor, norm_g: Tensor) -> Tensor:
    """The round's numbers in the order of STATISTICS; V, D(x) and D(G(z)) are NaN where the logit is no probability."""
    a, b = d.a, d.b
    std, mean = torch.std_mean(torch.stack((a, b)), 1, correction=0)
    if value.probability:
        probabilities = torch.stack([-softplus(-a).mean() - softplus(b).mean(), a.sigmoid().mean(), b.sigmoid().mean()])
    else:
        probabilities = a.new_full((3,), float("nan"))
    right = a > b if value.paired else torch.stack((a > 0, b < 0))
    accuracy = right.mean(dtype=a.dtype)
    return torch.cat([torch.stack([d.cost, g.cost, d.price]), mean, std, probabilities, torch.stack([accuracy, norm_d, norm_g])])


@torch.no_grad()
def pooled(numbers: Tensor, ranks: Processes) -> Tensor:
    """The round's numbers over all processes: means are averaged, standard deviations by way of their second moments."""
    if ranks.size == 1:
        return numbers
    mean, std = ([STATISTICS.index(name) for name in names] for names in (("a", "b"), ("a_std", "b_std")))
    moments = numbers.clone()
    moments[std] = numbers[std].square() + numbers[mean].square()
    ranks.average([moments])
    moments[std] = (moments[std] - moments[mean].square()).clamp_min(0).sqrt()
    return moments
