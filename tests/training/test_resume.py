"""Going on where the machine, the first start's choices, or the checkpoint are not what they were."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from zerosum.data.source import Data, open_data
from zerosum.errors import Refusal
from zerosum.play import device as devices
from zerosum.play.config import Config, NetOptions, PriorOptions
from zerosum.play.thread_count import ThreadCount
from zerosum.runs.run import open_run
from zerosum.training import launch
from zerosum.training import state as states

POINTS = Config(prior=PriorOptions(dim=4), net=NetOptions(width=16, depth=2), batch=16, average=100, threads=1, device="cpu")


@pytest.fixture(scope="module")
def ring() -> Data:
    return open_data("ring8")


def changed(run: Path, **values: Any) -> None:
    manifest = json.loads((run / "run.json").read_text())
    manifest["engine"] |= values
    (run / "run.json").write_text(json.dumps(manifest))


def test_a_resume_elsewhere_says_from_which_round_it_differs(ring: Data, tmp_path: Path) -> None:
    run = launch.train(ring, tmp_path / "a", POINTS, samples=16 * 5)
    launch.resume(run.path, samples=16 * 6)
    assert not run.rows("complaint")
    changed(run.path, isa="VSX", torch="1.0", device="cuda")
    if not torch.cuda.is_available():
        launch.resume(run.path, samples=16 * 7)
        (complaint,) = run.rows("complaint")
        for words in ("From step 7 on", "no longer bit-identical", "GPU", "VSX", "torch 1.0"):
            assert words in complaint["message"]


@pytest.mark.skipif(torch.cuda.is_available(), reason="is about machines without a GPU")
def test_rounds_that_were_graphs_go_on_where_there_is_no_gpu(ring: Data, tmp_path: Path) -> None:
    run = launch.train(ring, tmp_path / "a", POINTS, samples=16 * 5)
    changed(run.path, engine="graph", device="cuda")
    manifest = json.loads((run.path / "run.json").read_text())
    manifest["config"] |= {"engine": "graph", "device": "auto"}
    (run.path / "run.json").write_text(json.dumps(manifest))
    resumed = launch.resume(run.path, samples=16 * 7)
    assert resumed.checkpoint().round == 7
    assert "it began on a GPU" in resumed.rows("complaint")[0]["message"]


def test_a_processor_with_a_unit_for_bf16_is_another_for_bf16_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """torch calls both by one name, and their sums differ in the last bits."""
    found = {}
    for unit in ("AMX", "BF16", ""):
        monkeypatch.setattr(devices, "bf16_unit", lambda unit=unit: unit)
        found[unit] = {precision: devices.instruction_set(precision) for precision in ("bf16", "float32")}
    assert found["AMX"]["float32"] == found["BF16"]["float32"] == found[""]["float32"] == found[""]["bf16"]
    assert found["AMX"]["bf16"] == found[""]["bf16"] + "+AMX"
    assert found["BF16"]["bf16"] == found[""]["bf16"] + "+BF16"


class Crowded(ThreadCount):
    """One thread is tried after the third step and kept after the fifth, whatever the clock says."""

    steps = 0

    def took(self, seconds: float) -> bool:
        self.steps += 1
        if self.steps == 3:
            self.count = 1
        elif self.steps == 5:
            self.settled = 1
        return self.steps in (3, 5)


@pytest.mark.parametrize(("end", "settled"), [(4, 2), (8, 1)])
def test_threads_that_change_are_recorded_and_a_resume_begins_with_the_settled_ones(
    end: int, settled: int, ring: Data, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = torch.get_num_threads()
    monkeypatch.setattr(launch, "choose", lambda config, kind: replace(devices.choose(config, kind), threads=2))
    try:
        with monkeypatch.context() as patch:
            patch.setattr(states, "ThreadCount", Crowded)
            run = launch.train(ring, tmp_path / "a", replace(POINTS, threads=0), samples=16 * end)
        expected = [(3, 1, True), (5, 1, False)][: 1 if end == 4 else 2]
        assert [(row["round"], row["threads"], row["trial"]) for row in run.rows("threads")] == expected
        assert all(row["most"] == 2 for row in run.rows("threads"))
        assert torch.get_num_threads() == 1
        launch.resume(run.path, samples=16 * (end + 2))
        assert torch.get_num_threads() == settled
    finally:
        torch.set_num_threads(before)


def test_a_resume_keeps_the_threads_of_the_first_start(ring: Data, tmp_path: Path) -> None:
    run = launch.train(ring, tmp_path / "a", POINTS, samples=16 * 5)
    changed(run.path, threads=2)
    try:
        launch.resume(run.path, samples=16 * 6)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(1)


@pytest.mark.parametrize(
    "values",
    [{"threads": "all"}, {"threads": 0}, {"threads": 10**9}, {"device": "meta"}, {"precision": "int8"}, {"passes": 1}, {"new": ""}],
)
def test_an_engine_that_is_none_is_refused(values: dict[str, Any], ring: Data, tmp_path: Path) -> None:
    run = launch.train(ring, tmp_path / "a", POINTS, samples=16)
    changed(run.path, **values)
    with pytest.raises(Refusal, match=r"engine in the run's run\.json is damaged"):
        launch.resume(run.path, samples=32)


@pytest.mark.parametrize("device", ["meta", "cpu:5", "gpu", "cuda:", ""])
def test_a_device_that_is_none_is_refused(device: str) -> None:
    with pytest.raises(Refusal, match="--device must be cpu, cuda, cuda:N or auto"):
        devices.choose(replace(POINTS, device=device), "points")


def test_a_checkpoint_of_other_shapes_is_refused_before_the_nets_are_built(ring: Data, tmp_path: Path) -> None:
    run = launch.train(ring, tmp_path / "a", POINTS, samples=16)
    manifest = json.loads((run.path / "run.json").read_text())
    manifest["config"]["net"]["width"] = 2**20  # two hidden layers of it: four terabytes
    (run.path / "run.json").write_text(json.dumps(manifest))
    with pytest.raises(Refusal, match="does not fit the run's config"):
        open_run(run.path).sample(2)
    with pytest.raises(Refusal, match="does not fit the run's config"):
        launch.resume(run.path, samples=64)
