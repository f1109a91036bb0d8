"""The closed form against autograd's second derivatives: every value function, penalty and kind of chain, with and without labels."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from itertools import product

import pytest
import torch
from torch import Tensor, nn
from torch.testing import assert_close

from zerosum.chance import normal, uniform
from zerosum.engine.backend import Autograd, Transform
from zerosum.engine.closed_form import ClosedForm, owns_all_weights
from zerosum.engine.networks import Networks
from zerosum.engine.passes import Chain, GeneratorPasses
from zerosum.engine.strided import CONVOLUTION, PRODUCT, UNSHUFFLED, Routed, Routes
from zerosum.game.augment import AUGMENTATIONS
from zerosum.game.penalty import PENALTIES, Penalty
from zerosum.game.value import VALUES, Value, smoothed
from zerosum.nets import build, chain_of, perceptron_of
from zerosum.nets.mlp import Octaves

POINTS = {"width": 16, "depth": 2, "norm": "none", "activation": "leaky_relu", "slope": 0.2, "dropout": 0.0}
NETS = {
    "points": ("mlp", POINTS, (2,), 0),
    "octaves": ("mlp", {**POINTS, "octaves": 3, "activation_g": "tanh"}, (3,), 0),
    "residual": ("resnet", {"width": 2, "depth": 1, "slope": 0.2}, (2, 16, 16), 0),
    "small": ("mlp", {**POINTS, "width": 12, "depth": 3, "activation": "relu", "slope": 0.0}, (1, 8, 8), 0),
    "colour": ("dcgan", {"width": 4, "norm": "none", "slope": 0.2, "hidden": 8, "refine": 1}, (3, 11, 14), 0),
    "points by class": ("mlp", {**POINTS, "octaves": 2}, (2,), 3),
    "residual by class": ("resnet", {"width": 2, "depth": 1, "slope": 0.2}, (2, 16, 16), 3),
    "colour by class": ("dcgan", {"width": 4, "norm": "none", "slope": 0.2, "hidden": 8, "refine": 1}, (3, 11, 14), 3),
}
N, DIM = 6, 4
LABELS = torch.tensor([2, 0, 1, 1, 2, 0])
GAMMA = 0.7


class Played:
    """Both backends of one game in float64, with no bias at zero, and a minibatch."""

    def __init__(self, name: str, value: Value, penalty: str | Penalty, dtype: torch.dtype = torch.float64) -> None:
        kind, options, shape, classes = NETS[name]
        with torch.random.fork_rng():
            torch.manual_seed(3)
            self.G, self.D = (net.double() for net in build(kind, shape, DIM, dict(options), classes))
        for i, p in enumerate([*self.G.parameters(), *self.D.parameters()]):
            p.data += 0.1 * normal(tuple(p.shape), 5, "moved", i).double()
        labelled = frozenset("dg") if classes else frozenset[str]()
        self.networks = Networks({"d": self.D, "g": self.G}, {}, nullcontext, torch.float64, labelled)
        self.x, self.fake = (normal((N, *shape), 7, "x", i).double() for i in (0, 1))
        self.z, self.coming = (normal((N, DIM), 7, "z", i).double() for i in (0, 1))
        self.y, self.epsilon = LABELS if classes else None, uniform((N,), 1, "epsilon").double()
        steps = perceptron_of(self.G)
        chain = Chain(chain_of(self.D), getattr(self.D, "embedding", None))
        row = PENALTIES[penalty] if isinstance(penalty, str) else penalty
        assert owns_all_weights(chain, self.D)
        self.generator = None if steps is None else GeneratorPasses(steps)
        self.autograd = Autograd(self.networks, value, row)
        self.closed = ClosedForm(self.networks, value, row, chain, dtype, self.generator)


@pytest.mark.parametrize("penalty", PENALTIES)
@pytest.mark.parametrize("name", NETS)
def test_discriminator_gradient_is_autograds(name: str, penalty: str) -> None:
    for value in (VALUES["relativistic"], smoothed(VALUES["non_saturating"], 0.1)):
        it = Played(name, value, penalty)
        found, expected = (b.discriminator_gradients(it.x, it.fake, it.y, GAMMA, it.epsilon) for b in (it.closed, it.autograd))
        assert_close(found[0], expected[0], rtol=1e-9, atol=1e-12)
        assert list(found[1]) == list(it.D.parameters())
        assert_close(list(found[1].values()), list(expected[1].values()), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("places", [p for p in product((False, True), repeat=3) if any(p)])
@pytest.mark.parametrize("name", ["octaves", "points by class", "colour by class"])
def test_a_penalty_may_be_taken_at_any_places(name: str, places: tuple[bool, bool, bool]) -> None:
    row = PENALTIES["gp"]
    assert row is not None
    it = Played(name, VALUES["relativistic"], replace(row, **dict(zip(("real", "fake", "between"), places, strict=True))))
    found, expected = (b.discriminator_gradients(it.x, it.fake, it.y, GAMMA, it.epsilon) for b in (it.closed, it.autograd))
    assert_close(found[0], expected[0], rtol=1e-9, atol=1e-12)
    assert_close(list(found[1].values()), list(expected[1].values()), rtol=1e-9, atol=1e-12)


def _halved(x: Tensor) -> Tensor:
    return x / 2 + x.square() / 8


@pytest.mark.parametrize("transform", [None, _halved])
@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("name", NETS)
def test_generator_gradient_is_autograds(name: str, value: str, transform: Transform | None) -> None:
    it = Played(name, VALUES[value], "none")
    found, expected = (b.generator_gradients(it.z, it.x, it.y, transform) for b in (it.closed, it.autograd))
    assert_close(found[0], expected[0], rtol=1e-9, atol=1e-12)
    assert list(found[1]) == list(it.G.parameters())
    assert_close(list(found[1].values()), list(expected[1].values()), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("ahead", [False, True])
@pytest.mark.parametrize("backend", ["closed", "autograd"])
@pytest.mark.parametrize("name", NETS)
def test_samples_computed_ahead_are_the_samples(name: str, backend: str, ahead: bool) -> None:
    """D's step may compute the samples of G's coming step, or reuse its own: the samples and the gradients are the same."""
    it = Played(name, VALUES["non_saturating"], "r1")
    using = getattr(it, backend)
    coming = it.coming if ahead else it.z
    alone = using.generator_gradients(coming, it.x, it.y, None)[1]
    assert_close(using.generated_samples(it.z, it.y, ahead=coming).detach(), it.G(it.z, it.y).detach(), rtol=1e-9, atol=1e-12)
    assert_close(using.generator_gradients(coming, it.x, it.y, None)[1], alone, rtol=1e-9, atol=1e-12)
    # What was computed ahead belongs to that noise alone.
    using.generated_samples(it.z, it.y, ahead=it.coming)
    again = using.generator_gradients(it.z, it.x, it.y, None)[1]
    assert_close(again, it.autograd.generator_gradients(it.z, it.x, it.y, None)[1], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", ["colour", "colour by class"])
def test_the_augmented_game_is_autograds(name: str) -> None:
    """The augmentation of the table, through both players' gradients."""
    row = AUGMENTATIONS["diffaugment"]
    assert row is not None
    it, u = Played(name, VALUES["relativistic"], "r1r2"), uniform((N, row.numbers), 2, "u").double()

    def transform(x: Tensor) -> Tensor:
        return row.transform(x, u)

    found, expected = (b.generator_gradients(it.z, it.x, it.y, transform) for b in (it.closed, it.autograd))
    assert_close(list(found[1].values()), list(expected[1].values()), rtol=1e-9, atol=1e-12)


