"""Augmentation in training: exact resume, another game than without it, images alone; and what the published ones do to single pixels."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch.testing import assert_close

from zerosum.chance import normal, uniform
from zerosum.data.source import open_data
from zerosum.errors import Refusal
from zerosum.game.augment import colour, cutout, translation
from zerosum.play.config import Config, GameOptions, NetOptions, PriorOptions
from zerosum.training import launch

CONFIG = Config(
    game=GameOptions(augment="diffaugment"),
    prior=PriorOptions(dim=4),
    net=NetOptions(kind="dcgan", width=4),
    batch=8,
    threads=1,
    device="cpu",
)


def test_colour_by_hand() -> None:
    x = torch.tensor([[0.2, -0.4, 0.5]]).view(1, 3, 1, 1)
    bright, saturation, contrast = 0.9 - 0.5, 2 * 0.3, 0.7 + 0.5
    lighter = x + bright
    mean = lighter.mean()
    expected = ((lighter - mean) * saturation) * contrast + mean
    assert_close(colour(x, torch.tensor([[0.9, 0.3, 0.7]])), expected)
    assert_close(colour(x, torch.full((1, 3), 0.5)), x)  # The middle of each range is the identity.


def test_colour_leaves_opacity_alone() -> None:
    x, u = normal((4, 4, 6, 6), 0, "x"), uniform((4, 3), 0, "u")
    assert torch.equal(colour(x, u)[:, 3], x[:, 3])
    assert_close(colour(x, u)[:, :3], colour(x[:, :3], u))


def test_all_places_are_equally_likely() -> None:
    """Over many numbers, each pixel far from the border is moved over and cut out as often as any other."""
    n = 20_000
    kept = cutout(torch.ones(n, 1, 8, 8), uniform((n, 2), 0, "u")).mean((0, 1))
    assert_close(kept, kept.flip(0), rtol=0, atol=0.02)
    assert_close(kept, kept.flip(1), rtol=0, atol=0.02)
    moved = translation(torch.ones(n, 1, 16, 16), uniform((n, 2), 1, "u")).mean((0, 1))
    assert_close(moved, moved.flip(0), rtol=0, atol=0.02)
    assert_close(moved, moved.T, rtol=0, atol=0.02)


def test_an_augmented_run_resumes_exactly_and_differs_from_a_plain_one(tmp_path: Path) -> None:
    data = open_data((normal((60, 16, 16, 3), 0, "pixels") * 40 + 128).clamp(0, 255).byte().numpy())
    whole = launch.train(data, tmp_path / "whole", CONFIG, samples=8 * 6)
    halves = launch.train(data, tmp_path / "halves", CONFIG, samples=8 * 3)
    halves = launch.resume(halves.path, data=data, samples=8 * 6)
    plain = launch.train(data, tmp_path / "plain", replace(CONFIG, game=GameOptions()), samples=8 * 6)
    ends = [run.players().weights() for run in (whole, halves, plain)]
    assert_close(ends[0], ends[1], rtol=0, atol=0)
    assert not torch.equal(ends[0]["D.head.weight"], ends[2]["D.head.weight"])


def test_points_are_not_augmented_as_images(tmp_path: Path) -> None:
    config = replace(CONFIG, net=NetOptions(width=8))
    with pytest.raises(Refusal, match=r"transforms images, and ring8 contains points: use --game\.augment none"):
        launch.train(open_data("ring8"), tmp_path / "a", config, samples=64)
    assert not (tmp_path / "a").exists()
