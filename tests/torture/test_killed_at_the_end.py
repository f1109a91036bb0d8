"""A run that is killed between its last checkpoint and its report: a resume writes what is missing, and says what that was."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from zerosum import api
from zerosum.api import training as api_training
from zerosum.commands import cli
from zerosum.errors import Refusal
from zerosum.records import read_rows
from zerosum.report.folder import read_run
from zerosum.report.page import report_is_current

SIZE = ["--batch", "16", "--net.width", "8", "--net.depth", "1", "--prior.dim", "2", "--samples", "320", "--quiet", "--threads", "1"]


class Killed(BaseException):
    """Stands for SIGKILL: nothing of the program comes after it."""


def killed_at_the_end(folder: Path, data: str, *size: str) -> Path:
    """A run after its last checkpoint, without scores and report."""

    def kill(*_: Any) -> None:
        raise Killed

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(api_training, "_closed", kill)
        with pytest.raises(Killed):
            cli.main(["train", data, "--out", str(folder), *size])
    assert not (folder / "report.html").exists()
    return folder


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return killed_at_the_end(tmp_path_factory.mktemp("killed") / "run", "ring8", *SIZE)


@pytest.fixture
def run(killed: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(killed, tmp_path / "run"))


def types(run: Path) -> list[str]:
    return [row["type"] for row in read_rows(run / "record.jsonl").rows]


def test_a_resume_takes_what_is_missing_and_says_so(run: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert "score" not in types(run)
    assert cli.main(["resume", str(run)]) == 0
    assert f"{run} lacked its scores and report" in capfd.readouterr().out
    assert "score" in types(run)
    assert report_is_current(read_run(run))
    whole = types(run)
    assert cli.main(["resume", str(run)]) == 0
    said = " ".join(capfd.readouterr().out.split())
    assert "lacked" not in said
    assert "is finished: 320 training samples" in said
    assert types(run) == whole
    with pytest.raises(Refusal, match="is finished"):
        api.resume(run)


def test_a_run_on_images_gets_its_classes_and_nearest_images_too(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    size = ["--batch", "16", "--net.width", "4", "--net.hidden", "8", "--samples", "160", "--quiet", "--threads", "1"]
    run = killed_at_the_end(tmp_path / "digits", "mnist", *size)
    assert not {"score", "class", "nearest"} & set(types(run))
    assert cli.main(["resume", str(run)]) == 0
    assert "scores, table by class and report" in " ".join(capfd.readouterr().out.split())
    assert {"score", "class", "nearest"} <= set(types(run))
    assert (run / "nearest.png").is_file()


@pytest.mark.parametrize(
    ("missing", "told"),
    [(["report.html"], "its report,"), (["grid.png"], "its grid and report"), (["grids", "report.html"], "its grid and report")],
)
def test_each_part_is_made_again(missing: list[str], told: str, run: Path, capfd: pytest.CaptureFixture[str]) -> None:
    api.resume(run)
    for name in missing:
        shutil.rmtree(run / name) if (run / name).is_dir() else (run / name).unlink()
    capfd.readouterr()
    assert cli.main(["resume", str(run)]) == 0
    assert told in capfd.readouterr().out
    assert all((run / name).exists() for name in missing)


def test_a_report_from_before_the_last_rows_is_made_anew(run: Path) -> None:
    """Killed between the scores and the report, in a folder that has the report of an earlier end."""
    api.resume(run)
    page = run / "report.html"
    page.write_text(page.read_text().replace(f'name="zerosum-rows" content="{len(types(run))}"', 'name="zerosum-rows" content="3"'))
    assert not report_is_current(read_run(run))
    api.resume(run)
    assert report_is_current(read_run(run))


def test_what_was_added_is_dropped_by_a_longer_training(run: Path) -> None:
    (run / "grid.png").unlink()
    shutil.rmtree(run / "grids")
    api.resume(run)
    api.resume(run, samples=640)
    ends = [row["samples"] for row in read_rows(run / "record.jsonl").rows if row["type"] == "score"]
    assert ends
    assert set(ends) == {640}


def test_without_its_data_a_run_gets_its_report(run: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    def gone(self: Any) -> Any:
        raise Refusal("The data are missing: restore them.")

    monkeypatch.setattr("zerosum.runs.run.Run.data", gone)
    assert cli.main(["resume", str(run)]) == 0
    said = " ".join(capfd.readouterr().out.split())
    assert f"{run} lacked its report" in said
    assert "The data are missing: restore them." in said


def test_the_command_report_makes_the_page_at_any_time(run: Path, capfd: pytest.CaptureFixture[str]) -> None:
    shutil.rmtree(run / "checkpoints")
    assert cli.main(["report", str(run)]) == 0
    assert capfd.readouterr().out == f"{run / 'report.html'}\n"
    assert report_is_current(read_run(run))
    assert cli.main(["report", str(run / "grids")]) == 2
    assert "is not a run" in capfd.readouterr().err