def test_in_bf16_it_errs_as_bf16_does() -> None:
    exact, low = (Played("colour", VALUES["relativistic"], "r1r2", dtype) for dtype in (torch.float64, torch.bfloat16))
    gradients = [list(it.closed.discriminator_gradients(it.x, it.fake, None, GAMMA, None)[1].values()) for it in (exact, low)]
    # The last is the bias of the logit, on which the relativistic loss does not depend.
    for e, r in zip(gradients[0][:-1], gradients[1][:-1], strict=True):
        assert e is not None
        assert r is not None
        assert_close((r - e).norm() / e.norm(), torch.zeros((), dtype=e.dtype), rtol=0.0, atol=0.1)


@pytest.mark.parametrize("backend", ["closed", "autograd"])
def test_a_penalty_between_needs_its_epsilon(backend: str) -> None:
    it = Played("points", VALUES["wasserstein"], "gp")
    with pytest.raises(ValueError, match="epsilon"):
        getattr(it, backend).discriminator_gradients(it.x, it.fake, None, 1.0, None)


def test_a_conditional_chain_needs_labels() -> None:
    it = Played("points by class", VALUES["wasserstein"], "none")
    with pytest.raises(ValueError, match="labels"):
        it.closed.discriminator_gradients(it.x, it.fake, None, 1.0, None)


