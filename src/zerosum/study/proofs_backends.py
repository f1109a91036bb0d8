"""Statements about the code that trains: each backend's gradients are those of the published losses.

The losses (theory/proofs_value.py) and the penalties are written once more, from the papers, without `game/`. Their derivative along a
fixed direction of the weights is a central difference, without automatic differentiation of the loss. Each backend's gradient along the
same direction must agree. So a wrong sign, factor, argument or pairing in game/ or engine/ changes a measured number.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext

import torch
from torch import Tensor, nn

from zerosum.chance import normal, uniform
from zerosum.engine.backend import Autograd, Backend
from zerosum.engine.closed_form import ClosedForm
from zerosum.engine.networks import Networks
from zerosum.engine.passes import Chain, GeneratorPasses
from zerosum.game.penalty import PENALTIES
from zerosum.game.value import VALUES, smoothed
from zerosum.nets import build, chain_of, perceptron_of
from zerosum.theory.proofs_value import PUBLISHED_LOSSES
from zerosum.theory.statement import Statement, relative_statement

N, DIM, CLASSES, GAMMA, SMOOTHING = 6, 3, 3, 0.7, 0.1
STEP = 1e-5  # of the central difference, in units of the weights
SHARE = 1e-5  # relative tolerance; the difference's own error is about STEP^2 and float64's rounding over STEP
NET = {"width": 8, "depth": 2, "norm": "none", "slope": 0.2, "dropout": 0.0, "octaves": 1}
NET |= {"activation": "leaky_relu", "activation_g": "tanh"}
LABELS = torch.tensor([2, 0, 1, 1, 2, 0])

# Where the gradient of D is taken, and the penalty of its norm there.
PLACES: dict[str, tuple[tuple[str, ...], Callable[[Tensor], Tensor]]] = {
    "none": ((), torch.square),
    "r1": (("x",), torch.square),
    "r2": (("fake",), torch.square),
    "r1r2": (("x", "fake"), torch.square),
    "gp": (("between",), lambda norm: (norm - 1).square()),
}


class Played:
    """Two small nets in float64, a minibatch, and both backends on them. classes: of a conditional game, else 0."""

    def __init__(self, value: str, penalty: str, classes: int = 0, smoothing: float = 0.0) -> None:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(5)
            self.G, self.D = (net.double() for net in build("mlp", (2,), DIM, NET, classes))
        for i, p in enumerate([*self.G.parameters(), *self.D.parameters()]):
            p.data += 0.2 * normal(tuple(p.shape), 0, "proofs-backends", i).double()  # No bias is zero, and no unit is at its bend.
        networks = Networks({"d": self.D, "g": self.G}, {}, nullcontext, torch.float64, frozenset("dg") if classes else frozenset())
        self.x, self.fake = (normal((N, 2), 1, "proofs-backends", i).double() for i in range(2))
        self.z = normal((N, DIM), 2, "proofs-backends", 0).double()
        self.epsilon, self.y = uniform((N,), 3, "proofs-backends").double(), LABELS if classes else None
        row, steps = smoothed(VALUES[value], smoothing), perceptron_of(self.G)
        chain = Chain(chain_of(self.D) or (), getattr(self.D, "embedding", None))
        passes = None if steps is None else GeneratorPasses(steps)
        self.backends: dict[str, Backend] = {
            "autograd": Autograd(networks, row, PENALTIES[penalty]),
            "closed form": ClosedForm(networks, row, PENALTIES[penalty], chain, torch.float64, passes),
        }

    def logits(self, x: Tensor) -> Tensor:
        logits: Tensor = self.D(x) if self.y is None else self.D(x, self.y)
        return logits

    def generated(self) -> Tensor:
        x: Tensor = self.G(self.z) if self.y is None else self.G(self.z, self.y)
        return x

    def norms(self, place: str) -> Tensor:
        """The norm of D's gradient at each sample of a place, (N,)."""
        weight = self.epsilon[:, None]
        at = {"x": self.x, "fake": self.fake, "between": weight * self.x + (1 - weight) * self.fake}[place].clone().requires_grad_()
        (gradient,) = torch.autograd.grad(self.logits(at).sum(), at)
        norms: Tensor = gradient.norm(dim=1)
        return norms


