"""A run from start to end, on small nets: what it writes, that it repeats itself, and that a resumed run is the same run."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import nn
from torch.testing import assert_close

from zerosum.chance import normal
from zerosum.data.options import DataOptions
from zerosum.data.source import Data, open_data
from zerosum.errors import Refusal
from zerosum.game.augment import AUGMENTATIONS
from zerosum.game.penalty import PENALTIES
from zerosum.game.value import VALUES
from zerosum.nets import NETS
from zerosum.play.config import Config, GameOptions, NetOptions, PlayerOptions, PriorOptions, from_json, to_json
from zerosum.play.statistics import STATISTICS
from zerosum.records import SCHEMA
from zerosum.runs.run import open_run
from zerosum.training import launch, timers

POINTS = Config(prior=PriorOptions(dim=4), net=NetOptions(width=16, depth=2), batch=16, average=100, threads=1, device="cpu")
IMAGES = replace(POINTS, net=NetOptions(kind="resnet", width=4, depth=1), batch=8)


@pytest.fixture(scope="module")
def ring() -> Data:
    return open_data("ring8", DataOptions())


@pytest.fixture(scope="module")
def pictures() -> Data:
    images = (normal((80, 16, 16), 0, "pictures") * 40 + 128).clamp(0, 255).to(torch.uint8).numpy()
    return open_data(images, DataOptions())


def state(run: Path) -> dict[str, torch.Tensor]:
    checkpoint = sorted((run / "checkpoints").iterdir())[-1]
    return {f"{f.name}:{k}": v for f in sorted(checkpoint.glob("*.safetensors")) for k, v in load_file(f).items()}


def assert_same(one: Path, other: Path) -> None:
    assert_close(state(one), state(other), rtol=0, atol=0)


def test_a_run_writes_what_its_schema_says(ring: Data, tmp_path: Path) -> None:
    drawn: list[Path] = []

    def draw(samples: np.ndarray, path: Path) -> None:
        assert samples.shape == (1024, 2)
        path.write_bytes(b"png")
        drawn.append(path)

    run = launch.train(ring, tmp_path / "a", POINTS, samples=40 * 16, command="zerosum train ring8", draw=draw)
    manifest = json.loads((run.path / "run.json").read_text())
    assert manifest["schema"] == SCHEMA
    assert from_json(manifest["config"]) == POINTS
    assert manifest["data"]["name"] == "ring8"
    assert manifest["parameters"]["G"] > 0
    assert tuple(manifest["equilibrium"]) == VALUES[POINTS.game.value].equilibrium
    rows = run.rows()
    assert rows[0]["type"] == "start"
    assert rows[-1]["type"] == "stop"
    assert rows[-1]["reason"] == "finished"
    assert rows[-1]["round"] == 40
    assert rows[-1]["samples"] == 640
    signals = run.rows("signals")
    assert {*STATISTICS, "rate"} <= set(signals[0])
    assert signals[0]["V"] is None  # a relativistic logit is no probability
    assert all(math.isfinite(r["grad_d"]) for r in signals)
    assert drawn
    assert (run.path / "grid.png").read_bytes() == b"png"
    assert run.finished
    assert open_run(run.path).sample(3).shape == (3, 2)


@pytest.mark.parametrize("which", ["points with dropout", "images with BatchNorm"])
def test_grids_come_from_the_start_on_and_do_not_change_what_is_trained(
    which: str, ring: Data, pictures: Data, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timers, "GRID", 0.0)
    monkeypatch.setattr(timers, "GRID_LAST", 0.0)
    plain = GameOptions(value="non_saturating", penalty="none")
    images = replace(IMAGES, net=NetOptions(kind="dcgan", width=4, norm="batch"), game=plain)
    points = replace(POINTS, net=NetOptions(width=16, dropout=0.2))
    config, data = (points, ring) if which == "points with dropout" else (images, pictures)
    drawn: list[np.ndarray] = []

    def draw(samples: np.ndarray, path: Path) -> None:
        drawn.append(samples)
        path.write_bytes(b"png")

    run = launch.train(data, tmp_path / "drawn", config, samples=12 * config.batch, draw=draw)
    launch.train(data, tmp_path / "not", config, samples=12 * config.batch)
    assert_same(tmp_path / "drawn", tmp_path / "not")
    assert [row["round"] for row in run.rows("grid")] == list(range(13))
    assert len(drawn) == 13
    assert (drawn[0] != drawn[-1]).any()
    rows = run.rows()
    assert rows.index(run.rows("grid")[0]) < rows.index(run.rows("signals")[0])


def cases() -> list[Any]:
    """Every value, penalty and augmentation, every net, both orders, k and g_steps, smoothing, dropout and BatchNorm, each in some run."""
    found: dict[str, tuple[Config, str]] = {}
    for value in VALUES:
        found[value] = (replace(POINTS, game=GameOptions(value=value, penalty="none" if value != "wasserstein" else "gp")), "ring")  # type: ignore[arg-type]
    for penalty in PENALTIES:
        found[penalty] = (replace(POINTS, game=GameOptions(value="hinge", penalty=penalty, k=2)), "ring")  # type: ignore[arg-type]
    for name, row in AUGMENTATIONS.items():
        config, which = {3: (IMAGES, "pictures")}.get(row.axes if row else 3, (POINTS, "ring"))
        if row is None or row.axes in (1, 3):
            found[f"augmentation {name}"] = (replace(config, game=replace(config.game, augment=name)), which)
    for kind, architecture in NETS.items():
        narrow = {"width": 4} if "width" in architecture.options else {}
        found[kind] = (replace(IMAGES, net=NetOptions(kind=kind, **narrow)), "pictures")
    found["simultaneous"] = (replace(POINTS, game=GameOptions(order="simultaneous", k=2, g_steps=2)), "ring")
    smooth = GameOptions(value="minimax", penalty="none", smoothing=0.1)
    found["smoothing, dropout, uniform"] = (
        replace(POINTS, game=smooth, net=NetOptions(width=16, dropout=0.2), prior=PriorOptions(kind="uniform", dim=3)),
        "ring",
    )
    batch = NetOptions(kind="dcgan", width=4, norm="batch")
    found["batch norm"] = (replace(IMAGES, net=batch, game=GameOptions(value="non_saturating", penalty="none")), "pictures")
    found["bf16"] = (replace(IMAGES, precision="bf16"), "pictures")
    muon = PlayerOptions(optimiser="muon", beta1=0.5, equalised=True)
    found["muon"] = (replace(IMAGES, net=NetOptions(kind="dcgan", width=4), d=replace(muon, beta1=0.0), g=muon), "pictures")
    found["warmup, cosine"] = (replace(POINTS, warmup=100, d=replace(POINTS.d, lr_end=1e-5)), "ring")
    return [pytest.param(config, data, id=name) for name, (config, data) in found.items()]


@pytest.mark.parametrize(("config", "which"), cases())
def test_a_resumed_run_is_the_same_run(
    config: Config, which: str, ring: Data, pictures: Data, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twelve rounds straight, against the same with two interruptions, sampling in between, and the process's own generator disturbed."""
    data = ring if which == "ring" else pictures
    a_round = config.game.k * config.batch
    launch.train(data, tmp_path / "straight", config, samples=12 * a_round)
    stops = {5, 9}
    original = launch.Loop._one_step

    def one_step(self: launch.Loop) -> None:
        torch.rand(3)
        original(self)
        if self.t in stops:
            self.horizon.until = -1.0  # out of time

    monkeypatch.setattr(launch.Loop, "_one_step", one_step)
    run = launch.train(data, tmp_path / "broken", config, samples=12 * a_round)
    assert run.rows()[-1]["round"] == 5
    run.sample(3)
    torch.rand(7)
    assert launch.resume(run.path, data=data).rows()[-1]["round"] == 9
    run = launch.resume(run.path, data=data)
    assert run.finished
    assert_same(tmp_path / "straight", tmp_path / "broken")
    rounds = [r["round"] for r in run.rows("signals")]
    assert rounds == sorted(set(rounds))
    assert rounds[-1] == 12


