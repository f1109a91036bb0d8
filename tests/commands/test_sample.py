"""`zerosum sample` by class and with wider displacements, on a conditional run of a few steps."""

from __future__ import annotations

import json
from contextlib import chdir, redirect_stdout
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from zerosum.commands.cli import main
from zerosum.commands.sample import chosen, one_class_a_row

COUNTS = {"cat": 60, "dog": 30, "owl": 30}
SMALL = ["--net.width", "4", "--net.refine", "0", "--net.hidden", "0", "--batch", "32", "--threads", "1"]
NETS = ["--net.kind", "dcgan", "--net.elastic", "1", "--prior.dim", "22", "--engine", "eager", "--precision", "float32", *SMALL]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with pictures in folders by class, pets, and two runs on them: runs/pets, conditional, and runs/plain."""
    folder = tmp_path_factory.mktemp("place")
    random = np.random.default_rng(0)
    for name, count in COUNTS.items():
        (folder / "pets" / name).mkdir(parents=True)
        for i in range(count):
            Image.fromarray(random.integers(0, 256, (12, 12), dtype=np.uint8)).save(folder / "pets" / name / f"{i}.png")
    for run, words in (("pets", []), ("plain", ["--net.classes", "none"])):
        with chdir(folder), redirect_stdout(StringIO()):
            assert main(["train", "pets", "--samples", "160", "--out", f"runs/{run}", *NETS, *words]) == 0
    return folder


def sampled(place: Path, *words: str, run: str = "pets", n: int = 12) -> np.ndarray:
    """What `zerosum sample` writes as an array."""
    with chdir(place), redirect_stdout(StringIO()):
        assert main(["sample", f"runs/{run}", "-n", str(n), "--seed", "3", "--out", "x.npy", *words]) == 0
        return np.load("x.npy")


def test_one_class_by_its_name_or_its_number(place: Path) -> None:
    by_name = {name: sampled(place, "--class", name) for name in COUNTS}
    for number, name in enumerate(COUNTS):
        np.testing.assert_array_equal(by_name[name], sampled(place, "--class", str(number)))
    assert len({array.tobytes() for array in by_name.values()}) == 3


def test_several_classes_have_as_many_samples_each_in_their_order(place: Path) -> None:
    by_name = {name: sampled(place, "--class", name) for name in COUNTS}
    for words, order in (("owl,cat", ["owl", "cat"]), ("2, cat", ["owl", "cat"]), ("all", [*COUNTS]), ("cat,dog,owl", [*COUNTS])):
        each = 12 // len(order)
        array = sampled(place, "--class", words)
        for i, name in enumerate(order):
            part = slice(i * each, (i + 1) * each)
            np.testing.assert_array_equal(array[part], by_name[name][part])


def test_without_a_class_they_come_by_their_shares(place: Path) -> None:
    """Each sample is that of its class, and all classes come; --classes is the same option."""
    by_name = [sampled(place, "--classes", name, n=60) for name in COUNTS]
    array = sampled(place, n=60)
    of = [[i for i, of_class in enumerate(by_name) if (sample == of_class[j]).all()] for j, sample in enumerate(array)]
    assert all(len(found) == 1 for found in of)
    assert {found[0] for found in of} == {0, 1, 2}
    np.testing.assert_array_equal(sampled(place, n=7), array[:7])


def test_a_walk_is_of_one_class(place: Path) -> None:
    walks = sampled(place, "--interpolate", "--class", "cat,owl", n=40)
    np.testing.assert_array_equal(walks[:20], sampled(place, "--interpolate", "--class", "cat", n=40)[:20])
    np.testing.assert_array_equal(walks[20:], sampled(place, "--interpolate", "--class", "owl", n=40)[20:])


def test_a_picture_shows_a_class_in_each_row(place: Path) -> None:
    with chdir(place), redirect_stdout(StringIO()) as out:
        assert main(["sample", "runs/pets", "-n", "12", "--class", "all", "--out", "x.png"]) == 0
        with Image.open("x.png") as picture:
            width, height = picture.size
    assert "12 samples of runs/pets with seed 0, class all: x.png" in out.getvalue()
    assert width > height  # Three rows of four.


def test_displacements_are_widened(place: Path) -> None:
    for run in ("pets", "plain"):
        assert json.loads((place / "runs" / run / "run.json").read_text())["sampling"] == {"widen": 1.05}
        assert "displaced 1.05 times as widely as in training" in (place / "runs" / run / "report.html").read_text()
        default = sampled(place, run=run)
        np.testing.assert_array_equal(default, sampled(place, "--widen", "1.05", run=run))
        assert (default != sampled(place, "--widen", "1", run=run)).any()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["runs/pets", "--class", "cta"], "There is no class 'cta': the classes are cat, dog, owl, or by number 0 to 2. Did you mean cat?"),
        (["runs/pets", "--class", "cat,dgo"], "There is no class 'dgo'"),
        (["runs/pets", "--class", "3"], "There is no class '3'"),
        (["runs/pets", "--class", ""], "There is no class ''"),
        (["runs/pets", "--class", "all", "-n", "2"], "--class all names 3 classes, and there are only 2 samples: ask for more with -n"),
        (["runs/pets", "--class", "all", "-n", "20", "--interpolate"], "there are only 2 rows"),
        (["runs/plain", "--class", "cat"], "runs/plain is an unconditional run, which has no classes to sample by"),
        (["runs/pets", "--widen", "-1"], "--widen must be a number of at least 0, not -1"),
    ],
)
def test_what_cannot_be_sampled_is_refused_in_a_sentence(
    place: Path, words: list[str], sentence: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(place)
    assert main(["sample", *words, "--out", "refused.npy"]) == 2
    _, err = capsys.readouterr()
    assert sentence in err
    assert err.count("\n") == 1
    assert not Path("refused.npy").exists()


def test_the_help_says_what_both_options_do(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sample", "--help"]) == 0
    text = " ".join(capsys.readouterr().out.split())
    assert "--class TEXT" in text
    assert "--widen X How many times as widely as in training samples are displaced" in text
    assert "1.05" in text


def test_which_class_each_sample_has() -> None:
    names = ("cat", "dog", "owl", "a,b")
    assert chosen(names, None, 5, "samples") is None
    assert chosen(names, "a,b", 5, "samples") == "a,b"  # A name of its own.
    assert chosen(names, "cat,1", 4, "samples") == ["cat", "cat", "1", "1"]
    counts = [chosen(names, "all", 10, "samples").count(name) for name in names]
    assert sum(counts) == 10
    assert max(counts) - min(counts) == 1
    assert chosen((), "cat", 5, "samples") == "cat"  # Refused by the run, which says why.


def test_rows_of_a_picture_are_of_one_class_where_they_can_be() -> None:
    assert one_class_a_row(None) is None
    assert one_class_a_row("cat") is None
    assert one_class_a_row(["cat"] * 3 + ["dog"] * 3) == 3
    assert one_class_a_row(["cat"] * 3 + ["dog"] * 2) is None
    assert one_class_a_row(["cat"] * 40 + ["dog"] * 40) is None
