"""A disk that is full in mid-run, and a run folder that is moved: told on the display, in the report and by diagnose, once a minute."""

from __future__ import annotations

import errno
import io
import json
from pathlib import Path
from typing import Any

import pytest

from zerosum.commands import cli
from zerosum.data.source import open_data
from zerosum.errors import Refusal
from zerosum.play.config import Config, NetOptions, PriorOptions
from zerosum.play.step import Algorithm1
from zerosum.report.complaints import complaints
from zerosum.report.folder import read_run
from zerosum.report.page import render
from zerosum.report.progress import Display
from zerosum.runs import checkpoint
from zerosum.runs.run import open_run
from zerosum.training import launch, timers
from zerosum.training import state as training_state

SMALL = Config(prior=PriorOptions(dim=2), net=NetOptions(width=8, depth=1), batch=16, threads=1, device="cpu")
STEPS = 200


@pytest.fixture
def full(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> tuple[Path, str]:
    """A run of which no checkpoint between the first and the last could be written, although one was due at each step; and its display."""
    original = checkpoint._write

    def write(path: Path, content: bytes) -> Any:
        if f"{0:09d}" not in str(path) and f"{STEPS:09d}" not in str(path):
            raise OSError(errno.ENOSPC, "No space left on device")
        return original(path, content)

    monkeypatch.setattr(checkpoint, "_write", write)
    monkeypatch.setattr(timers, "CHECKPOINT", 0.0)
    stream = io.StringIO()
    with Display(tmp_path / "run", stream=stream) as display:
        launch.train(open_data("ring8"), tmp_path / "run", SMALL, samples=16 * STEPS, listener=display)
    return tmp_path / "run", stream.getvalue()


def test_a_full_disk_is_tried_once_a_minute_and_told(full: tuple[Path, str], capfd: pytest.CaptureFixture[str]) -> None:
    run, shown = full
    told = open_run(run).rows("complaint")
    assert len(told) == 1
    assert shown.count("Warning: A checkpoint of") == 1
    (sentence,) = complaints(read_run(run))
    assert "No space left on device" in sentence
    assert "free some space on that disk" in sentence
    assert "No space left on device" in render(read_run(run))
    assert cli.main(["diagnose", str(run)]) == 0
    assert "Warning: A checkpoint of" in capfd.readouterr().out
    assert cli.main(["diagnose", str(run), "--json"]) == 0
    assert json.loads(capfd.readouterr().out)["complaints"] == [sentence]


def test_a_minute_later_it_is_tried_again() -> None:
    retry = timers.Retry()
    assert retry.due(0.0)
    retry.failed(10.0)
    assert [retry.due(at) for at in (10.0, 69.0, 70.0)] == [False, False, True]


def test_equal_complaints_are_one_sentence_and_a_disk_that_is_full_now_is_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "run.json").write_text('{"schema": 2}')
    rows = [{"type": "complaint", "samples": n, "message": f"{n} bytes could not be written."} for n in (10, 20, 30)]
    (tmp_path / "record.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert complaints(read_run(tmp_path)) == ["30 bytes could not be written. (3 times, last at 30 samples)"]
    monkeypatch.setattr("shutil.disk_usage", lambda _: type("Usage", (), {"free": 5})())
    assert "has 5 bytes free: free some space" in complaints(read_run(tmp_path))[1]


def test_a_run_folder_that_is_moved_is_not_called_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    original = Algorithm1.step

    def step(self: Algorithm1, t: int, horizon: int | None) -> Any:
        if t == 5:
            (tmp_path / "run").rename(tmp_path / "moved")
        return original(self, t, horizon)

    monkeypatch.setattr(Algorithm1, "step", step)
    monkeypatch.setattr(training_state, "PATIENCE", 0.0)
    with pytest.raises(Refusal, match="the folder was moved or deleted, so put it back") as refused:
        launch.train(open_data("ring8"), tmp_path / "run", SMALL, samples=16 * 10)
    assert "space" not in str(refused.value)
    assert not (tmp_path / "run").exists()
    assert open_run(tmp_path / "moved").rows()[-1]["type"] in ("stop", "complaint")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "x"), "free some space on that disk"),
        (OSError(errno.ENAMETOOLONG, "File name too long", "x"), "give a shorter name"),
        (OSError(errno.ENOENT, "No such file or directory", "x"), "moved or deleted"),
        (OSError(errno.EACCES, "Permission denied", "x"), "change its permissions"),
    ],
)
def test_each_error_of_the_system_has_its_own_remedy(
    error: OSError, words: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def fails(argv: Any) -> int:
        raise error

    monkeypatch.setattr("zerosum.commands.inspect.main", fails)
    assert cli.main(["inspect", "x"]) == 2
    said = capfd.readouterr().err
    assert words in said
    assert ("space" in said) == (error.errno == errno.ENOSPC)


def test_the_page_and_the_newest_picture_are_put_on_the_disk(tmp_path: Path, disk: Any, fill: Any) -> None:
    counted = disk(tmp_path)
    fill(counted)
    assert cli.main(["train", "ring8", "--out", str(tmp_path / "run"), "--samples", "320", "--quiet", "--net.width", "8"]) == 0
    fill(None)
    synced = [operation.split()[1] for operation in counted.operations if operation.startswith("fsync")]
    assert any(".report.html." in name for name in synced)
    assert any(".grid.png." in name for name in synced)
    assert tmp_path.name in synced
