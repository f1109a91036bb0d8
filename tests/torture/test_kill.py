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
    kills = count(200, 8)
    command = [sys.executable, str(HERE / "killing.py"), str(tmp_path), str(kills), "1"]
    here = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, env=here, capture_output=True, text=True, timeout=120 + 30 * kills)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    tally.add(kills, found["loadable"] if found["same"] == found["runs"] == found["gapless"] else 0)
    assert found["bad_exits"] == 0, done.stderr
    assert found["kills"] == found["loadable"] == kills
    assert found["runs"] >= 1
    assert found["same"] == found["gapless"] == found["runs"]
    if kills > 20:
        assert found["mid_run"] > kills / 4
