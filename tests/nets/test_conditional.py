"""Every row of NETS with class labels: what y changes, and what stays as it was without classes."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.testing import assert_close

from zerosum.chance import normal
from zerosum.nets import NETS, build, chain_of, perceptron_of
from zerosum.nets.conditioning import LEAST_EMBEDDING, conditional, takes_labels
from zerosum.nets.elastic import NUMBERS
from zerosum.nets.init import ClassProjection, fan_in

OPTIONS: dict[str, Any] = {
    "width": 8,
    "depth": 2,
    "hidden": 12,
    "refine": 1,
    "norm": "none",
    "activation": "leaky_relu",
    "slope": 0.2,
    "dropout": 0.0,
}
CLASSES = 5
DIM = 6
SHAPE = (1, 12, 12)
CASES = [(kind, {}) for kind in NETS] + [("mlp", {"octaves": 2}), ("dcgan", {"hidden": 0}), ("dcgan", {"norm": "batch"})]


def made(kind: str, shape: tuple[int, ...] = SHAPE, dim: int = DIM, classes: int = CLASSES, **options: Any) -> tuple[nn.Module, nn.Module]:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return build(kind, shape, dim, {**OPTIONS, **options}, classes)


def inputs(n: int, shape: tuple[int, ...] = SHAPE, dim: int = DIM) -> tuple[Tensor, Tensor, Tensor]:
    """z, x and y."""
    return normal((n, dim), 0, "z"), normal((n, *shape), 0, "x"), torch.arange(n) % CLASSES


@pytest.mark.parametrize("classes", [0, CLASSES])
@pytest.mark.parametrize(("kind", "options"), CASES)
def test_shapes_and_gradients(kind: str, options: dict[str, Any], classes: int) -> None:
    """Every parameter has a gradient, the embeddings too, and theirs is zero for classes that the batch does not have."""
    G, D = made(kind, classes=classes, **options)
    z, _, y = inputs(3)
    x = G(z, y)
    a = D(x, y)
    assert x.shape == (3, *SHAPE)
    assert a.shape == (3,)
    assert torch.isfinite(a).all()
    (a.square().sum()).backward()
    assert all(p.grad is not None for player in (G, D) for p in player.parameters())
    for player in (G, D):
        embedding = player.embedding
        assert (embedding is None) == (classes == 0)
        if embedding is not None:
            moved = embedding.weight.grad.abs().sum(1) > 0
            assert moved.tolist() == [True, True, True, False, False]


@pytest.mark.parametrize(("kind", "options"), CASES)
def test_another_class_gives_another_output(kind: str, options: dict[str, Any]) -> None:
    G, D = (player.eval() for player in made(kind, **options))
    z, x, _ = inputs(1)
    of_g, of_d = ([player(v, torch.tensor([c])) for c in range(CLASSES)] for player, v in ((G, z), (D, x)))
    for outputs in (of_g, of_d):
        largest = max(float(output.detach().abs().max()) for output in outputs)
        apart = [float((outputs[i] - outputs[j]).detach().abs().max()) for i in range(CLASSES) for j in range(i)]
        assert min(apart) > 1e-3 * largest


@pytest.mark.parametrize(("kind", "options"), CASES)
def test_the_order_of_a_batch_is_the_order_of_the_outputs(kind: str, options: dict[str, Any]) -> None:
    G, D = (player.eval() for player in made(kind, **options))
    z, x, y = inputs(7)
    order = torch.tensor([3, 0, 6, 5, 1, 4, 2])
    assert_close(G(z, y)[order], G(z[order], y[order]), rtol=1e-4, atol=1e-5)
    assert_close(D(x, y)[order], D(x[order], y[order]), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("kind", "options"), CASES)
def test_without_classes_there_is_nothing_of_classes(kind: str, options: dict[str, Any]) -> None:
    """The same names, initial weights and generator state as without the keyword, and y is not looked at."""
    states = []
    for classes in ((), (0,)):
        with torch.random.fork_rng():
            torch.manual_seed(0)
            states.append((build(kind, SHAPE, DIM, {**OPTIONS, **options}, *classes), torch.get_rng_state()))
    (before, drawn), (after, drawn_too) = states
    assert_close(drawn, drawn_too)
    for one, other in zip(before, after, strict=True):
        assert [*one.state_dict()] == [*other.state_dict()]
        assert not any("embedding" in name for name in other.state_dict())
        assert_close(one.state_dict(), other.state_dict(), rtol=0, atol=0)
    z, x, y = inputs(3)
    for player, v in zip(after, (z, x), strict=True):
        player.eval()
        assert_close(player(v, y), player(v), rtol=0, atol=0)


@pytest.mark.parametrize(("kind", "options"), CASES)
def test_a_conditional_net_is_the_other_with_an_embedding(kind: str, options: dict[str, Any]) -> None:
    """So a checkpoint's names are those of the unconditional nets, and `embedding.weight`."""
    for plain, player in zip(made(kind, classes=0, **options), made(kind, **options), strict=True):
        assert {*player.state_dict()} - {*plain.state_dict()} == {"embedding.weight"}
        assert {*plain.state_dict()} <= {*player.state_dict()}


@pytest.mark.parametrize(("kind", "options"), CASES)
def test_a_conditional_net_needs_y(kind: str, options: dict[str, Any]) -> None:
    G, D = made(kind, **options)
    z, x, _ = inputs(2)
    for player, v in ((G, z), (D, x)):
        with pytest.raises(ValueError, match=r"^This net is conditional: call it with y, [^.]*\.$"):
            player(v)


