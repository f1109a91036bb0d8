"""Names that forge lines, bytes that are no text, encodings that lack characters, readers who leave: no traceback, no raw escape."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import unicodedata
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from zerosum.commands import bugs, cli, terminal
from zerosum.errors import Refusal, printable
from zerosum.report.board import LiveRun, board
from zerosum.report.progress import CountProgress, Display

EVIL = "cat\x1b[2J\nzerosum: all is well\u202e\r"
SMALL = ["--samples", "64", "--batch", "16", "--net.width", "8", "--net.depth", "1", "--threads", "1"]


def lines_of(shown: str) -> list[str]:
    """The lines that were shown, none of which may contain a raw control character."""
    assert not [c for c in shown.replace("\n", "") if unicodedata.category(c) in ("Cc", "Cf", "Cs")]
    return shown.splitlines()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain, naïve and 字", "plain, naïve and 字"),
        ("a\nb\tc", r"a\nb\tc"),
        ("\x1b[31m", r"\x1b[31m"),
        ("\x9b", r"\x9b"),
        ("\u202eabc", r"\u202eabc"),
        ("caf\udce9", r"caf\xe9"),
        ("\u2028", r"\u2028"),
    ],
)
def test_printable(text: str, shown: str) -> None:
    assert printable(text) == shown
    assert printable(shown) == shown


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """Images of two classes with a name that forges a line, a file that is no image, and a data name that is no UTF-8."""
    folder = tmp_path / os.fsdecode(b"caf\xe9\x1b[1m")
    for number, name in enumerate((EVIL, "dog")):
        (folder / name).mkdir(parents=True)
        for i in range(20):
            Image.fromarray(np.full((8, 8), 100 * number + i, np.uint8)).save(folder / name / f"{i}.png")
    (folder / "dog" / "bad\n\x1b]0;x\x07.png").write_bytes(b"no image")
    return folder


ENVIRONMENTS: list[dict[str, str]] = [
    {},
    {"PYTHONIOENCODING": "latin-1"},
    {"PYTHONIOENCODING": "ascii:strict"},
    {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
]


@pytest.mark.skipif(sys.platform != "linux", reason="other file systems refuse such names")
@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_names_of_any_bytes_in_any_encoding(environment: dict[str, str], images: Path, tmp_path: Path) -> None:
    for words in (
        ["inspect", images],
        ["train", images, *SMALL, "--net.kind", "mlp"],
        ["diagnose", "runs/none\x1b[2J"],
        ["train", "\udcff"],
    ):
        done = subprocess.run(
            [sys.executable, "-m", "zerosum", *words], cwd=tmp_path, env={**os.environ, **environment}, capture_output=True, timeout=300
        )
        shown = (done.stdout + done.stderr).decode("utf-8" if not environment else "latin-1")
        assert b"\x1b" not in done.stdout + done.stderr
        assert b"Traceback" not in done.stderr
        assert "a bug" not in shown
        assert done.returncode == (2 if words[0] == "diagnose" or words[1] == "\udcff" else 0), shown
        assert not [line for line in shown.splitlines() if line.startswith("zerosum: all is well")]
        if words[0] == "inspect":
            assert r"cat\x1b[2J\nzerosum: all is well" in shown
            assert r"bad\n\x1b]0;x\x07.png" in shown
    (run,) = [p for p in (tmp_path / "runs").iterdir() if p.is_dir()]
    assert run.name == "caf__[1m-1"
    assert (run / "report.html").is_file()


def test_a_refusal_is_one_line_whatever_it_names(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def refuses(argv: Any) -> int:
        raise Refusal(f"There is no {EVIL}.")

    monkeypatch.setattr("zerosum.commands.inspect.main", refuses)
    assert cli.main(["inspect", "x"]) == 2
    assert len(lines_of(capsys.readouterr().err)) == 1


def test_the_display_escapes_what_rows_say() -> None:
    stream = io.StringIO()
    with Display(Path("runs") / EVIL, stream=stream) as display:
        display.row({"type": "complaint", "message": EVIL, "samples": 1})
        display.row({"type": "grid", "file": "grids/1.png", "samples": 1})
        display.row({"type": "stop", "reason": EVIL, "message": EVIL, "samples": 1})
    assert len(lines_of(stream.getvalue())) == 4
    from rich.console import Console

    state = LiveRun(run=Path(EVIL))
    state.take({"type": "complaint", "message": EVIL})
    console = Console(file=io.StringIO(), width=300, no_color=True)
    console.print(board(state))
    assert isinstance(console.file, io.StringIO)
    assert r"cat\x1b[2J\nzerosum" in console.file.getvalue()
    lines_of(console.file.getvalue())
    stream = io.StringIO()
    ticks = iter((0.0, 20.0))
    CountProgress(stream=stream, clock=lambda: next(ticks))(EVIL, 0, 2)
    now = CountProgress(stream=stream, clock=lambda: 0.0)
    now._label, now._due = EVIL, -1.0
    now(EVIL, 1, 2)
    assert len(lines_of(stream.getvalue())) == 1


class Left(io.StringIO):
    """The terminal of a reader who has left."""

    def write(self, text: str) -> int:
        raise BrokenPipeError


def test_a_training_goes_on_after_the_reader_of_its_display_has_left() -> None:
    with Display(None, stream=Left()) as display:
        display.row({"type": "complaint", "message": "x"})
        display.row({"type": "stop", "reason": "finished"})
    progress = CountProgress(stream=Left(), clock=lambda: 0.0)
    progress._label, progress._due = "a", -1.0
    progress("a", 1, 2)


def run_by_shell(script: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    python = f"{sys.executable} -m zerosum"
    return subprocess.run(["bash", "-c", script.replace("ZEROSUM", python)], cwd=cwd, capture_output=True, text=True, timeout=300)


CLOSED = ["2>&1 | true; echo ${PIPESTATUS[0]}", "| true; echo ${PIPESTATUS[0]}", ">&-; echo $?", ">&- 2>&-; echo $?"]


@pytest.mark.parametrize("closing", CLOSED)
def test_a_closed_output_ends_no_training(closing: str, tmp_path: Path) -> None:
    done = run_by_shell(f"ZEROSUM train ring8 --out r {' '.join(SMALL)} {closing}", tmp_path)
    assert done.stdout.strip() == "0"
    assert "Traceback" not in done.stderr
    assert "a bug" not in done.stderr
    assert "BrokenPipe" not in done.stderr
    assert '"finished"' in (tmp_path / "r" / "record.jsonl").read_text()
    assert (tmp_path / "r" / "report.html").exists()


def test_the_log_of_a_bug_takes_any_text_and_follows_no_link(tmp_path: Path) -> None:
    log = bugs.write_log(ValueError("\udcff"), tmp_path)
    assert r"\udcff" in log.read_text()


def test_output_that_is_closed_goes_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    terminal.prepare()
    terminal.tell("x")
    assert sys.stdout is not None
    sys.stdout.close()
