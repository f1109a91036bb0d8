"""Training from Python: data in memory, a person's own modules, options, and folders."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from inspect import signature
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import zerosum as zs
from zerosum.api.training import check_room, next_folder, with_options
from zerosum.measure import QUANTITIES
from zerosum.options import options_of
from zerosum.play.config import Config, NetOptions, to_json

OPTIONS = {"net.width": 8, "net.depth": 1, "batch": 32, "threads": 1, "engine": "eager", "precision": "float32"}


def points(n: int = 400) -> Tensor:
    return torch.randn(n, 2, generator=torch.Generator().manual_seed(0)) * 0.5 + 3


class Listening:
    def __init__(self) -> None:
        self.types: list[str] = []

    def row(self, row: dict[str, object]) -> None:
        self.types.append(str(row["type"]))

    def progress(self, samples: int, horizon: int | None, seconds: float) -> None:
        pass


def own() -> tuple[nn.Module, nn.Module]:
    torch.manual_seed(0)
    G = nn.Sequential(nn.Linear(16, 8), nn.ReLU(), nn.Linear(8, 2))
    D = nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 1), nn.Flatten(0))
    return G, D


def test_a_tensor_is_trained_on_and_the_listener_hears_of_it(tmp_path: Path) -> None:
    listening = Listening()
    run = zs.train(points(), samples=320, out=tmp_path / "a", options=OPTIONS, listener=listening)
    assert listening.types[0] == "start"
    assert [t for t in listening.types if t in ("stop", "score")] == ["stop", *["score"] * 6]
    assert run.finished
    x = run.sample(10)
    assert (x.shape, x.dtype) == ((10, 2), np.float32)
    np.testing.assert_array_equal(zs.load(tmp_path / "a").sample(10), x)
    assert (tmp_path / "a" / "report.html").exists()


def test_a_run_is_scored_at_its_end_and_a_longer_one_at_its_own(tmp_path: Path) -> None:
    run = zs.train("ring8", samples=320, out=tmp_path / "a", options=OPTIONS)
    assert [(row["name"], row["samples"]) for row in run.rows("score")] == [
        (name, 320) for name in ("modes", "high_quality", "mode_kl", "sigma_ratio")
    ]
    longer = zs.resume(run.path, samples=640)
    assert {row["samples"] for row in longer.rows("score")} == {640}
    assert [row["samples"] for row in longer.rows("stop")] == [320, 640]
    page = (run.path / "report.html").read_text()
    assert QUANTITIES["modes"].meaning in page


def test_an_iterable_of_batches_is_the_same_data(tmp_path: Path) -> None:
    x = points()
    labelled = [(part, torch.zeros(len(part), dtype=torch.int64)) for part in x.split(100)]
    runs = [
        zs.train(data, samples=320, out=tmp_path / name, options=OPTIONS)
        for name, data in (("a", x), ("b", labelled), ("c", iter(x.split(64))))
    ]
    for other in runs[1:]:
        np.testing.assert_array_equal(other.sample(50), runs[0].sample(50))


def test_an_array_in_memory_can_be_handed_over_again(tmp_path: Path) -> None:
    run = zs.train(points(), samples=320, out=tmp_path / "a", options=OPTIONS)
    further = zs.resume(run.path, samples=640, data=points())
    assert further.rows("stop")[-1]["samples"] == 640


def test_a_persons_own_modules_play_and_are_read_again(tmp_path: Path) -> None:
    G, D = own()
    run = zs.train(points(), generator=G, discriminator=D, samples=320, out=tmp_path / "a", options={**OPTIONS, "prior.dim": 16})
    x = run.sample(10)
    assert x.shape == (10, 2)
    with pytest.raises(zs.Refusal, match="load it in Python"):
        zs.load(run.path).sample(1)
    G, D = own()
    np.testing.assert_array_equal(zs.load(run.path, generator=G, discriminator=D).sample(10), x)


def test_one_module_alone_is_refused(tmp_path: Path) -> None:
    with pytest.raises(zs.Refusal, match="two players"):
        zs.train("ring8", generator=nn.Linear(2, 2), samples=32, out=tmp_path / "a")


def test_an_empty_iterable_is_refused() -> None:
    with pytest.raises(zs.Refusal, match="empty"):
        zs.train([], samples=32)


def test_a_known_density_by_name_gives_its_preset_and_evaluates(tmp_path: Path) -> None:
    run = zs.train("gaussian", samples=320, out=tmp_path / "a", options=OPTIONS)
    assert run.manifest["preset"] == "points"
    scores = {score.name: score for score in zs.evaluate(run, n=200)}
    assert scores["precision"].n == 200


def test_options_replace_one_field_each() -> None:
    config = with_options(Config(), {"d.lr": 0.5, "game.value": "hinge", "game.g-steps": 3, "batch": 7})
    assert (config.d.lr, config.g.lr, config.game.value, config.game.g_steps, config.batch) == (0.5, Config().g.lr, "hinge", 3, 7)


def test_another_kind_of_net_does_not_keep_the_options_of_the_first() -> None:
    config = with_options(Config(net=NetOptions(kind="resnet", width=48, depth=1)), {"net.kind": "dcgan", "net.norm": "batch"})
    assert config.net == NetOptions(kind="dcgan", norm="batch")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"d.lrr": 1}, "There is no option 'd.lrr'. Did you mean d.lr"),
        ({"game.vaule": 1}, "There is no option 'game.vaule'. Did you mean game.value?"),
        ({"gamma": 1}, "Did you mean game.gamma?"),
        ({"d": 1}, "no option 'd'"),
        ({"batch.size": 1}, "no option 'batch.size'"),
        ({"game.value": "hing"}, "must be one of .* Did you mean hinge?"),
        ({"batch": "64"}, "batch must be a whole number of at least 1, not '64'."),
        ({"batch": 0}, "batch must be a whole number of at least 1, not 0."),
        ({"d.beta1": 1}, "d.beta1 must be a number from 0 to 0.9999, not 1."),
        ({"d.lr": None}, "d.lr must be a number of at least 0, not None."),
    ],
)
def test_an_option_that_is_none_is_refused(options: dict[str, object], words: str) -> None:
    with pytest.raises(zs.Refusal, match=words) as refusal:
        with_options(Config(), options)
    assert "\n" not in str(refusal.value)


def test_keywords_are_options(tmp_path: Path) -> None:
    given = {**OPTIONS, "d.lr": 1e-3, "game.value": "hinge"}
    keywords: dict[str, Any] = {name.replace(".", "_"): value for name, value in given.items()}
    runs = [zs.train("ring8", samples=64, out=tmp_path / "a", options=given), zs.train("ring8", samples=64, out=tmp_path / "b", **keywords)]
    assert runs[0].config == runs[1].config
    assert (runs[1].config.d.lr, runs[1].config.game.value, runs[1].config.batch) == (1e-3, "hinge", 32)


def test_every_option_has_a_keyword_of_its_own() -> None:
    taken = [*signature(zs.train).parameters, *(name.replace(".", "_") for name in options_of(Config))]
    assert len(taken) == len(set(taken))


@pytest.mark.parametrize(
    ("keywords", "words"),
    [
        ({"knobs": {"batch": 3}}, "zerosum.train has no option 'knobs': it is now called options."),
        ({"until_settled": True}, "zerosum.train has no option 'until_settled': it is now called until_plateau."),
        ({"minuts": 1}, "zerosum.train has no option 'minuts'. Did you mean minutes?"),
        ({"game_vaule": "hinge"}, "zerosum.train has no option 'game_vaule'. Did you mean game_value?"),
        ({"batch": 3, "options": {"batch": 4}}, "The option batch is given twice"),
        ({"minutes": "1"}, "minutes must be a number above 0, not '1'."),
        ({"minutes": 0}, "minutes must be a number above 0, not 0."),
        ({"samples": 1.5}, "samples must be a whole number of at least 1, not 1.5."),
        ({"minutes": 1, "samples": 1}, "Give minutes or samples, not both"),
        ({"preset": "point"}, "preset must be one of points, .* Did you mean points?"),
    ],
)
def test_what_train_does_not_take_is_refused_in_one_sentence(keywords: dict[str, Any], words: str, tmp_path: Path) -> None:
    with pytest.raises(zs.Refusal, match=words) as refusal:
        zs.train("ring8", out=tmp_path / "a", **keywords)
    assert "\n" not in str(refusal.value)
    assert not (tmp_path / "a").exists()


def test_numbers_of_numpy_are_numbers(tmp_path: Path) -> None:
    config = with_options(Config(), {"batch": np.int64(7), "d.lr": np.float32(0.5), "seed": 3.0})
    assert json.loads(json.dumps(to_json(config)))["batch"] == 7
    assert (config.d.lr, config.seed) == (0.5, 3)
    assert zs.train("ring8", samples=np.int64(64), out=tmp_path / "a", options=OPTIONS).finished  # type: ignore[arg-type]


def test_the_next_folder_is_the_first_free_one(tmp_path: Path) -> None:
    assert next_folder("a", tmp_path).name == "a-1"
    (tmp_path / "a-3").mkdir()
    assert [next_folder("a", tmp_path).name for _ in range(3)] == ["a-2", "a-4", "a-5"]


def test_of_several_trainings_at_once_each_gets_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the look at a name and its claim another process takes it: here, whenever a name is looked at."""
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: next_folder("a", tmp_path), range(40)))
    assert len(set(found)) == 40
    monkeypatch.setattr(Path, "exists", lambda self, **_: False)
    assert next_folder("a", tmp_path).name == "a-41"


