"""zerosum lab and zerosum stress as a person runs them, on games of a few rounds; and what they refuse."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import pytest
import torch
from PIL import Image

from zerosum.commands.cli import main
from zerosum.study import helvetica, officer
from zerosum.study.lesson import lesson
from zerosum.study.scenario_result import mean_and_half


def test_the_figure_of_a_line_is_drawn_and_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("zerosum.study.lesson.lesson", partial(lesson, checks=5))
    monkeypatch.setattr("zerosum.study.lesson.OPTIMUM_STEPS", 150)
    where = tmp_path / "lesson.png"
    options = ["--net.width", "8", "--batch", "32", "--data", "mixture:0.5*N(-1,0.3)+0.5*N(1,0.3)"]
    assert main(["lab", "--figure", str(where), "--rounds", "12", "--json", *options]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["figure"] == str(where)
    assert (told["a"]["rounds"], told["b"]["rounds"], told["d"]["rounds"]) == (0, 0, 12)
    # G stood still while D was trained: the JSD is the same, and V may only have risen.
    assert told["a"]["jsd"] == told["b"]["jsd"] > told["c"]["jsd"]
    assert told["a"]["V"] < told["b"]["V"]
    # Twelve steps do not bring p_g to p_data, and the figure may not say that they do.
    assert not told["d"]["converged"]
    with Image.open(where) as image:
        assert image.format == "PNG"
        assert image.size[0] > 1500


def test_the_animation_has_a_frame_a_check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zerosum.study.lesson.lesson", partial(lesson, checks=3))
    monkeypatch.setattr("zerosum.study.lesson.OPTIMUM_STEPS", 10)
    where = tmp_path / "lesson.gif"
    assert main(["lab", "--figure", str(where), "--rounds", "9", "--net.width", "8", "--batch", "32"]) == 0
    with Image.open(where) as image:
        assert (image.format, getattr(image, "n_frames", 1)) == ("GIF", 4)


def test_a_scenario_has_a_table_a_figure_and_a_reason(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    where = tmp_path / "vanishing.png"
    assert main(["lab", "vanishing", "--rounds", "2", "--seeds", "1", "--figure", str(where), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert where.exists()
    assert told["why"].startswith("The saturating loss")
    first, *_, last = [row for row in told["rows"] if "V" in row]
    # As D improves, G's gradient goes from most to nothing in one game, and the other way in the other.
    assert last["|gradient|, minimax"] < 0.01 * first["|gradient|, minimax"]
    assert last["|gradient|, non_saturating"] > 10 * first["|gradient|, non_saturating"]
    assert last["V"] <= last["V of D*"]


def test_a_blind_d_sees_its_coordinate_alone() -> None:
    match = helvetica.blind(0, 1)
    x = match.p_data.sample(8, torch.Generator().manual_seed(0))
    moved = x.clone()
    moved[:, 1] += 1.0
    assert match.D(x).tolist() == match.D(moved).tolist()
    match.players.D.mask.fill_(1.0)  # type: ignore[operator]
    assert match.D(x).tolist() != match.D(moved).tolist()


def test_the_panels_alone_are_written_for_slides(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zerosum.study.lesson.lesson", partial(lesson, checks=2))
    monkeypatch.setattr("zerosum.study.lesson.OPTIMUM_STEPS", 10)
    where = tmp_path / "lesson.svg"
    assert main(["lab", "--panels", "--figure", str(where), "--rounds", "4", "--net.width", "8", "--batch", "32"]) == 0
    assert {p.name for p in tmp_path.iterdir()} == {"lesson.svg"} | {f"lesson-{i}.{kind}" for i in "abcd" for kind in ("svg", "pdf")}
    assert (tmp_path / "lesson-c.pdf").read_bytes().startswith(b"%PDF")
    text = (tmp_path / "lesson-d.svg").read_text()
    assert "not converged" in text
    assert "D(x)" in text


def test_a_colour_blind_officer_sees_brightness_alone() -> None:
    game = officer.ImageGame(officer.tinted(64), 0, 1)
    game.players.D.eval()
    x = game.space.encode(game.space.from_array(game.real[:4]))
    grey = (x * game.officer.luminance).sum(1, keepdim=True).expand_as(x)
    assert torch.allclose(game.players.D(x), game.players.D(grey), atol=1e-6)
    game.officer.sees.fill_(1.0)
    assert not torch.allclose(game.players.D(x), game.players.D(grey), atol=1e-3)
    # The two inks are equally bright, so that brightness alone tells nothing about them.
    light = [sum(w * c for w, c in zip(officer.LUMINANCE, ink, strict=True)) for ink in officer.INKS]
    assert abs(light[0] - light[1]) < 0.001


def test_every_schedule_gets_as_many_updates() -> None:
    for equal, taken in (("G", lambda s: s.g_taken), ("D", lambda s: s.d_taken)):
        found = [helvetica.schedule(k, g, equal, 1, 25, lambda *_: None) for k, g in ((1, 1), (1, 5), (5, 1))]
        assert len({taken(s) for s in found}) == 1, equal


def test_an_interval_is_students() -> None:
    mean, half = mean_and_half([1.0, 2.0, 3.0])
    assert mean == 2
    assert half == pytest.approx(4.303 / 3**0.5)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["lab", "vanishing", "--panels"], "--panels is for the teaching figure"),
        (["lab", "--panels", "--data", "ring8"], "--panels draws four panels of a 1-D density"),
        (["lab", "--data", "rign8"], "Did you mean ring8?"),
        (["lab", "--data", "mixture:0.3*N(0,1)+0.3*N(1,1)"], "does not integrate to one"),
        (["lab", "--game.value", "wasserstein", "--game.penalty", "none"], "no finite optimum"),
        (["lab", "--prior.dim", "2"], "set --prior.dim to 1"),
        (["lab", "--data", "ring8", "--prior.dim", "3"], "needs --prior.dim 2, not 3"),
        (["lab", "--figure", "x.jpg"], "must end in .png"),
        (["lab", "vanishing", "--figure", "x.gif"], "no animation"),
        (["lab", "--rounds", "0"], "--rounds must be at least 1"),
        (["lab", "vanishing", "--seeds", "0"], "--seeds must be at least 1"),
        (["lab", "helvetika"], "Did you mean helvetica?"),
        (["stress", "ring9"], "Did you mean ring8"),
        (["stress", "ring8", "--seeds", "0"], "--seeds must be at least 1"),
        (["stress", "ring8", "--run", "runs/a"], "--run is for parzen"),
        (["stress"], "needs NAME"),
    ],
)
def test_bad_input_is_one_sentence(words: list[str], sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert sentence in err
    assert err.count("\n") == 1


def test_stress_stands_beside_the_floor_and_the_papers(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["stress", "ring8", "--seeds", "1", "--samples", "512", "--json"]) == 0
    rows = {row["sampler"]: row for row in json.loads(capsys.readouterr().out)}
    assert {"zerosum, seed 0", "zerosum, mean of 1", "perfect sampler", "PacGAN4", "VEEGAN"} <= rows.keys()
    perfect = rows["perfect sampler"]
    # 1 - exp(-9/2) = 98.89 % of a 2-D Gaussian lies within 3 sigma, and its spread there is 0.974 of the whole.
    assert abs(perfect["high_quality"] - 0.98889) < 0.002
    assert abs(perfect["sigma_ratio"] - 0.974) < 0.01
    assert perfect["modes"] == 8
    assert 0 < perfect["reverse_kl"] < 0.003


def test_stress_dirac_is_the_published_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["stress", "dirac", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert len(rows) == 12
    assert all(abs(row["ours"] / row["published"] - 1) < 0.01 for row in rows)
