"""Straight, or in pieces: the same run to the bit. Here by place of the interruption, kind of data and preset; by net, value function and
penalty in test_trainer.py."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file
from torch.testing import assert_close

from zerosum.chance import normal
from zerosum.commands import cli
from zerosum.data import cache
from zerosum.data.options import DataOptions
from zerosum.data.parts import Rows
from zerosum.data.source import open_data
from zerosum.errors import Refusal
from zerosum.play.config import Config, GameOptions, NetOptions, PriorOptions
from zerosum.play.presets import PRESETS, Preset
from zerosum.runs.run import Run, open_run
from zerosum.training import launch
from zerosum.training.loop import Loop

POINTS = Config(prior=PriorOptions(dim=4), net=NetOptions(width=16, depth=2), batch=16, average=100, threads=1, device="cpu")
IMAGES = replace(POINTS, net=NetOptions(kind="dcgan", width=4), batch=8)
ROUNDS = 12


@dataclass
class Interruptions:
    """A training stops, once, where it comes to each of the rounds in `at`."""

    at: list[int] = field(default_factory=list)

    def here(self, training: Loop) -> None:
        if training.t in self.at:
            self.at.remove(training.t)
            training.horizon.until = -1.0  # out of time


@pytest.fixture
def interruptions(monkeypatch: pytest.MonkeyPatch) -> Interruptions:
    found = Interruptions()

    def watched(original: Callable[[Loop], None]) -> Callable[[Loop], None]:
        def step(self: Loop) -> None:
            original(self)
            found.here(self)

        return step

    for name in ("_start", "_one_step"):
        monkeypatch.setattr(Loop, name, watched(getattr(Loop, name)))
    return found


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder of stored data: images that share a size, and points. Decoded images lie in the cache, as those of a large collection do."""
    folder = tmp_path_factory.mktemp("data")
    (folder / "photos").mkdir()
    pixels = (normal((60, 12, 12, 3), 0, "photos") * 40 + 128).clamp(0, 255).to(torch.uint8).numpy()
    for i, picture in enumerate(pixels):
        Image.fromarray(picture).save(folder / "photos" / f"{i}.png")
    np.save(folder / "points.npy", normal((60, 3), 0, "points").numpy())
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ZEROSUM_CACHE", str(folder / "cache"))
        patch.setattr(cache, "memory_budget", lambda: 0)
        yield folder


def state(run: Run) -> dict[str, torch.Tensor]:
    files = sorted(run.checkpoint().path.glob("*.safetensors"))
    return {f"{f.name}:{name}": t for f in files for name, t in load_file(f).items()}


def seen(run: Run) -> list[dict[str, Any]]:
    """The checks in the record, but for the clock."""
    return [{name: value for name, value in row.items() if name not in ("seconds", "took")} for row in run.rows("check")]


def assert_same(one: Run, other: Run) -> None:
    assert_close(state(one), state(other), rtol=0, atol=0)
    np.testing.assert_array_equal(one.sample(3), other.sample(3))
    assert seen(one) == seen(other)
    rounds = [row["round"] for row in other.rows("signals")]
    assert rounds == sorted(set(rounds))
    assert rounds[-1] == ROUNDS


def played(out: Path, config: Config, spec: str, options: DataOptions, interruptions: Interruptions, at: list[int]) -> Run:
    """ROUNDS rounds with interruptions. A resume opens the data anew, by what run.json says of them."""
    config = replace(config, data=options)
    interruptions.at = list(at)
    run = launch.train(open_data(spec, options), out, config, samples=ROUNDS * config.game.k * config.batch)
    while not run.finished:
        assert run.rows()[-1]["reason"] == "minutes"
        run = launch.resume(run.path)
    assert interruptions.at == []
    starts = [row["round"] for row in run.rows("start")]
    assert starts == [0, *at]
    return run


# 32 training points and rounds of two batches of 8: an epoch is two rounds.
EPOCHS = replace(POINTS, batch=8, game=GameOptions(k=2))
PLACES = {
    "before the first round": [0],
    "in mid-epoch": [3],
    "at an epoch's end": [4],
    "twice in one epoch": [2, 3],
    "three times": [1, 6, 11],
    "at the last round but one, and again": [11],
}


@pytest.mark.parametrize("where", PLACES)
def test_wherever_it_is_interrupted(where: str, place: Path, tmp_path: Path, interruptions: Interruptions) -> None:
    spec, options = str(place / "points.npy"), DataOptions(limit=32)
    assert open_data(spec, options).train.size == 32
    straight = played(tmp_path / "straight", EPOCHS, spec, options, interruptions, [])
    assert_same(straight, played(tmp_path / "pieces", EPOCHS, spec, options, interruptions, PLACES[where]))


