"""Time to quality: how curves become ratios, and that the two references learn."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from PIL import Image

from zerosum.bench.curve_figure import draw
from zerosum.bench.dcgan import PublishedDCGAN
from zerosum.bench.quality import row_of, seconds_to
from zerosum.bench.tuned import TunedDCGAN
from zerosum.chance import normal
from zerosum.commands.bench import told

CURVES = {
    "published": [[(30.0, 90.0), (60.0, 40.0)], [(30.0, 80.0), (60.0, 50.0)]],
    "tuned": [[(15.0, 39.0), (60.0, 9.0)], [(15.0, 60.0), (30.0, 50.0)]],
    "zerosum": [[(2.0, 60.0), (4.0, 35.0)], [(2.0, 45.0), (4.0, 30.0)]],
}


def test_the_first_time_at_or_below_the_aim_counts() -> None:
    assert seconds_to(CURVES["tuned"][0], 39.0) == 15.0
    assert seconds_to(CURVES["tuned"][0], 10.0) == 60.0
    assert seconds_to(CURVES["tuned"][0], 1.0) is None
    # 39 to 9 in a factor four of time: halfway in the logarithms is twice the time.
    assert seconds_to(CURVES["tuned"][0], (39.0 * 9.0) ** 0.5) == 60.0
    assert seconds_to(CURVES["tuned"][0], (39.0 * 9.0) ** 0.5, between=True) == pytest.approx(30.0)
    assert seconds_to(CURVES["tuned"][0], 50.0, between=True) == 15.0


def test_ratios_are_medians_over_seeds_to_each_seeds_own_aim() -> None:
    row = row_of(CURVES, 1.0)
    assert row["seconds"] == {"zerosum": [4.0, 2.0], "published": [60.0, 60.0], "tuned": [15.0, 30.0]}
    assert row["ratio"] == pytest.approx((60 / 4 + 60 / 2) / 2)
    assert row["ratio_tuned"] == pytest.approx((15 / 4 + 30 / 2) / 2)
    assert "22.5 times as fast" in told(row)
    missed = row_of({**CURVES, "tuned": [[(60.0, 99.0)]] * 2}, 1.0)
    assert (missed["ratio_tuned"], missed["ratio"]) == (None, row["ratio"])
    assert "not reached by both" in told(missed)


def test_the_picture_shows_every_curve(tmp_path: Path) -> None:
    draw(row_of(CURVES, 1.0), tmp_path / "curve.png")
    colours = {colour for _, colour in Image.open(tmp_path / "curve.png").convert("RGB").getcolors(1 << 20) or []}
    assert {(0x8A, 0x8F, 0x98), (0xC4, 0x6A, 0x1B), (0x1C, 0x5F, 0xB8)} <= colours


@pytest.mark.parametrize("low", [False, True])
def test_the_tuned_reference_is_a_game_with_r1(low: bool) -> None:
    model, x = TunedDCGAN(32, 1, width=4, low=low), normal((8, 1, 32, 32), 0, "x").tanh()
    before = [p.clone() for net in (model.G, model.D, model.average) for p in net.parameters()]
    for _ in range(2):
        model.step(x.clone())
    after = [p for net in (model.G, model.D, model.average) for p in net.parameters()]
    assert all(not torch.equal(a, b) for a, b in zip(before, after, strict=True))
    assert all(p.dtype == torch.float32 and bool(torch.isfinite(p).all()) for p in after)
    assert model.sample(3).shape == PublishedDCGAN(32, 1, width=4).sample(3).shape == (3, 1, 32, 32)
