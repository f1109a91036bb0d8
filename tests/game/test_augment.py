"""Augmentations: their closed forms, what they leave alone, and the game that is played through them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from zerosum.chance import normal, uniform
from zerosum.data.source import open_data
from zerosum.errors import Refusal
from zerosum.game.augment import AUGMENTATIONS, HOLE, SHIFT, Augmentation, colour, cutout, translation
from zerosum.play.config import Config, GameOptions, NetOptions, PriorOptions
from zerosum.training import launch

ROWS = {name: row for name, row in AUGMENTATIONS.items() if row is not None}
CONFIG = Config(
    game=GameOptions(augment="diffaugment"),
    prior=PriorOptions(dim=4),
    net=NetOptions(kind="dcgan", width=4),
    batch=8,
    threads=1,
    device="cpu",
)


def samples(row: Augmentation, channels: int = 3) -> tuple[Tensor, Tensor]:
    shape = (channels, 16, 12) if row.axes == 3 else (5,)
    return normal((20, *shape), 0, "x").clamp(-1, 1), uniform((20, row.numbers), 0, "u")


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("name", ROWS)
def test_each_sample_is_transformed_by_its_own_numbers(name: str, channels: int) -> None:
    x, u = samples(ROWS[name], channels)
    whole = ROWS[name].transform(x, u)
    assert whole.shape == x.shape
    assert_close(torch.cat([ROWS[name].transform(x[i : i + 1], u[i : i + 1]) for i in range(len(x))]), whole)
    assert not torch.equal(ROWS[name].transform(x, u.flip(0)), whole)


@pytest.mark.parametrize("name", ROWS)
def test_gradients_reach_the_samples(name: str) -> None:
    x, u = (t.double()[:3] for t in samples(ROWS[name]))
    assert torch.autograd.gradcheck(lambda x: ROWS[name].transform(x, u), x.requires_grad_())


@pytest.mark.parametrize("name", ROWS)
def test_each_has_a_source(name: str) -> None:
    assert ROWS[name].source
    assert ROWS[name].numbers > 0


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


def test_translation_moves_by_whole_pixels_and_fills_with_grey() -> None:
    x = normal((1, 1, 16, 16), 0, "x")
    down, right = 1, -2  # of 2 SHIFT 16 + 1 = 5 equally likely places each
    assert round(SHIFT * 16) == 2
    u = torch.tensor([[(down + 2 + 0.5) / 5, (right + 2 + 0.5) / 5]])
    moved = translation(x, u)
    assert_close(moved[:, :, 1:, :-2], x[:, :, :-1, 2:])
    assert not moved[:, :, 0].any()
    assert not moved[..., -2:].any()
    assert_close(translation(x, torch.full((1, 2), 0.5)), x)


def test_cutout_empties_a_rectangle_alone() -> None:
    x = torch.ones(1, 1, 16, 12)
    emptied = cutout(x, torch.tensor([[0.5, 0.5]]))
    assert float((emptied == 0).sum()) == round(HOLE * 16) * round(HOLE * 12)
    assert not emptied[0, 0, 4:12, 3:9].any()
    assert set(emptied.unique(sorted=True).tolist()) == {0.0, 1.0}  # type: ignore[no-untyped-call]


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


@pytest.mark.parametrize("name", ROWS)
def test_a_transformation_leaves_its_input_as_it_is(name: str) -> None:
    x, u = samples(ROWS[name])
    before = x.clone(), u.clone()
    ROWS[name].transform(x, u)
    assert torch.equal(x, before[0])
    assert torch.equal(u, before[1])


def test_one_number_a_sample_is_a_column_as_several_are(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A transformation gets u (N, numbers) for any number of them."""
    shapes = []

    def scaled(x: Tensor, u: Tensor) -> Tensor:
        shapes.append((len(x), tuple(u.shape)))
        return x * (0.5 + u)

    monkeypatch.setitem(AUGMENTATIONS, "scaled", Augmentation(scaled, numbers=1, axes=1, source="for this test"))
    config = replace(CONFIG, game=GameOptions(augment="scaled"), net=NetOptions(width=8))
    launch.train(open_data("ring8"), tmp_path / "a", config, samples=64)
    assert {(n, shape) for n, shape in shapes} == {(8, (8, 1))}
