"""Truncation, walks as pictures and animations, arithmetic, and projection, on a conditional and an unconditional run of a few steps."""

from __future__ import annotations

from contextlib import chdir, redirect_stdout
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import zerosum as zs
from zerosum.chance import normal
from zerosum.commands.cli import main
from zerosum.runs.labels import class_walks
from zerosum.runs.latent import loop, terms_of
from zerosum.runs.projection import distances

SMALL = {"net_kind": "dcgan", "net_width": 4, "net_refine": 0, "net_hidden": 0, "batch": 16, "threads": 1, "prior_dim": 22, "device": "cpu"}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("latent")
    x = (normal((90, 12, 12), 0, "pixels") * 40 + 128).clamp(0, 255).byte().numpy()
    y = np.array(["cat", "dog", "owl"] * 30)
    for name, classes in (("pets", "auto"), ("plain", "none")):
        zs.train((x, y), samples=64, out=folder / "runs" / name, net_classes=classes, progress=False, **SMALL)
    Image.fromarray(x[0]).resize((30, 20)).save(folder / "some.png")
    return folder


def run(place: Path, *words: str) -> str:
    with chdir(place), redirect_stdout(StringIO()) as out:
        assert main([*words]) == 0
    return out.getvalue()


def test_truncation_goes_to_the_mean_of_each_class(place: Path) -> None:
    pets = zs.load(place / "runs" / "pets")
    mean = pets.sample(3, y="cat", truncation=0, widen=0)
    assert (mean == mean[0]).all()
    assert (mean[0] != pets.sample(1, y="dog", truncation=0, widen=0)[0]).any()
    np.testing.assert_array_equal(pets.sample(8, y="cat"), pets.sample(8, y="cat", truncation=1))
    spread = [pets.sample(64, y="cat", truncation=t, widen=0).astype(float).std(0).mean() for t in (0.3, 0.7, 1.0)]
    assert spread == sorted(spread)
    assert "cat" in run(place, "sample", "runs/pets", "--class", "cat", "--truncation", "0.5", "--out", "t.png")


def test_a_walk_is_closed_and_goes_through_the_samples_of_its_seeds(place: Path) -> None:
    pets = zs.load(place / "runs" / "pets")
    walk = pets.walk([3, 8, 5], 12, y="owl")
    for i, seed in enumerate([3, 8, 5]):
        np.testing.assert_array_equal(walk[4 * i], pets.sample(1, seed, y="owl")[0])
    stops = torch.eye(3)[None]
    assert loop(stops, 12, normal=True).shape == (1, 12, 3)
    torch.testing.assert_close(loop(stops, 12, normal=True).norm(dim=2), torch.ones(1, 12))


@pytest.mark.parametrize("words", [[], ["--class", "cat,owl"], ["--seeds", "3,17,42", "--class", "cat"]])
def test_a_gif_shows_the_walks_of_the_classes(place: Path, words: list[str]) -> None:
    said = run(place, "sample", "runs/pets", "-n", "9", "--interpolate", *words, "--out", "walk.gif")
    assert "9 pictures of a walk through" in said
    with Image.open(place / "walk.gif") as picture:
        assert picture.n_frames == 9  # type: ignore[attr-defined]
        assert picture.info["loop"] == 0


def test_an_mp4_is_a_film(place: Path) -> None:
    pytest.importorskip("imageio_ffmpeg")
    run(place, "sample", "runs/plain", "-n", "5", "--interpolate", "--out", "walk.mp4")
    assert (place / "walk.mp4").read_bytes()[4:8] == b"ftyp"


def test_a_walk_between_classes(place: Path) -> None:
    pets = zs.load(place / "runs" / "pets")
    walk = pets.interpolate(2, 5, seed=1, y="cat>dog")
    for y, at in (("cat", 0), ("dog", -1)):
        np.testing.assert_array_equal(walk.reshape(2, 5, 12, 12)[:, at], pets.interpolate(2, 5, seed=1, y=y).reshape(2, 5, 12, 12)[:, at])
    weights = class_walks("cat>dog>owl", 1, 5, pets.classes)
    assert weights is not None
    assert weights[[0, 2, 4]].tolist() == torch.eye(3).tolist()
    assert weights[1].tolist() == [0.5, 0.5, 0]
    run(place, "sample", "runs/pets", "-n", "20", "--interpolate", "--class", "cat>dog", "--out", "between.png")


def test_an_animation_between_classes_goes_there_and_back(place: Path) -> None:
    pets = zs.load(place / "runs" / "pets")
    weights = class_walks("cat>dog", 1, 4, pets.classes, closed=True)
    assert weights is not None
    assert weights[:, :2].tolist() == [[1, 0], [0.5, 0.5], [0, 1], [0.5, 0.5]]
    there_and_back = pets.walk([3, 4], 4, "cat>dog")
    np.testing.assert_array_equal(there_and_back[0], pets.walk([3, 4], 4, "cat")[0])
    np.testing.assert_array_equal(there_and_back[2], pets.walk([3, 4], 4, "dog")[2])
    run(place, "sample", "runs/pets", "-n", "6", "--interpolate", "--class", "cat>dog", "--out", "between.gif")
    with Image.open(place / "between.gif") as animation:
        assert getattr(animation, "n_frames", 1) == 6


