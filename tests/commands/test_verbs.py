"""Each verb as a person runs it, on runs of a few hundred samples."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from contextlib import chdir, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from zerosum.api import training
from zerosum.commands.cli import main

SMALL = ["--net.width", "8", "--net.depth", "1", "--batch", "32", "--threads", "1", "--engine", "eager", "--precision", "float32"]
DIGITS = [*SMALL, "--net.kind", "mlp", "--data.limit", "512"]


@dataclass
class Done:
    """How a command ended, as subprocess.run would tell it."""

    returncode: int
    stdout: str
    stderr: str


def zerosum(*words: str | Path, cwd: Path) -> Done:
    """A command in this process, which has loaded torch already; the tests below that need a process of their own start one."""
    out, err = StringIO(), StringIO()
    with chdir(cwd), redirect_stdout(out), redirect_stderr(err):
        status = main([*map(str, words)])
    return Done(status, out.getvalue(), err.getvalue())


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a finished run on ring8, runs/ring8-1, and one on digits, runs/mnist-1."""
    folder = tmp_path_factory.mktemp("place")
    for data, options in (("ring8", SMALL), ("mnist", DIGITS)):
        done = zerosum("train", data, "--samples", "320", *options, cwd=folder)
        assert done.returncode == 0, done.stderr
        assert f"runs/{data}-1 is finished: 320 training samples" in done.stdout
        for words in (f"runs/{data}-1/grid.png", f"runs/{data}-1/report.html", f"zerosum sample runs/{data}-1", "zerosum evaluate"):
            assert words in done.stdout
    return folder


def test_train_wrote_what_it_said(place: Path) -> None:
    manifest = json.loads((place / "runs/ring8-1/run.json").read_text())
    assert manifest["command"] == " ".join(["zerosum", "train", "ring8", "--samples", "320", *SMALL])
    assert manifest["preset"] == "points"
    assert manifest["config"]["batch"] == 32
    assert (place / "runs/ring8-1/report.html").stat().st_size > 1000


@pytest.mark.parametrize("run", ["ring8-1", "mnist-1"])
def test_sample_as_an_array_does_not_depend_on_n(place: Path, run: str) -> None:
    for n in (3, 200):
        done = zerosum("sample", f"runs/{run}", "-n", str(n), "--seed", "5", "--out", f"{run}-{n}.npy", cwd=place)
        assert done.returncode == 0, done.stderr
    few, many = (np.load(place / f"{run}-{n}.npy") for n in (3, 200))
    np.testing.assert_array_equal(few, many[:3])
    assert (many.shape, many.dtype) == (((200, 28, 28), np.uint8) if run == "mnist-1" else ((200, 2), np.float32))
    assert many.std() > 0


