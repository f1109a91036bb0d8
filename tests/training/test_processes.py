"""Several processes with the same global batch play the game of one: the same weights, statistics and gradients, up to summation order."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

HERE = Path(__file__).parent
pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="the processes are forked")
sys.path.insert(0, str(HERE))
from playing_processes import CASES  # noqa: E402

sys.path.remove(str(HERE))


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    """The folder in which each number of processes played every case."""
    out = tmp_path_factory.mktemp("ranks")
    command = [sys.executable, str(HERE / "playing_processes.py"), str(out), "1", "2", "4"]
    here = {**os.environ, "OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo"}
    done = subprocess.run(command, env=here, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return {size: out / str(size) for size in (1, 2, 4)}


def weights(run: Path, which: int = -1) -> torch.Tensor:
    """All weights in a run's last checkpoint, or another."""
    file = sorted((run / "checkpoints").iterdir())[which] / "weights.safetensors"
    return torch.cat([t.double().flatten() for _, t in sorted(load_file(file).items())])


def distance(one: torch.Tensor, other: torch.Tensor) -> float:
    return float(torch.linalg.vector_norm(one - other) / torch.linalg.vector_norm(one))


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("size", [2, 4])
def test_in_float64_ten_rounds_agree(folders: dict[int, Path], size: int, case: str) -> None:
    one, several = weights(folders[1] / "float64" / case), weights(folders[size] / "float64" / case)
    assert distance(one, weights(folders[1] / "float64" / case, 0)) > 1e-4  # something was learned
    assert distance(one, several) < 1e-9
    statistics = [load_file(folders[n] / "float64" / f"{case}.safetensors")["statistics"] for n in (1, size)]
    torch.testing.assert_close(*statistics, rtol=1e-9, atol=1e-9, equal_nan=True)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("size", [2, 4])
def test_in_float32_the_first_round_agrees(folders: dict[int, Path], size: int, case: str) -> None:
    one, several = (load_file(folders[n] / "float32" / f"{case}.safetensors") for n in (1, size))
    gradients = [torch.cat([t.flatten() for name, t in sorted(found.items()) if name != "statistics"]) for found in (one, several)]
    assert distance(*gradients) < 1e-5
    torch.testing.assert_close(one["statistics"][0], several["statistics"][0], rtol=1e-5, atol=1e-5, equal_nan=True)
