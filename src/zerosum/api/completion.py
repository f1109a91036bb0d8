"""What a finished run lacks because its process was killed after the last checkpoint: scores, the table by class and the
nearest images, the last grid, the report."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field

from zerosum.api.closing import lacks_evidence, leave_evidence
from zerosum.api.grids import drawer
from zerosum.api.scoring import ENDS, lacks_scores, leave_scores
from zerosum.data.source import Data
from zerosum.errors import Refusal
from zerosum.report.folder import read_run
from zerosum.report.page import report_is_current, write_report
from zerosum.runs.lock import locked
from zerosum.runs.record import Listener, Record
from zerosum.runs.run import Run
from zerosum.training.grids import draw_grid


@dataclass
class Completion:
    """done: what was missing and is written now. refused: why scores or a grid could not be made, "" where nothing stood against it."""

    done: list[str] = field(default_factory=list)
    refused: str = ""


def complete(run: Run, data: Callable[[], Data], listener: Listener | None = None) -> Completion:
    """Write what a finished run lacks, and say what that is. Nothing is done for a run that has not come to its end.

    data: opens the run's data; called only where they are needed.
    """
    found = Completion()
    stops = run.rows("stop")
    if not run.finished or not stops or stops[-1]["reason"] not in ENDS:
        return found
    playable = run.manifest["players"] == "built" or run.given is not None
    if playable and (lacks_scores(run) or lacks_evidence(run) or _lacks_grid(run)):
        try:
            opened = data()
            if leave_scores(run, opened, listener):
                found.done.append("scores")
            if leave_evidence(run, opened, listener):
                found.done.append("nearest images" if not run.classes else "table by class")
            if _lacks_grid(run):
                _draw(run, opened)
                found.done.append("grid")
        except (Refusal, OSError) as error:
            found.refused = str(error)
    if found.done or not report_is_current(read_run(run.path)):
        write_report(run.path)
        found.done.append("report")
    return found


def _lacks_grid(run: Run) -> bool:
    """Whether the picture of the last step is not there; its row in the record comes after the file."""
    end, grids = run.rows("stop")[-1], run.rows("grid")
    drawn = bool(grids) and grids[-1].get("round") == end["round"]
    return not (drawn and (run.path / f"grids/{end['round']:09d}.png").is_file() and (run.path / "grid.png").is_file())


def _draw(run: Run, data: Data) -> None:
    end = run.rows("stop")[-1]
    file = f"grids/{end['round']:09d}.png"
    with locked(run.path), closing(Record(run.path / "record.jsonl")) as record:
        draw_grid(run, run.players(), drawer(data), run.path / file)
        if all(row.get("file") != file for row in run.rows("grid")):
            record.append({"type": "grid", **{name: end[name] for name in ("round", "samples", "seconds")}, "file": file})