def test_sample_as_a_grid_a_folder_and_a_walk(place: Path) -> None:
    assert zerosum("sample", "runs/mnist-1", "-n", "12", "--out", "each", cwd=place).returncode == 0
    assert zerosum("sample", "runs/mnist-1", "-n", "12", "--out", "all.npy", cwd=place).returncode == 0
    names = sorted(p.name for p in (place / "each").iterdir())
    assert names == [f"{i:02d}.png" for i in range(12)]
    np.testing.assert_array_equal([picture(place / "each" / name)[1] for name in names], np.load(place / "all.npy"))
    for out, words in (("grid.png", ()), ("walk.png", ("--interpolate",))):
        assert zerosum("sample", "runs/mnist-1", "-n", "20", "--out", out, *words, cwd=place).returncode == 0
    (wide, tall), (w, h) = picture(place / "walk.png")[0], picture(place / "grid.png")[0]
    assert wide > 4 * tall
    assert w < 2 * h


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["sample", "runs/ring8-1", "--out", "folder"], "makes points, which have no picture each"),
        (["sample", "runs/ring8-1", "--out", "x.jpg"], "neither an array (.npy), a picture (.png), an animation (.gif, .mp4) nor a folder"),
        (["sample", "runs/ring8-1", "--out", "runs"], "is not empty"),
        (["sample", "runs/ring8-1"], "needs --out"),
        (["sample", "runs/ring8-1", "-n", "-3", "--out", "x.npy"], "-n must be at least 1, not -3"),
        (["sample", "runs/ring8-2", "--out", "x.npy"], "There is no run at runs/ring8-2"),
        (["resume", "runs"], "runs is not a run"),
        (["evaluate", "runs/ring8-1", "--data.size", "64"], "leave out the --data options"),
        (["evaluate", "runs/ring8-1", "-n", "1"], "at least 2 samples"),
        (["evaluate", "runs/ring8-1", "-n", "1e11"], "at most 1,000,000, not 100,000,000,000"),
        (["sample", "runs/ring8-1", "-n", "1e15", "--out", "x.npy"], "bytes of memory"),
        (["sample", "runs/ring8-1", "--out", "text.txt/x.npy"], "the system refused"),
        (["train", "ring8", "--device", "gpu"], "--device must be cpu, cuda, cuda:N or auto"),
        (["train", "ring8", "--out", "text.txt"], "is a file, and a run is a folder"),
        (["train", ""], "There is no data ''"),
        (["train", "ring8", "--out", "runs/ring8-1"], "contains another run"),
        (["train", "rign8"], "Did you mean ring8"),
        (["train", "ring8", "--preset", "point"], "Did you mean points?"),
        (["train", "ring8", "--minutes", "1", "--samples", "1"], "not both"),
        (["train", "ring8", "--samples", "0"], "--samples must be a whole number of at least 1, not 0."),
        (["train", "ring8", "--minutes", "-1"], "--minutes must be a number above 0, not -1."),
        (["resume", "runs/ring8-1", "--minutes", "0"], "--minutes must be a number above 0, not 0."),
        (["train", "ring8", "--batch", "0"], "--batch must be a whole number of at least 1, not 0."),
        (["train", "ring8", "--until-settled"], "no option --until-settled: it is now called --until-plateau."),
        (["train", "ring8", "--engine", "compiled"], "--engine must be one of auto, eager, graph, not 'compiled'."),
        (["train", "ring8", "--net.kind", "dcgan"], "dcgan"),
        (["train", "tiny.npy", "--net.kind", "dcgan"], "4 x 4"),
        (["train", "mnist", "--preset", "dcgan", "--game.penalty", "r1"], "--net.norm none"),
        (["train", "empty"], "empty"),
        (["train", "few.npy"], "16"),
        (["train", "nan.npy"], "nan.npy"),
        (["inspect", "text.txt"], "text.txt"),
    ],
)
def test_bad_input_gets_one_sentence_and_status_2(
    place: Path, words: list[str], sentence: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (place / "empty").mkdir(exist_ok=True)
    (place / "text.txt").write_text("no image")
    np.save(place / "few.npy", np.zeros((3, 2), np.float32))
    np.save(place / "nan.npy", np.full((100, 2), np.nan, np.float32))
    np.save(place / "tiny.npy", np.random.default_rng(0).integers(0, 256, (40, 4, 4), dtype=np.uint8))
    monkeypatch.chdir(place)
    runs = sorted(p.name for p in (place / "runs").iterdir())
    assert main(words) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert sentence in err
    assert err.startswith("zerosum: ")
    assert err.count("\n") == 1
    assert sorted(p.name for p in (place / "runs").iterdir()) == runs


def test_a_full_disk_is_refused_before_anything_is_written(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(place)
    monkeypatch.setattr(training.shutil, "disk_usage", lambda path: type("Usage", (), {"free": 1 << 20})())
    assert main(["train", "ring8", "--samples", "64", "--out", "runs/full"]) == 2
    assert "has 1 MB free" in capsys.readouterr().err
    assert not (place / "runs/full").exists()


def test_resume_goes_on_and_a_finished_run_says_so(place: Path) -> None:
    command = [sys.executable, "-W", "error", "-m", "zerosum", "train", "gaussian", "--samples", "320", *SMALL, "--quiet"]
    first = subprocess.run(command, cwd=place, capture_output=True, text=True, timeout=120)
    assert (first.returncode, first.stderr) == (0, "")
    assert "runs/gaussian-1 is finished: 320 training samples" in first.stdout
    again = zerosum("resume", "runs/gaussian-1", cwd=place)
    assert again.returncode == 0
    assert "runs/gaussian-1 is finished: 320 training samples" in again.stdout
    further = zerosum("resume", "runs/gaussian-1", "--samples", "640", "--quiet", cwd=place)
    assert (further.returncode, further.stderr) == (0, "")
    assert "is finished: 640 training samples" in further.stdout


def test_an_interrupted_run_says_how_to_go_on_and_does(place: Path) -> None:
    command = [sys.executable, "-m", "zerosum", "train", "bimodal", "--samples", "100_000_000", "--out", "runs/cut", *SMALL]
    process = subprocess.Popen(command, cwd=place, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    record = place / "runs/cut/record.jsonl"
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not (record.exists() and '"signals"' in record.read_text()):
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "was interrupted after" in out
    assert "zerosum resume runs/cut" in out
    assert "Traceback" not in err
    seen = json.loads(record.read_text().splitlines()[-1])["samples"]
    done = zerosum("resume", "runs/cut", "--samples", str(seen + 320), "--quiet", cwd=place)
    assert done.returncode == 0, done.stderr
    rounds = [row["round"] for row in map(json.loads, record.read_text().splitlines())]
    assert rounds == sorted(rounds)


def picture(path: Path) -> tuple[tuple[int, int], Any]:
    """Width and height, and the pixels."""
    with Image.open(path) as image:
        assert image.format == "PNG"
        return image.size, np.asarray(image)


def alone(text: str) -> Any:
    """The one JSON value that standard output holds."""
    assert text.count("\n") == 1
    return json.loads(text)


def test_evaluate_a_run(place: Path) -> None:
    done = zerosum("evaluate", "runs/ring8-1", "-n", "500", "--json", cwd=place)
    assert (done.returncode, done.stderr) == (0, "")
    scores = {score["name"]: score for score in alone(done.stdout)["scores"]}
    assert {"modes", "high_quality", "precision", "recall"} <= scores.keys()
    for name in ("high_quality", "precision"):
        assert scores[name]["low"] <= scores[name]["value"] <= scores[name]["high"]
        assert scores[name]["n"] == 500
    assert scores["high_quality"]["floor"] > 0.9


def test_evaluate_a_run_of_digits_in_their_own_features(place: Path) -> None:
    # Too few for a fresh D, whose training would take most of the time.
    done = zerosum("evaluate", "runs/mnist-1", "-n", "199", "--json", cwd=place)
    assert (done.returncode, done.stderr) == (0, "")
    scores = {score["name"]: score for score in alone(done.stdout)["scores"]}
    for name in ("precision", "recall", "class_kl"):
        assert scores[name]["features"].startswith("digits:")
        assert (scores[name]["n"], scores[name]["split"]) == (199, "test")
    assert scores["class_kl"]["value"] > scores["class_kl"]["floor"]
    assert "200" in scores["jsd"]["note"]


def test_evaluate_sets_and_the_perfect_one_comes_out_at_the_floor(place: Path) -> None:
    x = np.random.default_rng(0).normal(size=(1200, 2)).astype(np.float32)
    np.save(place / "fakes.npy", x[:600])
    np.save(place / "reals.npy", x[600:])
    done = zerosum("evaluate", "fakes.npy", "--against", "reals.npy", "--json", cwd=place)
    assert (done.returncode, done.stderr) == (0, "")
    scores = {score["name"]: score for score in alone(done.stdout)["scores"]}
    assert abs(scores["recall"]["value"] - scores["recall"]["floor"]) < 0.1
    table = zerosum("evaluate", "fakes.npy", "--against", "reals.npy", cwd=place)
    assert table.returncode == 0
    assert "95 % interval" in table.stdout
    assert "recall" in table.stdout


def test_evaluate_without_the_weights_of_its_features(place: Path) -> None:
    x = np.random.default_rng(0).integers(0, 256, (80, 16, 16, 3), dtype=np.uint8)
    np.save(place / "fake_images.npy", x[:40])
    np.save(place / "real_images.npy", x[40:])
    (place / "weights.pth").write_bytes(b"another file")
    words = ("evaluate", "fake_images.npy", "--against", "real_images.npy", "--features")
    done = zerosum(*words, "inception", "--weights", "weights.pth", cwd=place)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("zerosum: weights.pth has 12 bytes")
    assert done.stderr.count("\n") == 1
    refused = zerosum(*words, "digits", "--weights", "weights.pth", cwd=place)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "not for `digits`" in refused.stderr


def test_a_run_is_not_taken_for_its_pictures(place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(place)
    np.save(place / "points.npy", np.random.default_rng(0).normal(size=(100, 2)).astype(np.float32))
    run = "runs/ring8-1"
    for words in (["evaluate", "points.npy", "--against", run], ["inspect", run], ["train", run, "--samples", "64"]):
        assert main(words) == 2
        err = capsys.readouterr().err
        assert "is a run, and its pictures are not data: zerosum evaluate runs/ring8-1 --against DATA compares" in err
        assert err.count("\n") == 1
    # And as the sentence says.
    assert main(["evaluate", run, "--against", "points.npy", "-n", "100", "--json"]) == 0
    scores = {score["name"]: score for score in alone(capsys.readouterr().out)["scores"]}
    assert (scores["precision"]["n"], scores["precision"]["n_real"]) == (100, 100)


def test_inspect_counts_lists_and_draws(place: Path) -> None:
    folder = place / "photos"
    folder.mkdir()
    for i in range(40):
        Image.fromarray(np.random.default_rng(i).integers(0, 256, (16, 16, 3), dtype=np.uint8)).save(folder / f"{i}.png")
    (folder / "broken.png").write_bytes(b"")
    done = zerosum("inspect", "photos", "--json", cwd=place)
    assert (done.returncode, done.stderr) == (0, "")
    facts = alone(done.stdout)
    assert (facts["count"], facts["shape"]) == (40, [3, 16, 16])
    assert [item["name"] for item in facts["skipped"]] == ["broken.png"]
    assert picture(place / facts["sheet"])[0][0] > 64
    words = zerosum("inspect", "photos", cwd=place).stdout
    assert "photos: 40 RGB images of 16 x 16" in words
    assert "broken.png: " in words
