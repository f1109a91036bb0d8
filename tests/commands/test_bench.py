"""The verb bench at sizes that take no time."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from zerosum.commands.bench import told
from zerosum.commands.cli import main


def test_bench_prints_a_row_a_name_and_nothing_else(capfd: pytest.CaptureFixture[str]) -> None:
    words = ["ring8", "dcgan64", "sample", "load", "--small", "--turns=1", "--seconds=0.01", "--items=2000", "--threads=1", "--json"]
    assert main(["bench", *words]) == 0
    rows = json.loads(capfd.readouterr().out)
    assert [row["name"] for row in rows] == ["ring8", "dcgan64", "sample", "load"]
    for row in rows:
        assert row["ratio"] > 0
        assert row["reference"] > 0
        assert row["unit"] == "samples/s"
        assert "times" in told(row)
    assert rows[0]["gflop_a_round"] > 0
    assert sum(rows[1]["time"].values()) == pytest.approx(1)


def test_why_lists_the_candidates_and_the_choice(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("ZEROSUM_CACHE", str(tmp_path))
    assert main(["bench", "ring8", "--why", "--small", "--threads=1"]) == 0
    said = " ".join(capfd.readouterr().out.split())
    assert "float32, 1 thread, closed form:" in said
    assert "float32, 1 thread, autograd:" in said
    assert said.count("(chosen)") == 1
    assert "Machine:" in said


def test_bench_refuses_what_it_does_not_know(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "ring9"]) == 2
    assert "ring8" in capsys.readouterr().err
    assert main(["bench", "ring8", "--turns", "0"]) == 2
    assert main(["bench", "load", "--why"]) == 2
    assert main(["bench", "ring8", "--picture", "a.png"]) == 2
    assert main(["bench", "--help"]) == 0
