"""Run folders that zerosum 0.1.0 wrote (schema 1): today's code opens, samples, resumes, reports, diagnoses and measures them.

points was started with --until-settled; plateaued ended by it; digits played its players' bf16 copies, which its run.json calls "twin".
The folders lack what a reader does not need: the pictures, report.html and the first checkpoint.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

import zerosum as zs
from zerosum.commands.cli import main
from zerosum.records import SCHEMA
from zerosum.report.folder import read_run

FOLDERS = Path(__file__).parent / "fixtures" / "schema-1"
NAMES = ("points", "plateaued", "digits")


@pytest.fixture(params=NAMES)
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return Path(shutil.copytree(FOLDERS / request.param, tmp_path / request.param))


def test_the_folders_are_of_the_old_schema() -> None:
    """Otherwise the tests below would say nothing."""
    manifests = {name: json.loads((FOLDERS / name / "run.json").read_text()) for name in NAMES}
    assert {m["schema"] for m in manifests.values()} == {1}
    assert manifests["points"]["asked"]["until_settled"]
    assert manifests["digits"]["engine"]["engine"] == "twin"
    assert '"reason": "settled"' in (FOLDERS / "plateaued" / "record.jsonl").read_text()
    assert sum(f.stat().st_size for f in FOLDERS.rglob("*") if f.is_file()) < 300_000


def test_it_opens_in_today_s_words_and_is_not_written_to(folder: Path) -> None:
    before = (folder / "run.json").read_bytes()
    run = zs.load(folder)
    assert run.manifest["schema"] == SCHEMA
    assert run.manifest["asked"]["until_plateau"] == (folder.name != "digits")
    assert run.manifest["engine"]["engine"] == ("bf16_copy" if folder.name == "digits" else "eager")
    assert run.rows("stop")[-1]["reason"] == ("plateaued" if folder.name == "plateaued" else "finished")
    assert run.config.net.classes == "none"
    assert (folder / "run.json").read_bytes() == before


def test_it_is_sampled(folder: Path) -> None:
    x = zs.load(folder).sample(20)
    assert (x.shape, x.dtype) == (((20, 28, 28), np.uint8) if folder.name == "digits" else ((20, 2), np.float32))
    assert np.isfinite(x).all()
    assert x.std() > 0


def test_it_is_resumed(folder: Path) -> None:
    run = zs.load(folder)
    seen = run.checkpoint().meta["samples"]
    further = zs.resume(folder, samples=seen + 5 * run.config.batch)
    assert further.checkpoint().meta["samples"] == seen + 5 * run.config.batch
    assert further.rows("stop")[-1]["reason"] in ("finished", "plateaued")
    assert np.isfinite(further.sample(4)).all()
    assert (folder / "report.html").exists()


def test_it_is_reported_diagnosed_and_measured(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from zerosum.report.page import write_report

    page = write_report(folder).read_text()
    assert "twin" not in page
    assert read_run(folder).unreadable == 0
    assert main(["diagnose", str(folder)]) == 0
    assert zs.load(folder).verdict().state in " ".join(capsys.readouterr().out.split()).lower()
    scores = {score.name: score for score in zs.evaluate(zs.load(folder), n=300)}
    assert any(score.value is not None for score in scores.values())


def test_it_says_how_it_ended(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = shutil.copytree(FOLDERS / "points", tmp_path / "points")
    assert main(["resume", str(folder)]) == 0  # Finished: there is nothing to do but to say so.
    assert "is finished: 2,016 training samples" in " ".join(capsys.readouterr().out.split())
