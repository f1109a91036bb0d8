"""scripts/machines.py: its table, what it leaves out, and that a check that cannot be tried fails."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

SCRIPT = Path(__file__).parent.parent / "scripts" / "machines.py"


@pytest.fixture(scope="module")
def machines() -> Any:
    spec = importlib.util.spec_from_file_location("machines", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["machines"] = module
    spec.loader.exec_module(module)
    return module


def test_the_table_names_what_fails(machines: Any) -> None:
    found = {"one": {"a": machines.Found("8 modes", True), "b": machines.Found("-", None)}, "two": {"a": machines.Found("7 modes", False)}}
    found["two"]["b"] = machines.Found("1.5", True)
    assert machines.table(found, ["a", "b"]).splitlines() == [
        "| machine | a | b |",
        "| --- | --- | --- |",
        "| one | 8 modes | - |",
        "| two | 7 modes (FAILS) | 1.5 |",
    ]


def test_what_a_machine_cannot_show_is_left_out_and_a_fault_fails(machines: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(env: Any, seeds: int) -> Any:
        raise RuntimeError("exit status 2")

    monkeypatch.setitem(machines.CHECKS, "prove", stopped)
    assert machines.tried("busy neighbour", "prove", 1) == ("-", None)
    assert machines.tried("AVX2", "prove", 1) == ("could not be tried: exit status 2", False)
    assert set(machines.NEEDS) | set(machines.LEFT_OUT) <= set(machines.MACHINES)
    assert set().union(*machines.LEFT_OUT.values()) <= set(machines.CHECKS)


@pytest.mark.parametrize("args", [["--machines", "PDP-11"], ["--only", "poetry"]])
def test_an_unknown_name_is_refused_with_those_that_exist(args: list[str]) -> None:
    done = subprocess.run([sys.executable, str(SCRIPT), *args], capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "There is no" in done.stderr
    assert ("AVX2" if args[0] == "--machines" else "ring8") in done.stderr


def test_without_mnist_its_check_is_skipped_with_a_sentence(machines: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(machines, "MNIST", tmp_path / "none")
    assert machines.mnist({}, 1) == ("skipped: MNIST is not on this machine", None)


@pytest.mark.parametrize(("holds", "status"), [(True, 0), (False, 1)])
def test_the_table_is_printed_and_written_and_its_failures_are_the_exit_status(
    machines: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str], holds: bool, status: int
) -> None:
    path = tmp_path / "build" / "table.md"
    monkeypatch.setitem(machines.CHECKS, "bench", lambda env, seeds: machines.Found("1.5", holds))
    monkeypatch.setattr(sys, "argv", ["machines.py", "--machines", "AVX2", "--only", "bench", "--markdown", str(path)])
    assert machines.main() == status
    shown = capsys.readouterr()
    assert path.read_text() == shown.out
    assert shown.out.splitlines()[-1] == f"| AVX2 | 1.5{'' if holds else ' (FAILS)'} |"
    assert shown.err.startswith("AVX2: bench ...")
