"""Class labels from the data to both players, through training, resume, sampling and checks."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.testing import assert_close

from zerosum.chance import normal
from zerosum.data.source import Data, open_data
from zerosum.game.penalty import PENALTIES
from zerosum.game.value import VALUES
from zerosum.nets import NETS
from zerosum.play.config import Config, GameOptions, NetOptions, PlayerOptions, PriorOptions
from zerosum.runs.run import open_run
from zerosum.training import launch

CONFIG = Config(
    prior=PriorOptions(dim=4), net=NetOptions(kind="dcgan", width=4, classes="auto"), batch=8, threads=1, device="cpu", average=100
)
POINTS = replace(CONFIG, net=NetOptions(width=16, depth=2, classes="auto"), batch=64)


def pixels() -> np.ndarray:
    return (normal((90, 12, 12), 0, "pixels") * 40 + 128).clamp(0, 255).byte().numpy()


@pytest.fixture(scope="module")
def images() -> Data:
    return open_data((pixels(), np.array(["owl", "cat", "dog"] * 30)))


@pytest.fixture(scope="module")
def clusters() -> Data:
    """A third of the points at each of three places, by class."""
    y = np.arange(600) % 3
    places = np.array([[4.0, 0.0], [-4.0, 0.0], [0.0, 4.0]])
    return open_data(((places[y] + 0.3 * normal((600, 2), 0, "clusters").numpy()).astype(np.float32), y))


@pytest.mark.parametrize("kind", NETS)
@pytest.mark.parametrize("optimiser", ["adam", "muon"])
def test_a_resumed_conditional_run_is_the_same_run(kind: str, optimiser: str, images: Data, tmp_path: Path) -> None:
    player = PlayerOptions(optimiser=optimiser, lr=1e-3)
    config = replace(CONFIG, net=NetOptions(kind=kind, width=4, classes="auto"), d=player, g=player)
    whole = launch.train(images, tmp_path / "whole", config, samples=8 * 6)
    halves = launch.train(images, tmp_path / "halves", config, samples=8 * 3)
    launch.resume(halves.path, data=images, samples=8 * 6)
    ends = [open_run(tmp_path / name).players().weights() for name in ("whole", "halves")]
    assert_close(ends[0], ends[1], rtol=0, atol=0)
    assert whole.manifest["data"]["class_counts"] == images.train.counts(3)  # type: ignore[attr-defined]
    assert whole.classes == ("cat", "dog", "owl")


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("penalty", PENALTIES)
@pytest.mark.parametrize("engine", ["auto", "eager"])
def test_every_game_moves_both_embeddings(value: str, penalty: str, engine: str, images: Data, tmp_path: Path) -> None:
    config = replace(CONFIG, game=GameOptions(value=value, penalty=penalty), engine=engine)  # type: ignore[arg-type]
    first = launch.train(images, tmp_path / "a", config, samples=8).players().weights()
    last = launch.train(images, tmp_path / "b", config, samples=8 * 3).players().weights()
    for name in ("G.embedding.weight", "D.embedding.weight"):
        assert bool((first[name] != last[name]).any(1).all()), name  # Each class occurs in three batches of eight.


def test_labels_change_nothing_in_an_unconditional_game(images: Data, tmp_path: Path) -> None:
    config = replace(CONFIG, net=replace(CONFIG.net, classes="none"))
    labelled = launch.train(images, tmp_path / "labelled", config, samples=8 * 4)
    plain = launch.train(open_data(pixels()), tmp_path / "plain", config, samples=8 * 4)
    assert_close(labelled.players().weights(), plain.players().weights(), rtol=0, atol=0)
    assert labelled.classes == ()


def test_data_without_classes_give_an_unconditional_game(tmp_path: Path) -> None:
    run = launch.train(open_data(pixels()), tmp_path / "a", CONFIG, samples=8)
    assert run.classes == ()
    assert "G.embedding.weight" not in run.players().weights()


def test_a_conditional_generator_makes_the_class_that_is_asked_for(clusters: Data, tmp_path: Path) -> None:
    run = launch.train(clusters, tmp_path / "a", replace(POINTS, d=PlayerOptions(lr=3e-3), g=PlayerOptions(lr=3e-3)), samples=64 * 800)
    means = np.stack([run.sample(200, y=c).mean(0) for c in range(3)])
    places = np.array([[4.0, 0.0], [-4.0, 0.0], [0.0, 4.0]])
    nearest = ((means[:, None] - places) ** 2).sum(2).argmin(1)
    assert nearest.tolist() == [0, 1, 2]
    check = run.rows("check")[-1]
    assert check["coverage"] > 0.3  # G is checked with the classes of the held-out samples.


class OwnG(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(4 + 3, 2)
        self.seen: list[Tensor] = []

    def forward(self, z: Tensor, y: Tensor) -> Tensor:
        self.seen.append(y)
        out: Tensor = self.layer(torch.cat((z, nn.functional.one_hot(y, 3).to(z)), 1))
        return out


def test_own_modules_get_labels_if_they_take_them(clusters: Data, tmp_path: Path) -> None:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        G, D = OwnG(), nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 1), nn.Flatten(0))
    launch.train(clusters, tmp_path / "a", POINTS, samples=64 * 2, given=(G, D))
    assert {y.dtype for y in G.seen} == {torch.int64}
    assert {int(v) for y in G.seen for v in y} == {0, 1, 2}
