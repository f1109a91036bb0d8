"""Every row of NETS: shapes, initialisation, gradients; displacements; and the EMA of G."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from zerosum.chance import normal
from zerosum.errors import Refusal
from zerosum.nets import NETS, build, displacement_numbers
from zerosum.nets.elastic import NUMBERS, widened
from zerosum.nets.ema import EMA, decay
from zerosum.nets.mlp import ACTIVATIONS, LONGEST_WAVELENGTH, Maxout, Octaves
from zerosum.nets.resolutions import resolutions

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
SIZES = [(1, 8, 8), (3, 9, 17), (1, 28, 28), (4, 32, 24), (2, 31, 31), (3, 64, 64)]


def made(kind: str, shape: tuple[int, ...], **options: Any) -> tuple[nn.Module, nn.Module]:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return build(kind, shape, 6, {**OPTIONS, **options})


CASES = [(kind, shape) for kind, row in NETS.items() for shape in [*SIZES, (1,), (5,), (7, 3)] if len(shape) in row.ranks]


@pytest.mark.parametrize(("kind", "shape"), CASES)
def test_any_size_from_eight_up_and_one_to_four_channels(kind: str, shape: tuple[int, ...]) -> None:
    G, D = made(kind, shape)
    x = G(normal((3, 6), 0, "z"))
    assert x.shape == (3, *shape)
    a = D(x)
    assert a.shape == (3,)
    assert torch.isfinite(a).all()
    gradients = torch.autograd.grad(a.sum(), [*G.parameters(), *D.parameters()], allow_unused=True)
    assert all(g is not None for g in gradients)


@pytest.mark.parametrize("kind", [k for k, row in NETS.items() if 1 not in row.ranks])
def test_convolutions_refuse_points_and_tiny_images(kind: str) -> None:
    with pytest.raises(Refusal, match="mlp"):
        made(kind, (2,))
    with pytest.raises(Refusal, match="8 pixels"):
        made(kind, (1, 7, 30))


@pytest.mark.parametrize("kind", NETS)
def test_initialisation_keeps_the_signal(kind: str) -> None:
    """Without normalisation, neither images nor logits vanish or explode at initialisation."""
    shape = (3, 32, 32)
    G, D = made(kind, shape, width=32)
    with torch.no_grad():
        x, a = G(normal((64, 6), 0, "z")), D(normal((64, *shape), 0, "x"))
    assert 0.05 < float(x.std()) < 20
    assert 0.05 < float(a.std()) < 20


@pytest.mark.parametrize("kind", NETS)
def test_without_batch_norm_a_sample_depends_on_no_other(kind: str) -> None:
    G, D = made(kind, (1, 16, 16))
    z = normal((5, 6), 0, "z")
    assert_close(G(z)[2:3], G(z[2:3]), rtol=1e-4, atol=1e-5)
    x = normal((5, 1, 16, 16), 0, "x")
    assert_close(D(x)[2:3], D(x[2:3]), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("norm", ["none", "batch"])
def test_every_activation_of_the_perceptron(activation: str, norm: str) -> None:
    G, D = made("mlp", (2,), activation=activation, norm=norm, dropout=0.3)
    a = D(G(normal((8, 6), 0, "z")))
    assert torch.isfinite(a).all()
    assert any(isinstance(m, nn.Dropout) for m in D.modules())
    assert not any(isinstance(m, nn.Dropout) for m in G.modules())


def test_maxout_takes_the_largest_piece() -> None:
    assert_close(Maxout()(torch.tensor([[1.0, -2.0, 0.5, 3.0]])), torch.tensor([[1.0, 3.0]]))


def test_each_octave_is_twice_as_fast_as_the_one_before() -> None:
    """sin 2p = 2 sin p cos p and cos 2p = 1 - 2 sin^2 p from one octave to the next; the first has the period LONGEST_WAVELENGTH."""
    x = normal((50, 2), 0, "x").double()
    seen = Octaves(4).double()
    y = seen(x)
    assert y.shape == (50, 2 * 9)
    assert_close(y[:, :2], x)
    sin, cos = y[:, 2:].reshape(50, 2, 2, 4).unbind(1)
    assert_close(sin[..., 1:], 2 * sin[..., :-1] * cos[..., :-1], rtol=1e-6, atol=1e-6)
    assert_close(cos[..., 1:], 1 - 2 * sin[..., :-1] ** 2, rtol=1e-6, atol=1e-6)
    assert_close(seen(x + LONGEST_WAVELENGTH)[:, 2:], y[:, 2:], rtol=1e-4, atol=1e-4)
    assert_close(sin[..., 0], torch.sin(2 * torch.pi * x / LONGEST_WAVELENGTH), rtol=1e-6, atol=1e-6)


def test_octaves_are_ds_and_depth_and_activation_may_be_gs_own() -> None:
    G, D = made("mlp", (2,), octaves=5, activation_g="tanh", depth_g=4)
    assert [sum(isinstance(m, nn.Linear) for m in player.modules()) for player in (G, D)] == [5, 3]
    assert any(isinstance(m, nn.Tanh) for m in G.modules())
    assert not any(isinstance(m, nn.Tanh) for m in D.modules())
    assert [any(isinstance(m, Octaves) for m in player.modules()) for player in (G, D)] == [False, True]
    first = next(m for m in D.modules() if isinstance(m, nn.Linear))
    assert first.in_features == 2 * 11


@pytest.mark.parametrize("shape", SIZES)
def test_the_last_numbers_of_z_displace_what_dcgan_draws(shape: tuple[int, ...]) -> None:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        G, _ = build("dcgan", shape, 6 + NUMBERS, {**OPTIONS, "elastic": 2.0})
    still, moved = normal((3, 6 + NUMBERS), 0, "z"), normal((3, 6 + NUMBERS), 0, "z")
    still[:, 6:] = 0
    plain = made("dcgan", shape)[0]  # The same initial weights: displacements have none.
    assert_close(G(still), plain(still[:, :6]))
    assert G(moved).shape == (3, *shape)
    assert float((G(moved) - G(still)).abs().mean().detach()) > 1e-3


@pytest.mark.parametrize("factor", [1.25, 0.5, 3.0])
def test_displacements_are_linear_in_their_numbers_of_z(factor: float) -> None:
    """So samples are displaced more widely by widening these numbers, and G stays as it is: the difference is one of rounding."""
    ends = []
    for elastic, by_z in ((factor, 1.0), (1.0, factor)):
        with torch.random.fork_rng():
            torch.manual_seed(0)
            G, _ = build("dcgan", (1, 28, 28), 6 + NUMBERS, {**OPTIONS, "elastic": elastic})
        ends.append(G(widened(normal((3, 6 + NUMBERS), 0, "z"), displacement_numbers(G), by_z)))
    assert_close(*ends, rtol=1e-4, atol=1e-5)


def test_only_what_displaces_is_widened() -> None:
    z = normal((3, 6 + NUMBERS), 0, "z")
    wide = widened(z, NUMBERS, 2.0)
    assert_close(wide[:, :6], z[:, :6], rtol=0, atol=0)
    assert_close(wide[:, 6:], 2 * z[:, 6:], rtol=0, atol=0)
    assert widened(z, 0, 2.0) is z
    assert widened(z, NUMBERS, 1.0) is z
    for kind in NETS:
        assert displacement_numbers(made(kind, (1, 28, 28))[0]) == 0
    assert displacement_numbers(nn.Linear(2, 2)) == 0


def test_displacements_leave_numbers_for_the_rest() -> None:
    with pytest.raises(Refusal, match=f"--net.elastic takes {NUMBERS} numbers of z, and --prior.dim {NUMBERS} leaves none"):
        build("dcgan", (1, 8, 8), NUMBERS, {**OPTIONS, "elastic": 1.0})


def test_dcgan_is_the_published_net() -> None:
    """Radford et al. 2015, figure 1 and section 3: 512 to 64 channels from 4 x 4; BatchNorm not at G's output nor D's input; tanh."""
    G, D = build("dcgan", (3, 64, 64), 100, {**OPTIONS, "width": 64, "hidden": 0, "refine": 0, "norm": "batch"})
    ups = [m for m in G.modules() if isinstance(m, nn.ConvTranspose2d)]
    downs = [m for m in D.modules() if isinstance(m, nn.Conv2d)]
    assert [(m.in_channels, m.out_channels) for m in ups] == [(512, 256), (256, 128), (128, 64), (64, 3)]
    assert [(m.in_channels, m.out_channels) for m in downs] == [(3, 64), (64, 128), (128, 256), (256, 512)]
    assert sum(isinstance(m, nn.BatchNorm2d) for m in G.modules()) == 4
    assert sum(isinstance(m, nn.BatchNorm2d) for m in D.modules()) == 3
    with torch.no_grad():
        x = G(normal((4, 100), 0, "z"))
    assert float(x.abs().max()) <= 1
    assert_close(ups[0].weight.std(), torch.tensor(0.02), rtol=0.05, atol=0)


def test_a_residual_branch_begins_at_zero() -> None:
    _, D = made("resnet", (1, 16, 16))
    for block in D.blocks:  # type: ignore[union-attr]
        x = normal((2, block[0].first.in_channels, 4, 4), 0, "x")
        assert_close(block(x), x)


@pytest.mark.parametrize("size", [(8, 8), (64, 64), (28, 28), (48, 64), (100, 9)])
def test_resolutions_end_between_four_and_seven(size: tuple[int, int]) -> None:
    sizes = resolutions(*size)
    assert sizes[0] == size
    assert 4 <= min(sizes[-1]) <= 7


class TestEMA:
    def test_half_life_is_in_samples(self) -> None:
        assert_close(decay(500, 1000, 10**9) ** 2, 0.5)
        assert decay(500, 0, 10**9) == 0
        assert_close(decay(10, 1000, 200), 0.5)  # At 200 samples seen the half-life is 10.

    def test_it_follows_parameters_and_running_statistics(self) -> None:
        G = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))
        ema = EMA(G)
        before = [p.clone() for p in ema.module.parameters()]
        G(normal((9, 2), 0, "z"))
        with torch.no_grad():
            for p in G.parameters():
                p.add_(1.0)
        ema.update(0.75)
        for p, old in zip(ema.module.parameters(), before, strict=True):
            assert_close(p, old + 0.25)
        assert_close(ema.module[1].running_mean, 0.25 * G[1].running_mean)
        assert_close(ema.module[1].num_batches_tracked, G[1].num_batches_tracked)
        assert not ema.module.training

    def test_without_a_half_life_it_is_g(self) -> None:
        G = nn.Linear(2, 3)
        ema = EMA(G)
        with torch.no_grad():
            G.weight.add_(1.0)
        ema.update(decay(10, 0, 100))
        assert_close(ema.module.weight, G.weight, rtol=0, atol=0)