def test_a_folder_by_a_long_or_odd_name_can_be_made(tmp_path: Path) -> None:
    assert next_folder("é" * 255, tmp_path).is_dir()
    assert next_folder("a\x1b[2J\nb\udcff", tmp_path).name == "a_[2J_b_-1"


def test_a_name_that_was_claimed_for_nothing_is_given_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(zs.Refusal, match="transforms images"):
        zs.train("ring8", samples=64, options={**OPTIONS, "game.augment": "diffaugment"})
    assert list((tmp_path / "runs").iterdir()) == []


def test_a_home_is_expanded_in_every_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert zs.train("ring8", samples=64, out="~/mine", options=OPTIONS).path == tmp_path / "mine"
    assert zs.load("~/mine").path == tmp_path / "mine"
    for use in (lambda: zs.load("~nobody-of-this-name/x"), lambda: zs.open_data("~nobody-of-this-name/x")):
        with pytest.raises(zs.Refusal, match="names the home of a user who does not exist"):
            use()


def test_a_run_may_be_in_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    run = zs.train("ring8", samples=256, out="~/run")
    assert run.path == tmp_path / "run"
    assert zs.load("~/run").manifest == run.manifest


def test_room_is_asked_of_the_disk_that_the_folder_will_be_on(tmp_path: Path) -> None:
    check_room(tmp_path / "not" / "there", need=1)
    with pytest.raises(zs.Refusal, match="MB free"):
        check_room(tmp_path / "not" / "there", need=1 << 60)