KINDS: dict[str, tuple[str, DataOptions, Config]] = {
    "a density on the line": ("bimodal", DataOptions(), POINTS),
    "a mixture written down": ("mixture:0.3*N(-2,0.5)+0.7*N(1,0.2)", DataOptions(), replace(POINTS, prior=PriorOptions(dim=1))),
    "stored points": ("points.npy", DataOptions(), POINTS),
    "a folder of images in the cache": ("photos", DataOptions(), IMAGES),
    "mirrored at random and resized": ("photos", DataOptions(flip=True, size="16"), IMAGES),
}


@pytest.mark.parametrize("kind", KINDS)
def test_for_every_kind_of_data(kind: str, place: Path, tmp_path: Path, interruptions: Interruptions) -> None:
    spec, options, config = KINDS[kind]
    spec = str(place / spec) if (place / spec).exists() else spec
    if "photos" in spec:
        part = open_data(spec, options).train
        assert isinstance(part, Rows)
        assert isinstance(part.array, np.memmap)
    straight = played(tmp_path / "straight", config, spec, options, interruptions, [])
    assert_same(straight, played(tmp_path / "pieces", config, spec, options, interruptions, [5, 9]))


def small(preset: Preset) -> Config:
    """A preset at a size for tests: its optimisers, schedules and kinds of layer, few channels."""
    net = replace(preset.config.net, width=6, hidden=min(preset.config.net.hidden, 8))
    return replace(preset.config, net=net, prior=replace(preset.config.prior, dim=20), batch=8, warmup=40.0, threads=1, device="cpu")


@pytest.mark.parametrize("name", PRESETS)
def test_for_every_preset(name: str, place: Path, tmp_path: Path, interruptions: Interruptions) -> None:
    """With whatever engine and precision this machine gives it."""
    config = small(PRESETS[name])
    spec = "ring8" if config.net.kind == "mlp" else str(place / "photos")
    straight = played(tmp_path / "straight", config, spec, DataOptions(), interruptions, [])
    assert_same(straight, played(tmp_path / "pieces", config, spec, DataOptions(), interruptions, [4, 7]))


def test_copied_elsewhere(place: Path, tmp_path: Path, interruptions: Interruptions) -> None:
    """Nothing in a run's folder hangs on where it lies, and its data may lie elsewhere too, if somebody says where."""
    straight = played(tmp_path / "straight", POINTS, str(place / "points.npy"), DataOptions(), interruptions, [])
    (tmp_path / "here").mkdir()
    shutil.copy(place / "points.npy", tmp_path / "here")
    interruptions.at = [5]
    spec = str(tmp_path / "here" / "points.npy")
    launch.train(open_data(spec), tmp_path / "here" / "a", POINTS, samples=ROUNDS * POINTS.batch)
    shutil.copytree(tmp_path / "here", tmp_path / "there")
    shutil.rmtree(tmp_path / "here")
    run = tmp_path / "there" / "a"
    with pytest.raises(Refusal, match=r"points\.npy, which the run in .* was trained on, is missing: .* --data PATH"):
        launch.resume(run)
    assert cli.main(["resume", str(run), "--data", str(tmp_path / "there" / "points.npy"), "--quiet"]) == 0
    assert_same(straight, open_run(run))


def test_other_data_than_its_own_is_refused(place: Path, tmp_path: Path) -> None:
    run = launch.train(open_data(str(place / "points.npy")), tmp_path / "a", POINTS, samples=32)
    other = open_data(normal((60, 3), 1, "points").numpy())
    with pytest.raises(Refusal, match="these are not the data that the run in"):
        launch.resume(run.path, samples=64, data=other)
    assert launch.resume(run.path, samples=64, data=open_data(normal((60, 3), 0, "points").numpy())).finished


def test_further_minutes_go_beyond_the_old_end(tmp_path: Path) -> None:
    """A finished run gets a new horizon, which is measured again; until then its schedules stay where they were."""
    run = launch.train(open_data("ring8"), tmp_path / "a", replace(POINTS, d=replace(POINTS.d, lr_end=1e-5)), samples=160)
    run = launch.resume(run.path, minutes=0.01)
    assert run.rows("stop")[-1]["samples"] > 160
    assert run.rows("horizon")[-1]["horizon"] > 160
    assert open_run(run.path).checkpoint().meta["horizon"] == run.rows("horizon")[-1]["horizon"]
