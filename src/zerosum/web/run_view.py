"""One run as the page shows it: plain values, from run.json, the record and the names of its pictures. In the report's words."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from zerosum.errors import Refusal
from zerosum.records import Row, read_manifest
from zerosum.report.board import has_probabilities
from zerosum.report.facts import about, options, scores, summary
from zerosum.report.folder import RunFolder
from zerosum.report.next_commands import next_commands
from zerosum.report.words import CURVES, HEALTHY_SCORES, NO_PROBABILITY
from zerosum.verdict import verdict
from zerosum.web.record_reader import RecordReader, short
from zerosum.web.run_state import state_of

# The columns of each curve: the record's key, the label, the colour. In reading order.
COLUMNS: dict[str, list[tuple[str, str, str]]] = {
    "losses": [("loss_d", "D", "d"), ("loss_g", "G", "g")],
    "gradients": [("grad_d", "D", "d"), ("grad_g", "G", "g")],
    "V": [("V", "V(D, G)", "d")],
    "probabilities": [("D_real", "D(x)", "ink"), ("D_fake", "D(G(z))", "g")],
    "accuracy": [("accuracy", "accuracy of D", "d")],
    "logits": [("a", "D(x)", "ink"), ("b", "D(G(z))", "g")],
    "penalty": [("penalty", "penalty", "d")],
    "speed": [("rate", "samples per second", "g")],
}
LEVELS = {"V": (-1.3862943611, "-log 4"), "probabilities": (0.5, "1/2"), "accuracy": (0.5, "1/2")}


class WatchedRun:
    """A run that is read as it grows. Used by one thread at a time."""

    def __init__(self, identifier: str, folder: Path) -> None:
        self.id, self.folder = identifier, folder
        self.reader = RecordReader(folder / "record.jsonl")
        self._manifest: tuple[float, dict[str, Any]] | None = None
        self._judged: tuple[int, dict[str, Any]] | None = None

    def refresh(self) -> bool:
        return self.reader.refresh()

    @property
    def manifest(self) -> dict[str, Any]:
        """run.json; {} where it cannot be read."""
        try:
            changed = (self.folder / "run.json").stat().st_mtime
            if self._manifest is None or self._manifest[0] != changed:
                self._manifest = (changed, read_manifest(self.folder))
            return self._manifest[1]
        except (OSError, Refusal):
            return {}

    @property
    def run(self) -> RunFolder:
        """The run as the report reads it, with the rows that are kept here."""
        rows = [row for kind in ("start", "horizon", "grid", "score", "stop") for row in self.reader.rows[kind]]
        return RunFolder(self.folder, self.manifest, rows, self.reader.unreadable)

    def _changed(self) -> float:
        try:
            return (self.folder / "record.jsonl").stat().st_mtime
        except OSError:
            return 0.0

    def line(self) -> dict[str, Any]:
        """What the list of runs shows."""
        last = self.reader.last or {}
        state = state_of(self.folder, self.reader.end, self._changed())
        data = self.manifest.get("data")
        grids = self.reader.rows["grid"]
        changed = self._changed()
        return {
            "id": self.id,
            "name": self.folder.name,
            "path": str(self.folder),
            "state": {"name": state.name, "words": state.words, "trouble": state.trouble},
            "data": data.get("name") if isinstance(data, Mapping) else None,
            "samples": last.get("samples"),
            "seconds": last.get("seconds"),
            "horizon": self.run.horizon(),
            "age": max(0.0, time.time() - changed) if changed else None,
            "preview": grids[-1].get("round") if grids else None,
            "verdict": self.verdict()["state"] if self.reader.rows["check"] else None,
            "revision": self.reader.revision,
        }

    def verdict(self) -> dict[str, Any]:
        """The verdict on the checks so far, with the state at each of them."""
        if self._judged is None or self._judged[0] != self.reader.revision:
            config = self.manifest.get("config")
            rows = self.reader.judged()
            self._judged = (self.reader.revision, verdict(rows, config if isinstance(config, Mapping) else None).to_json())
        return self._judged[1]

    def whole(self) -> dict[str, Any]:
        """All that the run's page shows."""
        found = self.verdict()
        run = self.run
        commands = (
            next_commands([row for row in (self.reader.end, self.reader.last) if row], self.manifest, self.folder) if self.manifest else []
        )
        return {
            **self.line(),
            "summary": summary(run) if self.manifest else "run.json is not there, or cannot be read yet.",
            "judged": found | {"history": found["history"]},
            "distance": self._distance(found),
            "curves": [*self._curves(), *self._scores()],
            "no_probability": NO_PROBABILITY if self.reader.signals and not has_probabilities(self.reader.signals[-1]) else None,
            "scores": scores(run),
            "grids": [{key: row.get(key) for key in ("round", "samples", "seconds")} for row in self.reader.rows["grid"]],
            "rows_of_classes": self._rows_of_classes(),
            "about": about(run),
            "options": options(run),
            "commands": commands,
            "complaints": [str(row.get("message")) for row in self.reader.rows["complaint"][-3:]],
            "unreadable": self.reader.unreadable,
        }

    def _distance(self, found: Mapping[str, Any]) -> dict[str, Any]:
        history = [row for row in found["history"] if row["distance"] is not None]
        columns = [[row["samples"] for row in history], [short(row["distance"]) for row in history]]
        return {"columns": columns, "meaning": CURVES["distance"].meaning, "healthy": CURVES["distance"].healthy}

    def _curves(self) -> list[dict[str, Any]]:
        shown = []
        for key, columns in COLUMNS.items():
            data = self.reader.curve([name for name, _, _ in columns])
            if any(value is not None for column in data[1:] for value in column) and not (key == "penalty" and not any(data[1])):
                words = CURVES[key]
                shown.append(
                    {
                        "title": words.title,
                        "meaning": words.meaning,
                        "healthy": words.healthy,
                        "series": [[label, colour] for _, label, colour in columns],
                        "columns": data,
                        "level": LEVELS.get(key),
                        "log": key == "gradients",
                    }
                )
        return shown

    def _scores(self) -> list[dict[str, Any]]:
        """A curve for each measure that was scored more than once."""
        scored: dict[str, list[Row]] = {}
        for row in self.reader.rows["score"]:
            scored.setdefault(str(row.get("name")), []).append(row)
        shown = []
        for name, rows in scored.items():
            rows = [row for row in rows if isinstance(row.get("samples"), int | float)]
            if len(rows) > 1:
                columns = [
                    [row["samples"] for row in rows],
                    *([short(row.get(key)) for row in rows] for key in ("value", "low", "high", "floor")),
                ]
                series = [[name, "g"], ["95 % from", "faint"], ["to", "faint"], ["real data", "ink"]]
                meaning = str(rows[-1].get("meaning") or f"{name} of samples of the averaged generator.")
                healthy = HEALTHY_SCORES.get(str(rows[-1].get("better")), HEALTHY_SCORES["floor"])
                shown.append(
                    {
                        "title": name,
                        "meaning": meaning,
                        "healthy": healthy,
                        "series": series,
                        "columns": columns,
                        "level": None,
                        "log": False,
                    }
                )
        return shown

    def _rows_of_classes(self) -> list[str]:
        """The class of each row of the grids, in a conditional run whose grids have one class a row."""
        data, config = self.manifest.get("data"), self.manifest.get("config")
        net = config.get("net") if isinstance(config, Mapping) else None
        classes = data.get("classes") if isinstance(data, Mapping) else None
        conditional = isinstance(net, Mapping) and net.get("classes") == "auto"
        return [str(name) for name in classes] if conditional and isinstance(classes, list) and len(classes) <= 16 else []

    def grid_file(self, step: int) -> Path | None:
        """The picture of the grid after this step, inside the run's folder; None where there is none."""
        row = next((row for row in reversed(self.reader.rows["grid"]) if row.get("round") == step), None)
        return None if row is None else self.run.inside(row.get("file"))
