"""The record: whole rows, no NaN in JSON, cut back where a checkpoint says."""

from __future__ import annotations

from pathlib import Path

from zerosum.records import read_rows
from zerosum.runs.record import Record


def test_rows_are_there_as_soon_as_they_are_written(tmp_path: Path) -> None:
    record = Record(tmp_path / "record.jsonl")
    record.append({"type": "signals", "round": 1, "V": float("nan"), "a": [1.0, float("inf")], "deep": {"b": float("-inf")}})
    assert read_rows(tmp_path / "record.jsonl").rows == [{"type": "signals", "round": 1, "V": None, "a": [1.0, None], "deep": {"b": None}}]
    record.close()


def test_a_resume_cuts_back_to_the_checkpoint(tmp_path: Path) -> None:
    path = tmp_path / "record.jsonl"
    record = Record(path)
    record.append({"type": "signals", "round": 1})
    length = record.length()
    record.append({"type": "signals", "round": 2})
    record.close()
    record = Record(path, keep_bytes=length)
    record.append({"type": "signals", "round": 2, "again": True})
    record.close()
    assert [r["round"] for r in read_rows(path).rows] == [1, 2]
    assert read_rows(path).rows[1]["again"]
