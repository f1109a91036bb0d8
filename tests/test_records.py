"""The one reader of a run folder: whole rows, manifests of every schema, and refusals of what is none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from zerosum.errors import Refusal
from zerosum.records import SCHEMA, read_manifest, read_rows, upgraded

OLD: dict[str, Any] = {
    "schema": 1,
    "config": {"engine": "auto", "batch": 64},
    "asked": {"samples": 320, "minutes": None, "until_settled": True},
    "engine": {"engine": "twin", "precision": "bf16"},
}


def test_a_line_cut_short_and_lines_of_rubbish_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "record.jsonl"
    path.write_bytes(json.dumps({"type": "start"}).encode() + b'\n\xff\xfe\n[1]\n\n{"no": "type"}\n' + b"[" * 10**5 + b'\n{"type": "sig')
    assert read_rows(path) == ([{"type": "start"}], 4)
    assert read_rows(tmp_path / "none.jsonl") == ([], 0)


def test_a_last_row_without_a_line_break_is_a_row_once_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "record.jsonl"
    text = '{"type": "start"}\n{"type": "stop", "reason": "finished"}'
    for end in range(len(text) + 1):
        path.write_text(text[:end])
        rows, unreadable = read_rows(path)
        assert [row["type"] for row in rows] == ["start", "stop"][: (end >= 17) + (end == len(text))]
        assert unreadable == 0


def test_the_old_reason_of_a_plateau_is_read_as_the_new_one(tmp_path: Path) -> None:
    path = tmp_path / "record.jsonl"
    path.write_text('{"type": "stop", "reason": "settled"}\n{"type": "stop", "reason": []}\n{"type": "note", "reason": "settled"}\n')
    assert [row["reason"] for row in read_rows(path).rows] == ["plateaued", [], "settled"]


def test_schema_1_is_upgraded() -> None:
    new = upgraded(OLD)
    assert new["schema"] == SCHEMA
    assert new["asked"] == {"samples": 320, "minutes": None, "until_plateau": True}
    assert new["engine"] == {"engine": "bf16_copy", "precision": "bf16", "routes": "", "closed_form": False}
    assert new["config"] == OLD["config"]
    assert upgraded({**OLD, "config": {"engine": "compiled"}})["config"]["engine"] == "auto"
    assert upgraded(new) == new
    assert OLD["schema"] == 1


def test_what_schema_1_states_is_kept() -> None:
    engine = {"engine": "eager", "routes": "g.layers.1:up", "passes": True}
    assert upgraded({**OLD, "engine": engine})["engine"] == {"engine": "eager", "routes": "g.layers.1:up", "closed_form": True}


@pytest.mark.parametrize("part", ["config", "asked", "engine"])
@pytest.mark.parametrize("value", [None, [], "text", 3])
def test_damage_is_left_for_the_reader_of_the_part(part: str, value: Any) -> None:
    assert upgraded({**OLD, part: value})[part] == value


@pytest.mark.parametrize("content", [None, "{", "[]", "3", "{}", "[" * 10**5])
def test_a_folder_without_a_manifest_is_no_run(content: str | None, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "run.json").write_text(content)
    with pytest.raises(Refusal, match=r"is not a run: it holds no readable run\.json"):
        read_manifest(tmp_path)
    with pytest.raises(Refusal, match="There is no run at"):
        read_manifest(tmp_path / "nowhere")


@pytest.mark.parametrize("schema", [0, SCHEMA + 1, "1", None, True, 1.0])
def test_another_schema_is_refused_with_the_version_that_wrote_it(schema: Any, tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text(json.dumps({**OLD, "schema": schema, "zerosum": "9.9"}))
    with pytest.raises(Refusal, match=f"written with run schema {schema} by zerosum 9.9, and this version reads schemas 1 to {SCHEMA}"):
        read_manifest(tmp_path)
