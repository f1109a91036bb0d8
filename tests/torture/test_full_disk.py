"""A disk that fills up at any write, sync, rename or new folder of a run: a sentence, a checkpoint, and afterwards the same run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch.testing import assert_close

from zerosum.commands import cli
from zerosum.runs import checkpoint
from zerosum.training import state as training_state
from zerosum.training import timers

SIZE = ["--batch", "16", "--net.width", "8", "--net.depth", "1", "--prior.dim", "2", "--samples", "160", "--quiet"]
WAYS: dict[str, dict[str, Any]] = {
    "once": {},
    "short": {"short": True},
    "full from there on": {"stays_full": True},
}

pytestmark = pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="which file is synced is read from /proc")


@pytest.fixture(scope="module", autouse=True)
def hurried() -> Any:
    """Checkpoints and grids in mid-run although the run is short; no picture or curve is drawn, and nobody waits for room."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(timers, "CHECKPOINT", 0.0)
        patch.setattr(timers, "GRID", 0.1)
        patch.setattr(training_state, "PATIENCE", 0.0)
        patch.setattr("zerosum.report.page.curves", lambda run: [])
        patch.setattr("zerosum.api.training.drawer", lambda data: lambda samples, path: path.write_bytes(b"a picture"))
        yield


def state(run: Path) -> dict[str, torch.Tensor]:
    found, _ = checkpoint.newest(run)
    assert found is not None
    return {f"{f.name}:{name}": t for f in sorted(found.path.glob("*.safetensors")) for name, t in load_file(f).items()}


@pytest.mark.parametrize("way", WAYS)
def test_a_disk_that_is_full(
    way: str, tally: Any, count: Any, disk: Any, fill: Any, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    straight = tmp_path / "straight"
    counted = disk(straight)
    fill(counted)
    assert cli.main(["train", "ring8", "--out", str(straight), *SIZE]) == 0
    fill(None)
    operations = len(counted.operations)
    kinds = {operation.split()[1] for operation in counted.operations}
    assert {"record.jsonl", "run.json.partial", "weights.safetensors", "manifest.json", "grid.png"} <= kinds
    # A few faults lie where every run comes by: a busy machine's run writes fewer checkpoints than the one that was counted.
    n = count(operations, 6)
    reach = operations if n == operations else operations * 6 // 10
    tries = sorted({1 + i * reach // n for i in range(n)})
    survived = failures = 0
    for at in tries:
        out = tmp_path / f"{at}"
        full = disk(out, at, **WAYS[way])
        capfd.readouterr()
        fill(full)
        status = cli.main(["train", "ring8", "--out", str(out), *SIZE])
        fill(None)
        said = capfd.readouterr().err
        assert status in (0, 2), said
        assert "Traceback" not in said
        assert "bug" not in said
        if status == 2:
            assert said.startswith("zerosum: "), said
        failures += full.failures > 0
        verb = ["resume", str(out), "--quiet"] if (out / "run.json").exists() else ["train", "ring8", "--out", str(out), *SIZE]
        assert cli.main(verb) == 0, capfd.readouterr().err
        assert_close(state(out), state(straight), rtol=0, atol=0)
        survived += 1
    # How many checkpoints a run writes depends on how long each takes: the last operations of one are not there in another.
    assert failures > 0.7 * len(tries), "the faults did not hit"
    tally.add(failures, failures - (len(tries) - survived))
