"""The command as a whole: what it loads, what it says of mistakes and bugs, and its exit status."""

from __future__ import annotations

import subprocess
import sys
import types
from pathlib import Path

import pytest

from zerosum import __version__
from zerosum.commands import bugs, cli
from zerosum.errors import Refusal

LIGHT = "import sys; from zerosum.commands.cli import main; status = main({argv}); assert 'torch' not in sys.modules; sys.exit(status)"


@pytest.mark.parametrize(
    "argv", [["--help"], ["--version"], *([command, "--help"] for command in cli.COMMANDS), ["train", "mnist", "--help"]]
)
def test_help_loads_no_torch_and_shows_examples(argv: list[str]) -> None:
    done = subprocess.run([sys.executable, "-c", LIGHT.format(argv=argv)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    if argv == ["--version"]:
        assert done.stdout == f"zerosum {__version__}\n"
    else:
        assert "examples:\n  zerosum " in done.stdout


def test_a_mistyped_option_is_answered_without_torch() -> None:
    argv = ["train", "mnist", "--game.gama", "1"]
    done = subprocess.run([sys.executable, "-c", LIGHT.format(argv=argv)], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "zerosum: zerosum train has no option --game.gama. Did you mean --game.gamma or --game.gamma-end?\n"


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["train", "mnist", "--minutes", "0"], "--minutes must be a number above 0, not 0."),
        (
            ["train", "ring8", "--minutes", "1", "--samples", "9"],
            "Give --minutes or --samples, not both: each alone says how long to train.",
        ),
        (["resume", "runs/a", "--minutes", "-1"], "--minutes must be a number above 0, not -1."),
        (["train", "ring8", "--samples", "0"], "--samples must be a whole number of at least 1, not 0."),
    ],
)
def test_a_length_that_is_none_is_refused_before_torch_is_imported(argv: list[str], words: str) -> None:
    command = [sys.executable, "-X", "importtime", "-m", "zerosum", *argv]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    imported = [line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if line.startswith("import time:")]
    said = [line for line in done.stderr.splitlines() if not line.startswith("import time:")]
    assert (done.returncode, done.stdout, said) == (2, "", [f"zerosum: {words}"])
    assert "zerosum.commands.flags" in imported
    assert [name for name in imported if name.split(".")[0] in ("torch", "numpy", "matplotlib")] == []


