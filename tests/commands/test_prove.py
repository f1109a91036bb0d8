"""zerosum prove: the table, the JSON, and the exit status that follows the rows."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator

import pytest

from zerosum.commands.cli import main
from zerosum.data.items import Progress
from zerosum.errors import Refusal
from zerosum.study import proof
from zerosum.theory.statement import Statement, statement

HOLDS = statement("one is one", "arithmetic", 1.0, 1.0, 0.0)
FAILS = statement("one is two", "arithmetic", 1.0, 2.0, 0.5)
BROKEN = statement("nothing is measured", "arithmetic", 1.0, math.nan, 0.5)


def _proofs(monkeypatch: pytest.MonkeyPatch, quick: list[Statement], trained: list[Statement], long: list[Statement]) -> None:
    """The table of these rows, in place of the real ones, which have tests of their own."""

    def prove(names: list[str]) -> Iterator[Statement]:
        yield from quick

    monkeypatch.setattr(proof, "PROOFS", {"quick": None})
    monkeypatch.setattr(proof, "OF_THE_CODE", {})
    monkeypatch.setattr(proof, "prove", prove)
    monkeypatch.setattr(proof, "NEEDS_TRAINING", {"trained": lambda progress: trained})
    monkeypatch.setattr(proof, "SLOW", {"long": lambda progress: long})


@pytest.mark.parametrize(("words", "count"), [([], 2), (["--quick"], 1), (["--full"], 3)])
def test_which_rows_are_proved(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: list[str], count: int) -> None:
    _proofs(monkeypatch, [HOLDS], [HOLDS], [HOLDS])
    assert main(["prove", *words]) == 0
    assert f"All {count} statements hold." in capsys.readouterr().out


def test_one_failing_row_is_exit_status_1(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    _proofs(monkeypatch, [HOLDS], [FAILS], [])
    assert main(["prove"]) == 1
    out = capsys.readouterr().out
    assert "1 of 2 statements fail." in out
    assert "NO" in out


def test_json_is_the_rows_and_nothing_else(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    _proofs(monkeypatch, [HOLDS, BROKEN], [], [])
    assert main(["prove", "--json"]) == 1
    first, second = json.loads(capsys.readouterr().out)
    assert first == {"name": "one is one", "source": "arithmetic", "proved": 1.0, "measured": 1.0, "tolerance": 0.0, "holds": True}
    assert (second["measured"], second["holds"]) == (None, False)


def test_a_proof_that_cannot_be_had_is_a_row_that_fails(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def refuses(progress: Progress) -> list[Statement]:
        raise Refusal("The game broke.")

    _proofs(monkeypatch, [HOLDS], [], [])
    monkeypatch.setattr(proof, "NEEDS_TRAINING", {"trained": refuses})
    assert main(["prove", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)[1]["name"] == "trained: The game broke."


def test_quick_and_full_together_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["prove", "--quick", "--full"]) == 2
    assert "not both" in capsys.readouterr().err