def directional(module: nn.Module, loss: Callable[[], Tensor], along: list[Tensor]) -> float:
    """The derivative of a loss of the module's weights along a direction, as a central difference."""
    ends = []
    for sign in (1, -1):
        for p, v in zip(module.parameters(), along, strict=True):
            p.data += sign * STEP * v
        ends.append(float(loss().detach()))
        for p, v in zip(module.parameters(), along, strict=True):
            p.data -= sign * STEP * v
    return (ends[0] - ends[1]) / (2 * STEP)


def _direction(module: nn.Module) -> list[Tensor]:
    return [normal(tuple(p.shape), 4, "proofs-backends", i).double() for i, p in enumerate(module.parameters())]


def _along(gradients: dict[Tensor, Tensor | None], module: nn.Module, along: list[Tensor]) -> float:
    found = (gradients[p] for p in module.parameters())
    return float(sum((g * v).sum() for g, v in zip(found, along, strict=True) if g is not None))


def _discriminator(value: str, penalty: str, classes: int = 0, smoothing: float = 0.0) -> list[Statement]:
    it = Played(value, penalty, classes, smoothing)
    places, of_norm = PLACES[penalty]
    d = PUBLISHED_LOSSES[value][0]

    def loss() -> Tensor:
        a, b = it.logits(it.x), it.logits(it.fake)
        # Salimans et al. 2016: a target of 1 - s for real samples adds s times the loss of target 0, which differs by s a.
        total = (d(a, b) + smoothing * a).mean()
        return total + sum(GAMMA / 2 * of_norm(it.norms(place)).mean() for place in places)

    along = _direction(it.D)
    proved = directional(it.D, loss, along)
    what = f"{value}, penalty {penalty}{', by class' if classes else ''}{', smoothed' if smoothing else ''}"
    rows = []
    for name, backend in it.backends.items():
        measured = _along(backend.discriminator_gradients(it.x, it.fake, it.y, GAMMA, it.epsilon)[1], it.D, along)
        rows.append(relative_statement(f"D's gradient along a direction, {what}: {name}", VALUES[value].source, proved, measured, SHARE))
    return rows


def _generator(value: str, classes: int = 0) -> list[Statement]:
    it = Played(value, "none", classes)
    g = PUBLISHED_LOSSES[value][1]
    along = _direction(it.G)
    proved = directional(it.G, lambda: g(it.logits(it.x).detach(), it.logits(it.generated())).mean(), along)
    what = f"{value}{', by class' if classes else ''}"
    rows = []
    for name, backend in it.backends.items():
        measured = _along(backend.generator_gradients(it.z, it.x, it.y, None)[1], it.G, along)
        rows.append(relative_statement(f"G's gradient along a direction, {what}: {name}", VALUES[value].source, proved, measured, SHARE))
    return rows


def _losses() -> list[Statement]:
    """What a backend reports as the losses, which the record and its figures show."""
    rows = []
    for value, (d, g) in PUBLISHED_LOSSES.items():
        it = Played(value, "r1r2")
        a, b, made = it.logits(it.x), it.logits(it.fake), it.logits(it.generated())
        proved = {"discriminator": float(d(a, b).mean().detach()), "generator": float(g(a, made).mean().detach())}
        proved["penalty"] = float(sum(GAMMA / 2 * it.norms(place).square().mean().detach() for place in ("x", "fake")))
        for name, backend in it.backends.items():
            of_d = backend.discriminator_gradients(it.x, it.fake, None, GAMMA, None)[0]
            of_g = backend.generator_gradients(it.z, it.x, None, None)[0]
            found = {"discriminator": of_d.loss, "penalty": of_d.penalty, "generator": of_g.loss}
            source = VALUES[value].source
            rows += [
                relative_statement(f"the {k} loss, {value}: {name}", source, proved[k], float(v.detach()), 1e-9) for k, v in found.items()
            ]
    return rows


def backends() -> list[Statement]:
    """Every value function with R1 and R2, every penalty with two value functions, label smoothing, and a conditional game."""
    rows = [row for value in PUBLISHED_LOSSES for row in _discriminator(value, "r1r2")]
    for value in ("non_saturating", "relativistic"):
        rows += [row for penalty in ("none", "r1", "r2", "gp") for row in _discriminator(value, penalty)]
    rows += _discriminator("least_squares", "r1", smoothing=SMOOTHING)
    rows += [row for penalty in ("none", "gp", "r1r2") for row in _discriminator("relativistic", penalty, CLASSES)]
    rows += [row for value in PUBLISHED_LOSSES for row in _generator(value)] + _generator("non_saturating", CLASSES)
    return rows + _losses()