def test_a_sentence_is_wrapped_between_words_for_a_terminal(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    argv = ["train", "mnist", "--game.gama", "1"]
    assert cli.main(argv) == 2
    whole = capsys.readouterr().err
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    assert cli.main(argv) == 2
    wrapped = capsys.readouterr().err
    assert wrapped.split() == whole.split()
    assert max(map(len, wrapped.splitlines())) <= 40


@pytest.mark.parametrize("width", [40, 60, 80])
def test_the_overview_fits_a_narrow_terminal(width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    lines = cli.overview().splitlines()
    assert max(len(line) for line in lines if "zerosum " not in line) <= width
    assert [line.split()[0] for line in lines if line[2:3].isalpha() and line.startswith("  ") and "zerosum " not in line[:10]] == [
        *cli.COMMANDS
    ]


def test_importing_zerosum_loads_no_torch_and_knows_its_names() -> None:
    code = "import sys, zerosum; assert 'torch' not in sys.modules; print(*dir(zerosum)); zerosum.nothing"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert {"train", "load", "resume", "evaluate", "open_data", "Refusal", "__version__"} <= set(done.stdout.split())
    assert "module 'zerosum' has no attribute 'nothing'" in done.stderr


def test_the_help_of_train_shows_the_defaults_of_the_preset_for_the_data(capsys: pytest.CaptureFixture[str]) -> None:
    from zerosum.play.presets import PRESETS

    pages = {}
    for data, preset in (("ring8", "points"), ("mnist", "digits")):
        assert cli.main(["train", data, "--help"]) == 0
        pages[data] = " ".join(capsys.readouterr().out.split())
        assert f"[{preset}]" in pages[data]
        assert f"real samples in each update, and as many generated ones. [{PRESETS[preset].config.batch}]" in pages[data]
    assert pages["ring8"] != pages["mnist"]


def test_every_command_has_a_main_and_a_sentence() -> None:
    for command, sentence in cli.COMMANDS.items():
        assert (Path(cli.__file__).parent / f"{command}.py").exists()
        assert sentence.endswith(".")


def _raising(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> int:
    def main(argv: list[str]) -> int:
        raise error

    monkeypatch.setitem(sys.modules, "zerosum.commands.train", types.SimpleNamespace(main=main))
    return cli.main(["train"])


@pytest.mark.parametrize(
    ("error", "status", "words"),
    [
        (Refusal("One sentence."), 2, "zerosum: One sentence.\n"),
        (KeyboardInterrupt(), 130, "zerosum: interrupted.\n"),
        (MemoryError(), 2, "not enough memory"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 64 bytes."), 2, "64 bytes could not be allocated"),
        (OSError(28, "No space left on device", "runs/a"), 2, "the system refused runs/a: no space left on device"),
        (PermissionError(13, "Permission denied", "runs/a"), 2, "permission denied"),
        (FileExistsError(17, "File exists", "runs/a"), 2, "the system refused runs/a: file exists"),
    ],
)
def test_what_happened_becomes_a_sentence_and_a_status(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: BaseException, status: int, words: str
) -> None:
    assert _raising(monkeypatch, error) == status
    out, err = capsys.readouterr()
    assert out == ""
    assert words in err
    assert err.count("\n") == 1


def test_a_bug_is_called_one_and_its_traceback_goes_to_a_file(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(bugs.tempfile, "gettempdir", lambda: str(tmp_path))
    assert _raising(monkeypatch, ZeroDivisionError("zero sum")) == 1
    err = capsys.readouterr().err
    (log,) = tmp_path.iterdir()
    assert (
        f"this is a bug in zerosum (ZeroDivisionError), not your mistake. Please report it at {bugs.ISSUES} and attach the file {log}."
        in err
    )
    assert "ZeroDivisionError: zero sum" in log.read_text()
    assert "Traceback" not in err


def test_a_bug_in_a_run_is_logged_in_its_folder(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def main(argv: list[str]) -> int:
        with bugs.logged_in(tmp_path):
            raise IndexError("off by one")

    monkeypatch.setitem(sys.modules, "zerosum.commands.train", types.SimpleNamespace(main=main))
    assert cli.main(["train"]) == 1
    (log,) = tmp_path.iterdir()
    assert "off by one" in log.read_text()
    assert f"(IndexError), not your mistake. Please report it at {bugs.ISSUES} and attach the file {log}." in capsys.readouterr().err


@pytest.mark.parametrize("error", [Refusal("No."), MemoryError(), RuntimeError("CUDA out of memory. Tried to allocate 20.00 GiB.")])
def test_a_refusal_and_a_lack_of_memory_inside_a_run_are_no_bugs(tmp_path: Path, error: Exception) -> None:
    with pytest.raises(type(error)), bugs.logged_in(tmp_path):
        raise error
    assert list(tmp_path.iterdir()) == []


def test_a_reader_that_leaves_is_no_error() -> None:
    code = "import sys; from zerosum.commands.cli import main; sys.exit(main(['train', '--help']))"
    for _ in range(3):
        process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert process.stdout is not None
        process.stdout.close()
        _, complaint = process.communicate(timeout=60)
        assert (process.returncode, complaint) == (0, b"")


@pytest.mark.parametrize("argv", [["tran"], ["--trian"], ["train"], ["resume"], ["sample", "x"], ["evaluate"], ["inspect"]])
def test_half_a_command_gets_a_sentence(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(argv) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("zerosum: ")
    assert err.count("\n") == 1