@pytest.mark.parametrize("changed", [{"activation": "tanh"}, {"activation": "prelu"}, {"dropout": 0.5}, {"norm": "batch"}])
def test_what_is_not_piecewise_linear_has_no_chain(changed: dict[str, object]) -> None:
    assert chain_of(build("mlp", (2,), 4, {**POINTS, **changed})[1]) is None


def test_odd_resolutions_have_no_chain() -> None:
    assert chain_of(build("resnet", (1, 28, 28), 4, {"width": 4, "depth": 1, "slope": 0.2})[1]) is not None
    assert chain_of(build("resnet", (1, 44, 44), 4, {"width": 4, "depth": 1, "slope": 0.2})[1]) is None


@pytest.mark.parametrize("route", [CONVOLUTION, PRODUCT, UNSHUFFLED])
def test_routed_layers_take_part_by_their_own_maps(route: str) -> None:
    it = Played("colour", VALUES["relativistic"], "r1r2")
    expected = it.autograd.discriminator_gradients(it.x, it.fake, None, GAMMA, None)[1]
    it.D.set_submodule("layers.0", Routed(it.D.layers[0], Routes(route, route, route)))  # type: ignore[index, arg-type]
    closed = ClosedForm(it.networks, VALUES["relativistic"], PENALTIES["r1r2"], Chain(chain_of(it.D)), torch.float64)
    found = closed.discriminator_gradients(it.x, it.fake, None, GAMMA, None)[1]
    assert_close(list(found.values()), list(expected.values()), rtol=1e-9, atol=1e-12)


def test_the_octaves_jacobian_is_autograds() -> None:
    seen, x, g, v = Octaves(4).double(), *(normal(shape, 2, "J", i).double() for i, shape in enumerate(((5, 2), (5, 18), (5, 2))))
    h, along = torch.autograd.functional.jvp(seen, x, v)
    assert_close(seen.jvp(h, v), along)
    assert_close(seen.vjp(h, g), torch.autograd.functional.vjp(seen, x, g)[1])


@pytest.mark.parametrize("changed", [{"activation": "prelu"}, {"activation": "maxout"}, {"norm": "batch"}])
def test_a_generator_of_other_layers_has_no_passes(changed: dict[str, object]) -> None:
    assert perceptron_of(build("mlp", (2,), 4, {**POINTS, **changed})[0]) is None
    assert perceptron_of(build("mlp", (1, 8, 8), 4, POINTS)[0]) is None
    assert perceptron_of(nn.Linear(4, 2)) is None


@pytest.mark.parametrize("activation", ["tanh", "leaky_relu", "relu"])
def test_generator_passes_are_autograds_on_the_last_rows(activation: str) -> None:
    with torch.random.fork_rng():
        torch.manual_seed(1)
        G = build("mlp", (3,), 5, {**POINTS, "activation": activation})[0].double()
    for i, p in enumerate(G.parameters()):
        p.data += 0.1 * normal(tuple(p.shape), 5, "moved", i).double()
    steps = perceptron_of(G)
    assert steps is not None
    passes, z, delta = GeneratorPasses(steps), normal((9, 5), 2, "z").double(), normal((4, 3), 2, "x").double()
    x = G(z)
    assert_close(passes.forward(z), x)
    expected = torch.autograd.grad(x[5:], list(G.parameters()), delta)
    found = passes.gradients(delta)
    assert_close([found[p] for p in G.parameters()], list(expected))
