"""Muon: the orthogonal factor against the singular value decomposition, its scale, and Adam beside it."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.testing import assert_close

from zerosum.chance import normal
from zerosum.play.adam import Adam
from zerosum.play.muon import Muon, is_matrix, whitener


def orthogonal(G: Tensor) -> Tensor:
    return whitener(G @ G.T) @ G if G.shape[0] <= G.shape[1] else G @ whitener(G.T @ G)


@pytest.mark.parametrize("shape", [(6, 40), (40, 6), (7, 7)])
def test_singular_vectors_stay_and_singular_values_become_one(shape: tuple[int, int]) -> None:
    G = normal(shape, 0, "G").double()
    U, _, Vh = torch.linalg.svd(G, full_matrices=False)
    inner = U.T @ orthogonal(G) @ Vh.T
    assert_close(inner, torch.diag(inner.diagonal()), rtol=0, atol=1e-9)
    # The polynomial's own range: Jordan et al. 2024.
    assert_close(inner.diagonal(), torch.full_like(inner.diagonal(), 0.94), rtol=0, atol=0.27)


def test_it_is_blind_to_scale_and_turns_with_the_gradient() -> None:
    G = normal((5, 9), 1, "G").double()
    Q = torch.linalg.qr(normal((5, 5), 1, "Q").double())[0]
    assert_close(orthogonal(1e4 * G), orthogonal(G))
    assert_close(orthogonal(Q @ G), Q @ orthogonal(G))


def _stepped(net: nn.Module, gradients: list[Tensor], optimiser: torch.optim.Optimizer) -> list[Tensor]:
    before = [p.detach().clone() for p in net.parameters()]
    for p, g in zip(net.parameters(), gradients, strict=True):
        p.grad = g.clone()
    optimiser.step()
    return [p.detach() - b for p, b in zip(net.parameters(), before, strict=True)]


def _net() -> tuple[nn.Module, list[Tensor]]:
    net = nn.Sequential(nn.Conv2d(2, 4, 3), nn.Flatten(), nn.Linear(16, 3), nn.Linear(3, 16), nn.Linear(16, 1))
    for i, p in enumerate(net.parameters()):
        p.data = normal(tuple(p.shape), 2, "w", i)
    return net, [normal(tuple(p.shape), 3, "g", i) for i, p in enumerate(net.parameters())]


def test_a_matrix_moves_by_the_rate_against_the_gradient() -> None:
    net, gradients = _net()
    moved = _stepped(net, gradients, Muon([{"params": list(net.parameters())}], lr=0.01, betas=(0.0, 0.9)))
    for i in (0, 2, 4):  # a convolution, a wide and a tall matrix
        factor = orthogonal(gradients[i].flatten(1))
        assert_close(moved[i].square().mean().sqrt(), torch.tensor(0.01))
        assert_close(moved[i].flatten(1), -factor * 0.01 / factor.square().mean().sqrt())


def test_biases_and_single_rows_move_as_adam_moves_them() -> None:
    net, gradients = _net()
    twin, _ = _net()
    muon = Muon([{"params": list(net.parameters())}], lr=0.01, betas=(0.5, 0.9))
    adam = torch.optim.Adam(twin.parameters(), lr=0.01, betas=(0.5, 0.9), fused=True)
    for _ in range(3):
        moved, expected = _stepped(net, gradients, muon), _stepped(twin, gradients, adam)
        rest = [1, 3, 5, 6, 7]
        assert_close([moved[i] for i in rest], [expected[i] for i in rest])
    assert [is_matrix(p) for p in net.parameters()] == [True, False, True, False, True, False, False, False]


def test_momentum_is_the_gradients_mean() -> None:
    net, gradients = _net()
    muon = Muon([{"params": list(net.parameters())}], lr=0.01, betas=(0.75, 0.9))
    for _ in range(2):
        _stepped(net, gradients, muon)
    assert_close(muon.state[net[0].weight]["exp_avg"], (1 - 0.75**2) * gradients[0])  # type: ignore[index]


def test_no_update_follows_a_number_that_is_not_finite() -> None:
    net, gradients = _net()
    muon = Muon([{"params": list(net.parameters())}], lr=0.01, betas=(0.5, 0.9))
    _stepped(net, gradients, muon)
    muon.found_inf = torch.ones(())
    gradients[0][0, 0, 0, 0] = float("nan")
    for moved in _stepped(net, gradients, muon):
        assert_close(moved, torch.zeros_like(moved), rtol=0, atol=0)
    assert torch.isfinite(muon.state[net[0].weight]["exp_avg"]).all()  # type: ignore[index]


@pytest.mark.parametrize("table", [True, False])
def test_a_table_of_embeddings_is_updated_as_adam_updates_it(table: bool) -> None:
    """Its rows are classes, which have nothing to do with one another: each is scaled by its own gradients."""
    weights = [normal((4, 6), 1, "w").requires_grad_() for _ in range(2)]
    gradient = normal((4, 6), 2, "g")
    gradient[1] = 0
    muon, adam = (
        Muon([{"params": weights[:1], "share": 1.0, "table": table}], lr=0.1, betas=(0.0, 0.9)),
        Adam([{"params": weights[1:]}], lr=0.1, betas=(0.0, 0.9)),
    )
    for optimiser, weight in ((muon, weights[0]), (adam, weights[1])):
        weight.grad = gradient.clone()
        optimiser.step()
    assert torch.equal(weights[0], weights[1]) is table
