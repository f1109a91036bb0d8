"""A person's own modules that cannot play are refused in a sentence, before a folder is made; those that can are left as they are."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

import zerosum as zs
from zerosum.data.source import Data, open_data
from zerosum.nets import NETS
from zerosum.play.config import Config, NetOptions, PriorOptions
from zerosum.play.given_players import require_playable
from zerosum.play.players import Players

Made = Callable[[], nn.Module]


def g_points(last: int = 2) -> nn.Module:
    return nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, last))


def d_points(*last: nn.Module) -> nn.Module:
    return nn.Sequential(nn.Linear(2, 8), nn.ReLU(), *(last or (nn.Linear(8, 1),)))


def g_images(*last: nn.Module) -> nn.Module:
    return nn.Sequential(nn.Linear(4, 64), nn.BatchNorm1d(64), *last, nn.Unflatten(1, (1, 8, 8)))


def d_images() -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Dropout(0.5), nn.Linear(64, 1))


@pytest.fixture(scope="module")
def points() -> Tensor:
    return torch.randn(100, 2, generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="module")
def images() -> Tensor:
    return torch.randint(0, 256, (60, 1, 8, 8), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


class Two(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.net = d_points()

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return self.net(x), x


class Growing(nn.Module):
    """Pixels of any size."""

    def forward(self, x: Tensor) -> Tensor:
        return 40 * x


WRONG: dict[str, tuple[str, Made, Made, str]] = {
    "noise of another length": ("points", lambda: nn.Linear(16, 2), d_points, "its first layer reads 16 numbers, so set prior_dim=16"),
    "noise for a convolution": ("images", lambda: nn.ConvTranspose2d(4, 1, 8), d_images, r"a convolution of 4 channels.*nn\.Unflatten"),
    "another shape": ("points", lambda: g_points(3), d_points, r"makes a tensor of shape \(16, 3\): make it a tensor of shape \(16, 2\)"),
    "pixels out of range": ("images", lambda: g_images(Growing()), d_images, r"in \[-1, 1\] here: end it in nn\.Tanh\(\)"),
    "pixels in half of the range": ("images", lambda: g_images(nn.Sigmoid()), d_images, r"pixels from 0\..* are in \[-1, 1\] here"),
    "probabilities": ("points", g_points, lambda: d_points(nn.Linear(8, 1), nn.Sigmoid()), "leave out the Sigmoid"),
    "probabilities in a row": (
        "points",
        g_points,
        lambda: d_points(nn.Linear(8, 1), nn.Sigmoid(), nn.Flatten(0), nn.Unflatten(0, (-1, 1, 1)), nn.Flatten()),
        "all in .0, 1., and the losses need logits",
    ),
    "three logits": ("points", g_points, lambda: d_points(nn.Linear(8, 3)), r"a tensor of shape \(16, 3\) for 16 samples, not one logit"),
    "one logit for all": ("points", g_points, lambda: nn.Sequential(nn.Flatten(0), nn.Linear(32, 1)), "one logit"),
    "a tuple": ("points", g_points, Two, "gives a tuple for 16 samples"),
    "other samples": ("points", g_points, lambda: nn.Linear(3, 1), "cannot read samples of shape"),
}


@pytest.mark.parametrize("name", WRONG)
def test_modules_that_cannot_play_are_refused_before_anything_is_written(name: str, points: Tensor, images: Tensor, tmp_path: Path) -> None:
    which, G, D, words = WRONG[name]
    data = points if which == "points" else images
    with torch.random.fork_rng():
        torch.manual_seed(0)
        players = {"generator": G(), "discriminator": D()}
    with pytest.raises(zs.Refusal, match=words) as refusal:
        zs.train(data, **players, samples=64, out=tmp_path / "a", prior_dim=4, threads=1, game_penalty="none")
    assert "\n" not in str(refusal.value)
    assert not (tmp_path / "a").exists()


@pytest.mark.parametrize("seed", range(40))
def test_a_linear_end_is_never_taken_for_a_sigmoid(seed: int) -> None:
    """Also where it happens to begin within [0, 1] on the data, or at 0 everywhere."""
    data, config = open_data("ring8"), Config(prior=PriorOptions(dim=4))
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        D = d_points(nn.Tanh(), nn.Linear(8, 1))
        require_playable(g_points(), D, config, data)
        nn.init.constant_(D[-1].bias, 0.5)
        nn.init.zeros_(D[-1].weight)
        require_playable(g_points(), D, config, data)
        nn.init.normal_(D[-1].weight, std=1e-3)
        require_playable(g_points(), D, config, data)


@pytest.mark.parametrize("kind", NETS)
def test_every_kind_of_net_passes_as_given(kind: str, images: Tensor) -> None:
    """Also those that end in no Tanh."""
    data, config = open_data(images), Config(prior=PriorOptions(dim=4), net=NetOptions(kind=kind, width=4))  # type: ignore[arg-type]
    players = Players(config, data.space, torch.device("cpu"))
    require_playable(players.G, players.D, config, data)


def test_modules_of_float64_are_called_with_float64() -> None:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        require_playable(g_points().double(), d_points().double(), Config(prior=PriorOptions(dim=4)), open_data("ring8"))


def test_the_check_leaves_modules_and_random_numbers_alone(images: Tensor) -> None:
    data: Data = open_data(images)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        G, D = g_images(nn.Tanh()), d_images()
        before = [t.clone() for net in (G, D) for t in net.state_dict().values()]
        state = torch.random.get_rng_state()
        require_playable(G, D, Config(prior=PriorOptions(dim=4)), data)
        assert torch.equal(torch.random.get_rng_state(), state)
    assert G.training
    assert D.training
    for old, new in zip(before, [t for net in (G, D) for t in net.state_dict().values()], strict=True):
        assert torch.equal(old, new)
