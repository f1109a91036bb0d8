"""Samples of a run in bf16: which runs have them, how far they are from float32's, and that they depend on their number alone."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from zerosum.data.space import images
from zerosum.play.config import Config, NetOptions, PriorOptions
from zerosum.play.players import Players
from zerosum.runs import sampling
from zerosum.runs.sampling import BLOCK, draw_samples, quick

SHAPE = (1, 12, 12)
DCGAN = Config(prior=PriorOptions(dim=6), net=NetOptions(kind="dcgan", width=8, hidden=12))
TWIN = {"engine": "bf16_copy", "routes": "g.layers.1:up d.layers.0:down"}


def average(config: Config = DCGAN) -> nn.Module:
    return Players(config, images(SHAPE), torch.device("cpu")).ema.module


@pytest.mark.parametrize("norm", ["none", "batch"])
def test_a_run_played_in_bf16_is_sampled_in_it(norm: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sampling, "has_bf16_unit", lambda: True)
    G = average(replace(DCGAN, net=replace(DCGAN.net, norm=norm)))
    low = quick(G, TWIN)
    assert {p.dtype for p in G.parameters()} == {torch.float32}
    n = BLOCK + 3
    exact, found = (draw_samples(module, DCGAN.prior, images(SHAPE), n, 5) for module in (G, low))
    apart = (exact.float() - found.float()).abs()
    assert 0 < apart.mean() < 0.5  # grey levels
    assert apart.max() <= 4
    for part in (1, 40, BLOCK):
        assert_close(draw_samples(low, DCGAN.prior, images(SHAPE), part, 5), found[:part], rtol=0, atol=0)


def test_else_the_average_is_sampled_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sampling, "has_bf16_unit", lambda: True)
    G = average()
    assert quick(G, {"engine": "eager"}) is G
    other = nn.Sequential(nn.Linear(6, 144), nn.PReLU(), nn.Unflatten(1, SHAPE))
    assert quick(other, TWIN) is other
    monkeypatch.setattr(sampling, "has_bf16_unit", lambda: False)
    assert quick(G, TWIN) is G