@pytest.mark.parametrize(("kind", "options"), CASES)
def test_d_adds_a_projection_of_the_features_that_its_head_reads(kind: str, options: dict[str, Any]) -> None:
    """Miyato and Koyama 2018, eq. 3, with h taken from the head's input."""
    _, D = made(kind, **options)
    D.eval()
    _, x, y = inputs(4)
    head = D.body.head if kind == "mlp" else D.head
    read: list[Tensor] = []
    hook = head.register_forward_pre_hook(lambda layer, args: read.append(args[0]))
    logits = D(x, y)
    hook.remove()
    (h,) = read
    assert_close(logits, head(h)[:, 0] + torch.einsum("nf,nf->n", D.embedding(y), h))
    assert D.embedding.embedding_dim == head.in_features


@pytest.mark.parametrize(("kind", "options"), CASES)
def test_labels_keep_the_variance_at_initialisation(kind: str, options: dict[str, Any]) -> None:
    """Of images, within a factor of two for a small batch; of logits, by the weights that are multiplied with the same features."""
    shape, n, width = (3, 32, 32), 200, 200 if kind == "mlp" else 32
    (G, D), (labelled_G, labelled_D) = (made(kind, shape, 40, c, **{"width": width, "hidden": 200, **options}) for c in (0, CLASSES))
    z, _, y = inputs(n, shape, dim=40)
    with torch.no_grad():
        assert 0.5 < float(labelled_G(z, y).std() / G(z).std()) < 2
        of_head, plain = ((player.body.head if kind == "mlp" else player.head).weight.var() for player in (labelled_D, D))
        of_projection = labelled_D.embedding.weight.var()
        assert 0.5 < float((of_head + of_projection) / plain) < 2
        assert 0.5 < float(of_head / of_projection) < 2


def test_class_and_noise_have_equal_shares_in_g() -> None:
    G, _ = made("mlp", (2,), dim=64)
    assert G.embedding.weight.shape == (CLASSES, 64)
    assert_close(float(G.embedding.weight.detach().std()), 1.0, rtol=0.2, atol=0)
    short, _ = made("mlp", (2,), dim=2)
    assert short.embedding.weight.shape == (CLASSES, LEAST_EMBEDDING)


def test_fan_in_of_embeddings() -> None:
    """One that is looked up passes a single number on; D's is multiplied with all features, as its head is, and may move as fast."""
    assert fan_in(nn.Embedding(7, 30)) == 1
    assert fan_in(ClassProjection(7, 30)) == 30
    for kind, options in CASES:
        G, D = made(kind, **options)
        head = D.body.head if kind == "mlp" else D.head
        assert fan_in(D.embedding) == fan_in(head)
        assert fan_in(G.embedding) == 1


@pytest.mark.parametrize(("kind", "options"), CASES)
def test_nets_on_the_meta_device_have_the_same_shapes(kind: str, options: dict[str, Any]) -> None:
    with torch.device("meta"):
        there = build(kind, SHAPE, DIM, {**OPTIONS, **options}, CLASSES)
    for player, mine in zip(there, made(kind, **options), strict=True):
        assert {n: t.shape for n, t in player.state_dict().items()} == {n: t.shape for n, t in mine.state_dict().items()}
        assert all(p.is_meta for p in player.parameters())


def test_the_engine_is_told_what_it_may_compute_itself() -> None:
    """D's chain ends at the head: the projection beside it is the attribute `embedding`. A conditional G is left to autograd."""
    for kind in NETS:
        (_, plain), (_, labelled) = made(kind, classes=0), made(kind)
        lengths = [None if (chain := chain_of(D)) is None else len(chain) for D in (plain, labelled)]
        assert lengths[0] == lengths[1]
        assert lengths[0] is not None or kind not in ("mlp", "dcgan", "resnet")
    assert perceptron_of(made("mlp", (2,), classes=0)[0]) is not None
    assert perceptron_of(made("mlp", (2,))[0]) is None


# -- G in evaluation mode ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("classes", [0, CLASSES])
@pytest.mark.parametrize("kind", NETS)
def test_without_batch_norm_evaluation_mode_changes_nothing(kind: str, classes: int) -> None:
    elastic = {"elastic": 1.0} if "elastic" in NETS[kind].options else {}
    G, D = made(kind, dim=DIM + NUMBERS, classes=classes, **elastic)
    z, x, y = inputs(3, dim=DIM + NUMBERS)
    for player, v in ((G, z), (D, x)):
        assert_close(player.train()(v, y), player.eval()(v, y), rtol=0, atol=0)


# -- whether there are labels -----------------------------------------------------------------------------------------------


class Labelled(nn.Module):
    def forward(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        return x


class Otherwise(nn.Module):
    def forward(self, x: Tensor, scale: float = 1.0) -> Tensor:
        return scale * x


def test_a_persons_own_module_takes_labels_where_it_says_so() -> None:
    assert takes_labels(Labelled())
    assert not takes_labels(Otherwise())
    assert not takes_labels(nn.Sequential(nn.Linear(2, 1)))
    for kind in NETS:
        assert all(takes_labels(player) for classes in (0, CLASSES) for player in made(kind, classes=classes))


def test_a_run_is_conditional_where_it_is_asked_for_and_the_data_have_classes() -> None:
    assert conditional("auto", ("cat", "dog")) == 2
    assert conditional("auto", ()) == 0
    assert conditional("none", ("cat", "dog")) == 0