def test_arithmetic_of_classes_and_of_samples(place: Path) -> None:
    pets, plain = (zs.load(place / "runs" / name) for name in ("pets", "plain"))
    np.testing.assert_array_equal(pets.mix("cat - dog + dog"), pets.mix("cat"))
    assert (pets.mix("cat - dog + owl") != pets.mix("cat")).any()
    assert pets.mix("0 - 1 + 2", 4).shape == (4, 12, 12)
    # One sample alone is that sample; z + z' - z' is z.
    np.testing.assert_array_equal(plain.mix("#5", widen=1), plain.sample(6, widen=1)[5:])
    np.testing.assert_array_equal(plain.mix("#5 + #2,#3 - #3,#2", widen=1), plain.mix("#5", widen=1))
    assert terms_of("7 - 1 + 0") == [(1, "7"), (-1, "1"), (1, "0")]
    assert terms_of("#3,#8 - #1") == [(1, "#3,#8"), (-1, "#1")]
    run(place, "sample", "runs/plain", "--mix", "#3,#8 - #1", "-n", "4", "--out", "mix.png")


def test_a_sample_is_found_again(place: Path) -> None:
    for name, y in (("pets", "dog"), ("plain", None)):
        loaded = zs.load(place / "runs" / name)
        image = loaded.sample(1, seed=9, y=y, widen=1)[0]
        found = loaded.project(image)
        assert found.distance < 0.8 * found.before
        assert loaded.project(image).distance == found.distance
        if y is not None:
            assert loaded.project(image, y="cat").y == 0
    assert distances(torch.zeros(2, 1, 8, 8), torch.ones(1, 8, 8)).tolist() == [1.0, 1.0]


def test_the_command_says_what_it_found(place: Path) -> None:
    said = " ".join(run(place, "project", "runs/pets", "some.png").split())
    assert "The image was cropped and resized to the run's 12 x 12 pixels." in said
    assert ", which fits best. Distance" in said
    assert (place / "some-projected.png").is_file()
    assert "Class: owl. Distance" in " ".join(run(place, "project", "runs/pets", "some.png", "--class", "2", "--out", "x.png").split())


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["sample", "runs/pets", "--truncation", "-1", "--out", "x.png"], "--truncation must be from 0"),
        (["sample", "runs/pets", "--out", "x.gif"], "add --interpolate"),
        (["sample", "runs/pets", "--seeds", "1,2", "--out", "x.png"], "add --interpolate"),
        (["sample", "runs/pets", "--interpolate", "--seeds", "1", "--out", "x.gif"], "--seeds must be two or more whole numbers"),
        (["sample", "runs/pets", "--mix", "cat - wolf", "--out", "x.png"], "There is no class 'wolf'"),
        (["sample", "runs/pets", "--mix", "cat - dog", "--out", "x.png"], "cancel"),
        (["sample", "runs/pets", "--mix", "#a", "--out", "x.png"], "names no samples"),
        (["sample", "runs/plain", "--mix", "cat - dog + owl", "--out", "x.png"], "this run is unconditional"),
        (["sample", "runs/pets", "--mix", "cat", "--class", "dog", "--out", "x.png"], "leave --interpolate and --class out"),
        (["project", "runs/pets", "lost.png"], "lost.png cannot be read as an image"),
        (["project", "runs/pets", "some.png", "--class", "wolf"], "There is no class 'wolf'"),
        (["project", "runs/plain", "some.png", "--class", "cat"], "is an unconditional run"),
        (["project", "runs/plain", "some.png", "--out", "x.jpg"], "must end in .png"),
    ],
)
def test_what_cannot_be_done_is_refused_in_a_sentence(
    place: Path, words: list[str], sentence: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(place)
    assert main(words) == 2
    said = capsys.readouterr().err
    assert sentence in said
    assert said.count("\n") == 1


def test_the_record_and_the_report_have_a_table_by_class_and_the_nearest_images(place: Path) -> None:
    pets = zs.load(place / "runs" / "pets")
    rows = pets.rows("class")
    assert [row["name"] for row in rows] == ["cat", "dog", "owl"]
    assert all(row["note"] for row in rows)  # Three images of a class are held out.
    assert pets.rows("nearest")[0]["searched"] == pets.manifest["data"]["train"]
    page = (place / "runs" / "pets" / "report.html").read_text()
    assert "<h2>Classes</h2>" in page
    assert "<h2>Nearest training images</h2>" in page
    assert zs.load(place / "runs" / "plain").rows("class") == []