def test_a_finished_run_is_extended_as_if_it_had_been_longer(ring: Data, tmp_path: Path) -> None:
    launch.train(ring, tmp_path / "long", POINTS, samples=160)
    launch.train(ring, tmp_path / "short", POINTS, samples=96)
    with pytest.raises(Refusal, match="--samples"):
        launch.resume(tmp_path / "short")
    launch.resume(tmp_path / "short", samples=160)
    assert_same(tmp_path / "long", tmp_path / "short")


def test_the_seed_decides(ring: Data, tmp_path: Path) -> None:
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        launch.train(ring, tmp_path / name, replace(POINTS, seed=seed), samples=64)
    assert_same(tmp_path / "a", tmp_path / "b")
    with pytest.raises(AssertionError):
        assert_same(tmp_path / "a", tmp_path / "c")


def test_a_sample_depends_on_its_seed_and_place_alone(pictures: Data, tmp_path: Path) -> None:
    net = NetOptions(kind="dcgan", width=4, norm="batch")
    config = replace(IMAGES, net=net, game=GameOptions(value="non_saturating", penalty="none"))
    run = launch.train(pictures, tmp_path / "a", config, samples=80)
    thousand = run.sample(1000, seed=3)
    assert thousand.dtype == np.uint8
    assert thousand.shape == (1000, 16, 16)
    np.testing.assert_array_equal(run.sample(1, seed=3), thousand[:1])
    np.testing.assert_array_equal(run.sample(130, seed=3), thousand[:130])
    assert (run.sample(5, seed=4) != thousand[:5]).any()
    assert run.sample(0).shape == (0, 16, 16)
    walk = run.interpolate(rows=3, steps=5)
    assert walk.shape == (15, 16, 16)


