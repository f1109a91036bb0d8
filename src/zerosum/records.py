"""Reading a run folder's run.json and record.jsonl, as this version or an earlier one wrote them. Format: docs/run-folder.md.

This is the one reader: the training, the verdict and the report all call it. It changes nothing and needs no torch.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

from zerosum.errors import Refusal
from zerosum.plain_files import NotPlain, read_plain

Row = dict[str, Any]
"""One JSON object of record.jsonl; its "type" says which kind of row it is."""

SCHEMA = 2
"""The format that this version writes. Every earlier one is read too, by `upgraded`."""


class RecordContent(NamedTuple):
    """rows: the record in order. unreadable: how many whole lines were no row."""

    rows: list[Row]
    unreadable: int


def read_rows(file: Path) -> RecordContent:
    """The rows of a record.jsonl; none where the file is missing. Raises Refusal where it is no file.

    A row is a JSON object with a "type". A last line without a line break is still being written: it counts only if it is a row.
    """
    if not file.exists():
        return RecordContent([], 0)
    *whole, last = read_plain(file).split(b"\n")
    found = [_row(line) for line in whole if line.strip()]
    rows = [row for row in [*found, _row(last)] if row is not None]
    return RecordContent([_upgraded_row(row) for row in rows], found.count(None))


def _row(line: bytes) -> Row | None:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return row if isinstance(row, dict) and "type" in row else None


def is_run(folder: Path) -> bool:
    """Whether a folder is a run's, by the files that every run has."""
    return (folder / "run.json").is_file() and (folder / "record.jsonl").is_file()


def read_manifest(folder: Path) -> dict[str, Any]:
    """A run's run.json, upgraded to the present schema. Raises Refusal where there is none, or none that can be read."""
    if not folder.exists():
        raise Refusal(f"There is no run at {folder}: give the folder that zerosum train wrote to.")
    try:
        manifest = json.loads(read_plain(folder / "run.json"))
        schema = manifest["schema"]
    except NotPlain:
        raise
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise Refusal(f"{folder} is not a run: it holds no readable run.json; give the folder that zerosum train wrote to.") from error
    if type(schema) is not int or not 1 <= schema <= SCHEMA:
        writer = f"{folder} was written with run schema {schema} by zerosum {manifest.get('zerosum', '?')}"
        raise Refusal(f"{writer}, and this version reads schemas 1 to {SCHEMA}: use that version.")
    return upgraded(manifest)


def upgraded(manifest: dict[str, Any]) -> dict[str, Any]:
    """A manifest of any schema as the present one. What is missing or damaged stays so, for the reader of that part to refuse."""
    manifest = dict(manifest)
    if manifest["schema"] == 1:
        _from_1(manifest)
    manifest["schema"] = SCHEMA
    return manifest


def _from_1(manifest: dict[str, Any]) -> None:
    """Schema 1 said "until_settled" for until_plateau, "twin" for the engine bf16_copy and "passes" for its closed_form.

    Its options also had an engine "compiled", which no training accepted; a run.json that names it goes on as "auto".
    """
    asked, engine, config = (manifest.get(key) for key in ("asked", "engine", "config"))
    if isinstance(asked, dict):
        manifest["asked"] = {{"until_settled": "until_plateau"}.get(key, key): value for key, value in asked.items()}
    if isinstance(engine, dict):
        # The first runs state neither routes nor passes, which is closed_form now.
        engine = {"routes": "", **_renamed(engine, "engine", {"twin": "bf16_copy"})}
        manifest["engine"] = {**{k: v for k, v in engine.items() if k != "passes"}, "closed_form": engine.get("passes", False)}
    if isinstance(config, dict):
        manifest["config"] = _renamed(config, "engine", {"compiled": "auto"})


def _upgraded_row(row: Row) -> Row:
    """Schema 1 ended a run that had reached a plateau for the reason "settled"."""
    return _renamed(row, "reason", {"settled": "plateaued"}) if row["type"] == "stop" else row


def _renamed(values: dict[str, Any], key: str, names: dict[str, str]) -> dict[str, Any]:
    """`values` with an old name under `key` replaced by the new one."""
    old = values.get(key)
    return {**values, key: names[old]} if isinstance(old, str) and old in names else values
