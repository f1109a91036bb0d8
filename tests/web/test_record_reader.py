"""Records that grow, are cut, are long, or contain what is no row; and how a run's state is read."""

from __future__ import annotations

import json
import os
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from zerosum.web import record_reader
from zerosum.web.record_reader import POINTS, RecordReader
from zerosum.web.run_state import found_runs, locked_by, state_of
from zerosum.web.run_view import WatchedRun


def signal(i: int) -> dict[str, Any]:
    return {"type": "signals", "round": i, "samples": 64 * i, "seconds": 0.1 * i, "loss_d": 1 / (i + 1), "loss_g": 0.5}


def written(rows: list[dict[str, Any]]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def test_only_what_is_new_is_read(tmp_path: Path) -> None:
    file = tmp_path / "record.jsonl"
    reader = RecordReader(file)
    assert not reader.refresh()
    file.write_text(written([signal(0), signal(1)]) + '{"type": "signals", "ro')
    assert reader.refresh()
    assert [row["round"] for row in reader.signals] == [0, 1]
    with file.open("a") as opened:
        opened.write('und": 2, "samples": 128}\n' + written([{"type": "check", "round": 2, "samples": 128}]))
    assert reader.refresh()
    assert not reader.refresh()
    assert [row["round"] for row in reader.signals] == [0, 1, 2]
    assert len(reader.rows["check"]) == 1


def test_a_record_that_was_cut_is_read_anew(tmp_path: Path) -> None:
    file = tmp_path / "record.jsonl"
    file.write_text(written([signal(i) for i in range(10)]))
    reader = RecordReader(file)
    reader.refresh()
    file.write_text(written([signal(i) for i in range(3)]))
    assert reader.refresh()
    assert len(reader.signals) == 3


def test_curves_stay_bounded_and_end_with_the_newest_row(tmp_path: Path) -> None:
    file = tmp_path / "record.jsonl"
    reader = RecordReader(file)
    for part in range(20):
        with file.open("a") as opened:
            opened.write(written([signal(i) for i in range(part * 500, part * 500 + 500)]))
        reader.refresh()
        assert reader.signals[-1]["round"] == part * 500 + 499
        assert len(reader.signals) <= 2 * POINTS + 1
    samples = reader.curve(["loss_d"])[0]
    assert samples == sorted(samples)
    assert max(b - a for a, b in pairwise(samples)) <= 64 * 10_000 / POINTS * 4


def test_a_long_record_is_skimmed_and_searched_from_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(record_reader, "LONG", 20_000)
    monkeypatch.setattr(record_reader, "CHUNK", 200_000)
    rows = [{"type": "start", "round": 0, "samples": 0, "horizon": 9}]
    for i in range(20_000):
        rows.append(signal(i))
        if i % 500 == 499:
            rows.append({"type": "check", "round": i, "samples": 64 * i})
    file = tmp_path / "record.jsonl"
    file.write_text(written([*rows, {"type": "stop", "round": 20_000, "samples": 64 * 20_000, "reason": "finished"}]))
    reader = RecordReader(file)
    reader.refresh()
    assert reader.end is not None
    assert reader.end["type"] == "stop"
    assert 0 < len(reader.rows["check"]) < 40
    assert len(reader.signals) >= POINTS - 5
    while reader.refresh():
        pass
    assert [row["round"] for row in reader.rows["check"]] == [i for i in range(20_000) if i % 500 == 499]
    assert (len(reader.rows["start"]), len(reader.rows["stop"])) == (1, 1)
    with file.open("a") as opened:
        opened.write(written([signal(20_000)]))
    assert reader.refresh()
    assert reader.signals[-1]["round"] == 20_000


@pytest.mark.parametrize(
    "line", ["", "[]", "nonsense", '{"type": 3}', '{"no": "type"}', "[" * 5000, '{"type": "signals", "samples": 1e999}']
)
def test_what_is_no_row_is_counted_and_nothing_breaks(tmp_path: Path, line: str) -> None:
    file = tmp_path / "record.jsonl"
    file.write_text(written([signal(0)]) + line + "\n" + written([signal(1)]))
    reader = RecordReader(file)
    assert reader.refresh()
    assert reader.signals[-1]["round"] == 1
    reader.curve(["loss_d"])


def make(tmp_path: Path, name: str, rows: list[dict[str, Any]]) -> Path:
    folder = tmp_path / name
    folder.mkdir()
    (folder / "run.json").write_text(json.dumps({"schema": 2, "data": {"name": name}, "config": {}, "asked": {}}))
    (folder / "record.jsonl").write_text(written(rows))
    return folder


def test_states_in_words(tmp_path: Path) -> None:
    start, stop = {"type": "start", "pid": 1}, {"type": "stop", "reason": "finished"}
    folder = make(tmp_path, "a", [start])
    assert state_of(folder, start, time.time()).name == "growing"
    assert state_of(folder, start, time.time() - 100).name == "crashed"
    assert state_of(folder, stop, time.time()).words == "Finished."
    assert state_of(folder, {"type": "stop", "reason": "not finite"}, 0).trouble
    with FileLock(folder / "lock"):
        assert state_of(folder, start, 0).name == "live"
        assert locked_by(folder) == os.getpid()
    assert locked_by(folder) is None
    (folder / "run.json").unlink()
    assert state_of(folder, start, 0).name == "incomplete"


def test_runs_are_found_below_and_links_do_not_lead_out(tmp_path: Path) -> None:
    inside, outside = tmp_path / "in", tmp_path / "out"
    inside.mkdir()
    outside.mkdir()
    make(inside, "a", [])
    make(outside, "secret", [])
    (inside / "link").symlink_to(outside / "secret")
    assert [folder.name for folder in found_runs([inside]).values()] == ["a"]
    assert [folder.name for folder in found_runs([inside / "a"]).values()] == ["a"]


def test_a_grid_is_served_only_from_inside(tmp_path: Path) -> None:
    (tmp_path / "secret.png").write_bytes(b"\x89PNG")
    folder = make(
        tmp_path, "a", [{"type": "grid", "round": 1, "samples": 1, "file": "../secret.png"}, {"type": "grid", "round": 2, "file": "x.png"}]
    )
    (folder / "x.png").write_bytes(b"\x89PNG")
    run = WatchedRun("0", folder)
    run.refresh()
    assert run.grid_file(1) is None
    assert run.grid_file(2) == (folder / "x.png").resolve()
    assert run.grid_file(3) is None
    assert run.whole()["state"]["name"] in ("growing", "crashed")


def test_a_damaged_run_is_shown_all_the_same(tmp_path: Path) -> None:
    folder = make(tmp_path, "a", [{"type": "check", "round": None, "samples": "x"}, {"type": "score", "name": None, "samples": []}])
    (folder / "run.json").write_text("{")
    run = WatchedRun("0", folder)
    run.refresh()
    assert run.line()["data"] is None
