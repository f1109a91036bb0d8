"""SIGKILL at random moments: a loadable checkpoint each time, and in the end the run that nobody killed, bit for bit."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="the trainings are forked")


def test_kill_9_at_random_moments(tally: Any, count: Any, tmp_path: Path) -> None:
    asked = {"points": count(200, 8), "digits": count(40, 2)}
    command = [sys.executable, str(HERE / "killing.py"), str(tmp_path), "1", *(f"{game}:{kills}" for game, kills in asked.items())]
    here = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, env=here, capture_output=True, text=True, timeout=120 + 60 * sum(asked.values()))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    for (game, kills), line in zip(asked.items(), done.stdout.splitlines(), strict=True):
        found = json.loads(line)
        tally.add(kills, found["loadable"] if found["same"] == found["runs"] == found["gapless"] else 0)
        assert found["bad_exits"] == 0, done.stderr
        assert found["kills"] == found["loadable"] == kills
        assert found["runs"] >= 1
        assert found["same"] == found["gapless"] == found["runs"]
        if kills > 20:
            assert found["mid_run"] > kills / 4, (game, found)
