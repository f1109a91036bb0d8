"""The spin of torch's threads is bounded before torch loads, unless the user has chosen it."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from zerosum.commands.cli import main
from zerosum.openmp import SPINS, bound_spinning


@pytest.mark.parametrize("chosen", [{"GOMP_SPINCOUNT": "7"}, {"OMP_WAIT_POLICY": "ACTIVE"}])
def test_what_the_user_has_set_stays(chosen: dict[str, str]) -> None:
    environment = dict(chosen)
    bound_spinning(environment)
    assert environment == chosen


def test_the_command_bounds_it(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY"):
        monkeypatch.delenv(name, raising=False)
    assert main(["--version"]) == 0
    assert os.environ["GOMP_SPINCOUNT"] == str(SPINS)


@pytest.mark.skipif(sys.platform != "linux", reason="torch has GNU OpenMP on Linux")
def test_torch_loads_with_it() -> None:
    here = {name: value for name, value in os.environ.items() if name not in ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY")}
    # As it loads, GNU OpenMP prints the values that it has read from the environment.
    loaded = subprocess.run(
        [sys.executable, "-c", "import zerosum; zerosum.train"], env={**here, "OMP_DISPLAY_ENV": "VERBOSE"}, capture_output=True, text=True
    )
    assert loaded.returncode == 0
    assert f"GOMP_SPINCOUNT = '{SPINS}'" in loaded.stderr
