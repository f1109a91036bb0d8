"""A batch in parts gives the gradients of the whole batch, in every game and by both backends."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from zerosum.chance import normal
from zerosum.data.source import Data, open_data
from zerosum.engine.accumulate import Accumulated
from zerosum.errors import Refusal
from zerosum.game.penalty import PENALTIES
from zerosum.game.value import VALUES
from zerosum.play.config import Config, GameOptions, NetOptions, PriorOptions
from zerosum.play.device import choose
from zerosum.play.players import Players
from zerosum.play.step import Algorithm1
from zerosum.training import launch

CONFIG = Config(
    prior=PriorOptions(dim=4),
    net=NetOptions(kind="dcgan", width=4, classes="auto"),
    batch=12,
    threads=1,
    device="cpu",
    average=100,
    precision="float32",  # bf16 rounds a sum of parts differently
)


@pytest.fixture(scope="module")
def images() -> Data:
    pixels = (normal((60, 12, 12), 0, "pixels") * 40 + 128).clamp(0, 255).byte().numpy()
    return open_data((pixels, np.arange(60) % 3))


@pytest.mark.parametrize("engine", ["auto", "eager"])
@pytest.mark.parametrize(
    "game",
    [
        *(GameOptions(value=value) for value in VALUES),
        *(GameOptions(penalty=penalty) for penalty in PENALTIES),
        GameOptions(augment="diffaugment", fakes="reused", k=2, g_steps=2),
        GameOptions(augment="ada", order="simultaneous"),
    ],
)
def test_parts_give_the_gradients_of_the_whole_batch(game: GameOptions, engine: str, images: Data) -> None:
    config = replace(CONFIG, game=game, engine=engine)  # type: ignore[arg-type]
    execution = choose(config, "images")
    found = []
    for parts in (1, 3):
        players = Players(config, images.space, torch.device("cpu"))
        algorithm = Algorithm1(replace(config, accumulate=parts), players, images.train, images.space, execution)
        assert isinstance(algorithm.backend, Accumulated) == (parts > 1)
        inputs = algorithm.sampler(3, None)
        x, y = algorithm.real_samples(inputs, 0)
        seen = algorithm._seen(inputs.u_g, 0)
        fake = algorithm.backend.generated_samples(inputs.z_d[0], y)
        d, by_d = algorithm.backend.discriminator_gradients(x, fake, y, 0.7, inputs.epsilon[0] if inputs.epsilon else None)
        g, by_g = algorithm.backend.generator_gradients(inputs.z_g[0], x, y, seen)
        names = {p: n for module in (players.D, players.G) for n, p in module.named_parameters()}
        gradients = {(kind, names[w]): t for kind, by in (("d", by_d), ("g", by_g)) for w, t in by.items() if t is not None}
        found.append((gradients, *(t for t in (*d, *g))))
    assert_close(found[0], found[1], rtol=1e-4, atol=1e-5)


def test_a_run_in_parts_goes_to_its_end_and_resumes(images: Data, tmp_path: Path) -> None:
    config = replace(CONFIG, accumulate=3, game=GameOptions(fakes="reused", k=2, augment="ada"))
    whole = launch.train(images, tmp_path / "whole", config, samples=24 * 4)
    halves = launch.train(images, tmp_path / "halves", config, samples=24 * 2)
    halves = launch.resume(halves.path, data=images, samples=24 * 4)
    assert_close(*(run.players().weights() for run in (whole, halves)), rtol=0, atol=0)


def test_what_cannot_be_cut_is_refused(images: Data, tmp_path: Path) -> None:
    with pytest.raises(Refusal, match=r"--batch 12 cannot be divided evenly into 5 parts \(--accumulate 5\): give a multiple of 5"):
        launch.train(images, tmp_path / "a", replace(CONFIG, accumulate=5), samples=12)
    batch_norm = replace(CONFIG, accumulate=3, net=replace(CONFIG.net, norm="batch"), game=GameOptions(penalty="none"))
    with pytest.raises(Refusal, match="BatchNorm would use statistics of each part"):
        launch.train(images, tmp_path / "b", batch_norm, samples=12)
