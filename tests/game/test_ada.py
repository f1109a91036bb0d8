"""Adaptive augmentation: its transformations by hand, its probability, and what neither it nor DiffAugment teaches G."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from zerosum.chance import normal, uniform
from zerosum.data.source import Data, open_data
from zerosum.errors import Refusal
from zerosum.game.ada import EVERY, GATES, MOST, NUMBERS, TARGET, WHOLE_WAY, ada, gated, strength
from zerosum.game.resample import mirrored, quarter_turned, resampled, sheared
from zerosum.play.config import Config, GameOptions, NetOptions, PlayerOptions, PriorOptions
from zerosum.training import launch

CONFIG = Config(
    game=GameOptions(augment="ada"), prior=PriorOptions(dim=4), net=NetOptions(kind="dcgan", width=4), batch=8, threads=1, device="cpu"
)


def closed(u: Tensor) -> Tensor:
    return gated(u, torch.zeros(()))


def only(gate: int, n: int = 20) -> Tensor:
    """Numbers that let one transformation pass."""
    u = closed(uniform((n, NUMBERS), 0, "u"))
    u[:, gate] = 0.0
    return u


def test_with_all_gates_closed_it_is_the_identity() -> None:
    x = normal((20, 3, 16, 12), 0, "x")
    assert_close(ada(x, closed(uniform((20, NUMBERS), 0, "u"))), x)


@pytest.mark.parametrize("gate", range(GATES))
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_each_transformation_changes_images_by_itself(gate: int, channels: int) -> None:
    x = normal((20, channels, 16, 16), 0, "x").clamp(-1, 1)
    seen = ada(x, only(gate))
    colour_alone = gate in (9, 10) and channels < 3  # Hue and saturation.
    assert bool((seen - x).abs().max() < 1e-5) == colour_alone
    if channels in (2, 4) and gate >= 6:
        assert torch.equal(seen[:, -1], x[:, -1])  # Colour leaves opacity alone.


def test_p_is_the_share_of_open_gates() -> None:
    u = gated(uniform((4000, NUMBERS), 0, "u"), torch.tensor(0.3))
    assert float((u[:, :GATES] < 1).float().mean()) == pytest.approx(0.3, abs=0.01)
    assert torch.equal(u[:, GATES:], uniform((4000, NUMBERS), 0, "u")[:, GATES:])


def test_geometry_by_hand() -> None:
    x = torch.arange(16.0).view(1, 1, 4, 4)
    one = torch.ones(1)
    assert torch.equal(mirrored(x, one > 0), x.flip(3))
    for k in range(4):
        assert torch.equal(quarter_turned(x, torch.tensor([k])), torch.rot90(x, k, (2, 3)))
    assert torch.equal(resampled(x, (one, one), (0 * one, 0 * one)), x)
    moved = resampled(x, (one, one), (one, -one))
    assert_close(moved[:, :, 1:, :-1], x[:, :, :-1, 1:])
    assert not moved[:, :, 0].any()
    assert torch.equal(sheared(x, 0 * one, 3), x)
    # The lines are 1.5 and .5 above and below the middle: shifted by 3, 1, -1, -3 pixels.
    turned = sheared(x, -2 * one, 3)
    assert_close(turned[0, 0, 0], torch.tensor([0.0, 0.0, 0.0, 0.0]).index_fill(0, torch.tensor([3]), x[0, 0, 0, 0].item()))
    assert_close(turned[0, 0, 1], torch.tensor([0.0, 4.0, 5.0, 6.0]))
    assert_close(sheared(x.transpose(2, 3), -2 * one, 2), turned.transpose(2, 3))


def test_shrinking_averages_and_keeps_the_mean() -> None:
    x = normal((1, 1, 32, 32), 0, "x")
    half = torch.full((1,), 0.5)
    small = resampled(x, (half, half), (0 * half, 0 * half))
    assert_close(small.sum() / x.sum(), torch.tensor(0.25), rtol=0.1, atol=0)
    assert not small[:, :, :6].any()


def test_p_follows_the_overfitting_of_D() -> None:
    zero, batch = torch.zeros(()), 50
    p, signs, count = zero, zero, zero
    for _ in range(EVERY - 1):
        p, signs, count = strength(p, signs, count, torch.tensor(1.0), batch)
    assert float(p) == 0
    p, signs, count = strength(p, signs, count, torch.tensor(1.0), batch)
    assert float(p) == pytest.approx(EVERY * batch / WHOLE_WAY)
    assert float(signs) == float(count) == 0
    for _ in range(2 * WHOLE_WAY // batch):
        p, signs, count = strength(p, signs, count, torch.tensor(1.0), batch)
    assert float(p) == pytest.approx(MOST)
    for _ in range(2 * WHOLE_WAY // batch):
        p, signs, count = strength(p, signs, count, torch.tensor(TARGET - 0.3), batch)
    assert float(p) == 0


@pytest.fixture(scope="module")
def dots() -> Data:
    """A bright square in the middle of a dark image, its brightness all that varies."""
    x = np.full((200, 8, 8), 20, np.uint8)
    x[:, 2:6, 2:6] = (150 + 100 * uniform((200, 1, 1), 0, "brightness").numpy()).astype(np.uint8)
    x[:, 0, 0] += np.arange(200, dtype=np.uint8) % 20  # No two are equal.
    return open_data(x)


@pytest.mark.parametrize("engine", ["auto", "eager"])
def test_a_run_with_it_resumes_exactly_in_mid_run(engine: str, dots: Data, tmp_path: Path) -> None:
    config = replace(CONFIG, engine=engine)  # type: ignore[arg-type]
    whole = launch.train(dots, tmp_path / "whole", config, samples=8 * 14)
    halves = launch.train(dots, tmp_path / "halves", config, samples=8 * 6)  # Between two changes of p.
    halves = launch.resume(halves.path, data=dots, samples=8 * 14)
    ends = [run.checkpoint() for run in (whole, halves)]
    states = [end.tensors("moments.safetensors", run.players().moments()) for end, run in zip(ends, (whole, halves), strict=True)]
    assert_close(states[0], states[1], rtol=0, atol=0)
    assert_close(*(run.players().weights() for run in (whole, halves)), rtol=0, atol=0)
    assert float(states[0]["augment.count"]) == 14 % EVERY
    assert whole.rows("signals")[-1]["augment_p"] == round(float(states[0]["augment.p"]), 4)


def test_a_game_without_a_boundary_cannot_drive_it(dots: Data, tmp_path: Path) -> None:
    config = replace(CONFIG, game=GameOptions(augment="ada", value="wasserstein", penalty="gp"))
    with pytest.raises(Refusal, match=r"use --game\.augment diffaugment"):
        launch.train(dots, tmp_path / "a", config, samples=8)


@pytest.mark.parametrize("augment", ["diffaugment", "ada"])
def test_nothing_leaks_into_samples(augment: str, dots: Data, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Samples are neither shifted nor cut out: the square is where it is in the data, and whole."""
    monkeypatch.setattr("zerosum.game.ada.WHOLE_WAY", 2_000)
    monkeypatch.setattr("zerosum.game.ada.TARGET", -1.0)  # p is at its most for most of the training, whatever D does.
    player = PlayerOptions(lr=3e-3, beta2=0.9)
    net = NetOptions(kind="mlp", width=64, depth=2)
    config = replace(CONFIG, game=GameOptions(augment=augment, gamma=0.05), net=net, d=player, g=player, batch=32, average=3000)
    run = launch.train(dots, tmp_path / "a", config, samples=32 * 900)
    x = run.sample(200).astype(np.float64)
    square = np.zeros((8, 8), bool)
    square[2:6, 2:6] = True
    inside, outside = x[:, square], x[:, ~square]
    assert np.mean(inside > 110) > 0.93  # A hole is mid-grey, 128, and what a shift brings in is dark or bright.
    assert np.mean(outside < 90) > 0.93
    assert inside.std(1).mean() < 50  # Whole: a square that is half moved or half cut out has a contrast of 50 to 90.
    if augment == "ada":
        assert run.rows("signals")[-1]["augment_p"] == MOST


def test_the_kept_probability_is_none_without_it(dots: Data, tmp_path: Path) -> None:
    run = launch.train(dots, tmp_path / "a", replace(CONFIG, game=GameOptions()), samples=8)
    assert "augment_p" not in run.rows("signals")[-1]
    assert not any(name.startswith("augment") for name in run.players().moments())
