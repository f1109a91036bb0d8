"""SIGTERM and Ctrl-C in each phase of a training: a checkpoint of the last whole round, exit status 130, in under 10 s."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
PHASES = ["start-up", "building", "first save", "steps", "measuring", "grid", "saving", "report"]
MOST = 10.0  # seconds
pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="the trainings are forked")


def signalled(out: Path, cases: list[tuple[str, str]], times: int) -> list[tuple[str, dict[str, Any]]]:
    """Each case's phase with what was found after its signal."""
    command = [sys.executable, str(HERE / "signalling.py"), str(out), *(f"{phase}:{name}:{times}" for phase, name in cases)]
    here, most = {**os.environ, "OMP_NUM_THREADS": "1"}, 120 + 60 * len(cases)
    done = subprocess.run(command, env=here, capture_output=True, text=True, timeout=most)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return list(zip((phase for phase, _ in cases), map(json.loads, done.stdout.splitlines()), strict=True))


def test_a_signal_in_each_phase(tally: Any, count: Any, tmp_path: Path) -> None:
    cases = [(phase, "SIGTERM") for phase in PHASES] + [("steps", "SIGINT"), ("start-up", "SIGINT")]
    cases = cases * count(10, 1)
    survived = 0
    for phase, found in signalled(tmp_path, cases, 1):
        assert found["status"] == 130, (phase, found)
        assert found["seconds"] < MOST, (phase, found)
        if phase != "start-up":
            assert found["reason"] == ("finished" if phase == "report" else "interrupted"), (phase, found)
            assert found["round"] == found["last"], (phase, found)  # nothing of what was played is missing
            assert found["complaints"] == []
        survived += 1
    tally.add(len(cases), survived)


def test_a_second_signal_ends_at_once(tally: Any, tmp_path: Path) -> None:
    survived = 0
    phases = ["steps", "measuring", "grid", "saving", "report"]
    for phase, found in signalled(tmp_path, [(phase, "SIGTERM") for phase in phases], 2):
        assert found["seconds"] < 2.0
        # In the report the run is over: there the first signal ends.
        assert found["status"] == (130 if phase == "report" else -signal.SIGTERM)
        assert found["round"] is not None
        assert found["complaints"] == []
        survived += 1
    tally.add(len(phases), survived)
