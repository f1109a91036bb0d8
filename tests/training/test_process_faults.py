"""A fault in one of two processes: both end, with a sentence each, and what was played until then is kept."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from zerosum.runs import checkpoint

HERE = Path(__file__).parent
FAULTS = ["not finite", "a fault", "no memory", "interrupted", "other data"]
AT_ONCE = 60.0  # seconds: half of what a process would wait for another that had gone silent
pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="the processes are forked")
Ends = dict[str, tuple[dict[str, Any], dict[str, Any]]]


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("faults")


@pytest.fixture(scope="module")
def ends(out: Path) -> Ends:
    """How both processes' trainings ended, by fault."""
    here = {**os.environ, "OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo"}
    done = subprocess.run(
        [sys.executable, str(HERE / "faulty_processes.py"), str(out), *FAULTS], env=here, capture_output=True, timeout=600
    )
    assert done.returncode == 0, done.stderr.decode()
    read = {fault: [json.loads((out / fault / f"{rank}.json").read_text()) for rank in range(2)] for fault in FAULTS}
    return {fault: (first, second) for fault, (first, second) in read.items()}


def test_a_number_that_is_not_finite_in_one_process_stops_all_before_the_update(ends: Ends, out: Path) -> None:
    for end in ends["not finite"]:
        assert end["reason"] == "not finite"
        assert "step 4" in end["message"]
    assert checkpoint.newest(out / "not finite" / "run")[0] is not None


def test_a_signal_to_one_process_stops_all_after_the_same_round(ends: Ends) -> None:
    first, second = ends["interrupted"]
    assert (first["reason"], second["reason"]) == ("interrupted", "interrupted")
    assert first["round"] == second["round"]
    assert 4 <= first["round"] < 200


@pytest.mark.parametrize(("fault", "words"), [("a fault", "a fault"), ("no memory", "There is not enough memory")])
def test_who_is_left_says_that_another_is_gone(ends: Ends, out: Path, fault: str, words: str) -> None:
    first, second = ends[fault]
    assert words in second["message"]
    assert "Another process of this training is gone" in first["message"]
    assert first["seconds"] < AT_ONCE
    assert checkpoint.newest(out / fault / "run")[0] is not None


def test_processes_that_read_different_data_are_refused(ends: Ends) -> None:
    for end in ends["other data"]:
        assert "The processes read different data" in end["message"]
