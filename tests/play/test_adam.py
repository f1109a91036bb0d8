"""Our step of Adam is torch's, to the bit, and so is what it keeps; where an update is forbidden, nothing moves."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.testing import assert_close

from zerosum.chance import normal
from zerosum.play.adam import Adam


def _weights() -> list[Tensor]:
    """Two of float32, one of float64, one that gets no gradient."""
    shapes: list[tuple[int, ...]] = [(5, 3), (4,), (2, 2), (3,)]
    drawn = [normal(shape, 1, "weights", i) for i, shape in enumerate(shapes)]
    drawn[2] = drawn[2].double()
    return [nn.Parameter(w) for w in drawn]


def _groups(weights: list[Tensor]) -> list[dict[str, object]]:
    return [{"params": weights[:1], "lr": 3e-2}, {"params": weights[1:]}]


def test_it_is_torchs_fused_adam() -> None:
    mine, theirs = _weights(), _weights()
    ours = Adam(_groups(mine), lr=1e-2, betas=(0.0, 0.9))
    plain = torch.optim.Adam(_groups(theirs), lr=1e-2, betas=(0.0, 0.9), fused=True)
    for t in range(4):
        for a, b in zip(mine[:3], theirs[:3], strict=True):
            a.grad = normal(tuple(a.shape), 2, "gradient", t).to(a.dtype)
            b.grad = a.grad.clone()
        ours.step()
        plain.step()
        assert_close(mine, theirs, rtol=0, atol=0)
    assert mine[3] not in ours.state
    for a, b in zip(mine[:3], theirs[:3], strict=True):
        assert_close(ours.state[a], plain.state[b], rtol=0, atol=0)


def test_where_something_was_not_finite_nothing_moves() -> None:
    weights = _weights()
    optimiser = Adam(_groups(weights), lr=1e-2, betas=(0.5, 0.9))
    for p in weights:
        p.grad = torch.ones_like(p)
    optimiser.step()
    before = [p.detach().clone() for p in weights]
    optimiser.found_inf = torch.ones(())
    optimiser.step()
    assert_close([p.detach() for p in weights], before, rtol=0, atol=0)
    assert {float(state["step"]) for state in optimiser.state.values()} == {1.0}