def test_each_step_leaves_the_other_player_bit_identical(pictures: Data, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With BatchNorm in both: D's step leaves G's parameters and buffers alone, and G's step D's."""
    config = replace(
        IMAGES,
        net=NetOptions(kind="dcgan", width=4, norm="batch"),
        game=GameOptions(value="non_saturating", penalty="none", g_steps=2),
    )
    steps: list[str] = []
    states: dict[str, dict[str, torch.Tensor]] = {}
    update, real_samples = launch.Algorithm1._update, launch.Algorithm1.real_samples

    def copied(self: Any) -> dict[str, dict[str, torch.Tensor]]:
        nets = {"d": self.players.D, "g": self.players.G}
        return {letter: {k: v.clone() for k, v in net.state_dict().items()} for letter, net in nets.items()}

    def begun(self: Any, *args: Any) -> Any:
        states.update(copied(self))
        return real_samples(self, *args)

    def updated(self: Any, letter: str, lr: Any) -> None:
        update(self, letter, lr)
        now, other = copied(self), "g" if letter == "d" else "d"
        assert_close(now[other], states[other], rtol=0, atol=0)
        assert any(not torch.equal(now[letter][k], v) for k, v in states[letter].items())
        states.update(now)
        steps.append(letter)

    monkeypatch.setattr(launch.Algorithm1, "real_samples", begun)
    monkeypatch.setattr(launch.Algorithm1, "_update", updated)
    launch.train(pictures, tmp_path / "a", config, samples=8)
    assert steps == ["d", "g", "g"]


def test_own_modules(ring: Data, tmp_path: Path) -> None:
    def players() -> tuple[nn.Module, nn.Module]:
        with torch.random.fork_rng():
            torch.manual_seed(0)
            return nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2)), nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 1))

    run = launch.train(ring, tmp_path / "a", POINTS, samples=64, given=players())
    with pytest.raises(Refusal, match="generator=G"):
        open_run(run.path).sample(2)
    np.testing.assert_array_equal(open_run(run.path, players()).sample(2), run.sample(2))


def test_a_player_without_weights_is_refused_before_anything_is_written(ring: Data, tmp_path: Path) -> None:
    with pytest.raises(Refusal, match="no weights to train"):
        launch.train(ring, tmp_path / "a", POINTS, samples=64, given=(nn.Linear(4, 2), nn.Flatten(0)))
    assert not (tmp_path / "a").exists()


def test_not_a_number_stops_before_the_update(ring: Data, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    original = launch.Algorithm1.real_samples

    def poisoned(self: Any, inputs: Any, j: int) -> Any:
        x, y = original(self, inputs, j)
        return (x * float("nan") if inputs.numbers.t == 7 else x), y

    monkeypatch.setattr(launch.Algorithm1, "real_samples", poisoned)
    run = launch.train(ring, tmp_path / "a", POINTS, samples=640)
    stop = run.rows()[-1]
    assert stop["reason"] == "not finite"
    assert "step 8" in stop["message"]
    assert all(torch.isfinite(t).all() for t in state(run.path).values())


REFUSED: list[Any] = [
    pytest.param(replace(IMAGES, net=NetOptions(kind="dcgan", norm="batch")), "pictures", "--net.norm none", id="penalty with BatchNorm"),
    pytest.param(replace(POINTS, net=NetOptions(kind="dcgan")), "ring", "--net.kind mlp", id="convolutions of points"),
    pytest.param(replace(POINTS, game=GameOptions(value="hinge", smoothing=0.1)), "ring", "target", id="smoothing without a label"),
    pytest.param(replace(IMAGES, net=NetOptions(kind="resnet", dropout=0.5)), "pictures", "--net.dropout", id="not of the net"),
    pytest.param(
        replace(POINTS, game=GameOptions(augment="diffaugment")), "ring", "transforms images, and .* contains points", id="of images"
    ),
    pytest.param(replace(POINTS, batch=0), "ring", "batch must be a whole number of at least 1, not 0", id="an empty batch"),
    pytest.param(replace(POINTS, d=replace(POINTS.d, lr=-1.0)), "ring", "d.lr must be", id="a negative rate"),
    pytest.param(
        replace(POINTS, game=GameOptions(gamma=float("nan"))), "ring", "game.gamma must be a finite number", id="gamma not a number"
    ),
]


@pytest.mark.parametrize(("config", "which", "words"), REFUSED)
def test_what_cannot_be_trained_is_refused_before_anything_is_written(
    config: Config, which: str, words: str, ring: Data, pictures: Data, tmp_path: Path
) -> None:
    with pytest.raises(Refusal, match=words):
        launch.train(ring if which == "ring" else pictures, tmp_path / "a", config, samples=64)
    assert not (tmp_path / "a").exists()


def test_a_folder_that_holds_something_is_never_overwritten(ring: Data, tmp_path: Path) -> None:
    launch.train(ring, tmp_path / "a", POINTS, samples=16)
    with pytest.raises(Refusal, match="another run"):
        launch.train(ring, tmp_path / "a", POINTS, samples=16)
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "thesis.tex").write_text("x")
    with pytest.raises(Refusal, match=r"other files, which zerosum does not overwrite: give another --out\.$"):
        launch.train(ring, tmp_path / "b", POINTS, samples=16)
    with pytest.raises(Refusal, match="is a file, and a run is a folder"):
        launch.train(ring, tmp_path / "b" / "thesis.tex", POINTS, samples=16)


def test_one_writer_a_run(ring: Data, tmp_path: Path) -> None:
    run = launch.train(ring, tmp_path / "a", POINTS, samples=16)
    with launch.locked(run.path), pytest.raises(Refusal, match="Another process"):
        launch.resume(run.path, samples=64)
    assert run.sample(2).shape == (2, 2)  # readers need no lock
    launch.resume(run.path, samples=64)


def test_minutes_become_a_horizon_that_is_recorded(ring: Data, tmp_path: Path) -> None:
    run = launch.train(ring, tmp_path / "a", POINTS, minutes=0.02)
    row = run.rows("horizon")[-1]
    assert run.finished or run.rows()[-1]["reason"] == "minutes"
    assert run.checkpoint().meta["horizon"] == row["horizon"]


def test_a_config_names_values_never_code() -> None:
    assert from_json(json.loads(json.dumps(to_json(POINTS)))) == POINTS
    with pytest.raises(Refusal, match=r"game\.valeu.*Did you mean game.value"):
        from_json({"game": {"valeu": "hinge"}})
