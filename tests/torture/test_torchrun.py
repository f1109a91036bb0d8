"""A process of several is killed: torchrun starts all again, and the run goes on from the last checkpoint to the same end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from zerosum.records import read_rows
from zerosum.runs import checkpoint

HERE = Path(__file__).parent
OPTIONS = ["--batch", "64", "--net.width", "32", "--prior.dim", "4", "--quiet"]
MOST = 150.0  # seconds from the loss of a process to the end of those that are left: the time limit that ranks.py states, and some
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="the processes are found in /proc"),
]


def launched(out: Path, samples: int, restarts: int, job: str = "none") -> subprocess.Popen[str]:
    launcher = [
        sys.executable,
        "-m",
        "torch.distributed.run",
        "--nproc-per-node",
        "2",
        "--max-restarts",
        str(restarts),
        "--monitor-interval",
        "0.1",
        # Without a place to meet, torchrun makes up a name of its own in place of --rdzv-id.
        *["--rdzv-backend", "c10d", "--rdzv-endpoint", "localhost:0", "--rdzv-id", job],
    ]
    command = [*launcher, str(HERE / "hurried.py"), "train", "ring8", "--out", str(out), "--samples", str(samples), *OPTIONS]
    here = {**os.environ, "OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo"}
    return subprocess.Popen(command, env=here, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def children(pid: int) -> list[int]:
    """The processes that a process has started."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            if int(stat.read_text().rpartition(")")[2].split()[1]) == pid:
                found.append(int(stat.parent.name))
        except (OSError, ValueError, IndexError):
            continue
    return found


def wait_for_checkpoint(out: Path, launcher: subprocess.Popen[str], beyond: int) -> None:
    """Waits until a checkpoint of a round after `beyond` is there."""
    end = time.monotonic() + 240
    while time.monotonic() < end and launcher.poll() is None:
        if any(int(path.name) > beyond for path in checkpoint.listed(out)):
            return
        time.sleep(0.05)
    raise AssertionError(f"no checkpoint beyond round {beyond}")


def state(run: Path) -> dict[str, torch.Tensor]:
    found, _ = checkpoint.newest(run)
    assert found is not None
    return {f"{f.name}:{name}": t for f in sorted(found.path.glob("*.safetensors")) for name, t in load_file(f).items()}


def killed_and_restarted(out: Path, samples: int, which: int) -> None:
    """Trains in two processes and kills one of them in mid-run."""
    launcher = launched(out, samples, restarts=3)
    try:
        wait_for_checkpoint(out, launcher, 0)
        first = next(row["pid"] for row in read_rows(out / "record.jsonl").rows if row["type"] == "start")
        pids = {pid: 0 if pid == first else 1 for pid in children(launcher.pid)}
        os.kill(next(pid for pid, rank in pids.items() if rank == which), signal.SIGKILL)
        said, _ = launcher.communicate(timeout=240)
    finally:
        launcher.kill()
    assert launcher.returncode == 0, said


def test_a_rank_killed_under_torchrun(tally: Any, count: Any, tmp_path: Path) -> None:
    samples = 64 * 1500
    straight = launched(tmp_path / "straight", samples, restarts=0)
    said, _ = straight.communicate(timeout=240)
    assert straight.returncode == 0, said
    kills = [i % 2 for i in range(count(6, 1))]
    survived = 0
    for i, which in enumerate(kills):
        out = tmp_path / str(i)
        killed_and_restarted(out, samples, which)
        rows = read_rows(out / "record.jsonl").rows
        starts = [row["round"] for row in rows if row["type"] == "start"]
        assert len(starts) == 2, "the kill did not hit a live training"
        assert starts[1] > 0, "the run began anew"
        # The process that is left is told to stop, or finds the other gone, and may save with a row that says so.
        *before, last = [row["reason"] for row in rows if row["type"] == "stop"]
        assert last == "finished"
        assert before in ([], ["interrupted"], ["error"])
        assert [r["round"] for r in rows] == sorted(r["round"] for r in rows)
        one, other = state(out), state(tmp_path / "straight")
        assert all(torch.equal(t, other[name]) for name, t in one.items())
        survived += 1
    tally.add(len(kills), survived)


def test_a_machine_that_is_taken_away(tally: Any, tmp_path: Path) -> None:
    """SIGTERM to torchrun, as Slurm and Kubernetes send it: saved where it stood, and the same command goes on from there."""
    out, samples = tmp_path / "a", 64 * 600
    launcher = launched(out, samples, restarts=0, job="photos")
    try:
        wait_for_checkpoint(out, launcher, 0)
        launcher.terminate()
        launcher.communicate(timeout=MOST)
    finally:
        launcher.kill()
    last = read_rows(out / "record.jsonl").rows[-1]
    found, complaints = checkpoint.newest(out)
    assert found is not None
    assert (last["reason"], found.round, complaints) == ("interrupted", last["round"], [])
    again = launched(out, samples, restarts=0, job="photos")
    said, _ = again.communicate(timeout=240)
    assert again.returncode == 0, said
    rows = read_rows(out / "record.jsonl").rows
    assert [row["round"] for row in rows if row["type"] == "start"] == [0, found.round]
    assert [row["reason"] for row in rows if row["type"] == "stop"] == ["interrupted", "finished"]
    tally.add(1, 1)


def test_those_that_are_left_end_within_the_stated_time(tally: Any, tmp_path: Path) -> None:
    """Without restarts: nobody hangs, and the run can be resumed."""
    launcher = launched(tmp_path / "a", 64 * 100_000, restarts=0)
    try:
        wait_for_checkpoint(tmp_path / "a", launcher, 0)
        pids = children(launcher.pid)
        os.kill(max(pids), signal.SIGKILL)
        killed = time.monotonic()
        launcher.communicate(timeout=2 * MOST)
        assert time.monotonic() - killed < MOST
    finally:
        launcher.kill()
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)
    found, complaints = checkpoint.newest(tmp_path / "a")
    assert found is not None
    assert found.round > 0
    assert complaints == []
    assert json.loads((tmp_path / "a" / "run.json").read_text())["ranks"] == 2
    tally.add(1, 1)
