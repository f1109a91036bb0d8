"""Which commands are of use after a run, by how it ended: the end of a training prints them, and the page shows them."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from zerosum.records import Row
from zerosum.report.numbers import finite


def ending(rows: Sequence[Row]) -> Row | None:
    """The stop row of a run that has ended; None while it trains, or where its process was killed.

    Scores are recorded after the stop, and a resume starts again, so it is the last start or stop that counts.
    """
    ends = [row for row in rows if row.get("type") in ("start", "stop")]
    return ends[-1] if ends and ends[-1].get("type") == "stop" else None


def next_commands(rows: Sequence[Row], manifest: Mapping[str, Any], path: Path | str) -> list[str]:
    """Command lines, the most useful one first; lines of Python for a run of your own modules or data, which no command line can name.

    path: the run's folder, as the reader of the commands can reach it.
    """
    data = manifest.get("data")
    data = data if isinstance(data, Mapping) else {}
    further = _further(rows)
    own, in_memory = manifest.get("players") == "given", "spec" in data and data["spec"] is None
    if own or in_memory:
        return _python(str(path), further, own, in_memory)
    run = shlex.quote(str(path))
    looking = [f"zerosum sample {run} -n 64 --out samples{_suffix(data)}", f"zerosum evaluate {run}", f"zerosum diagnose {run}"]
    if further is None:
        return looking[::-1] if _failed(rows) else looking
    resume = f"zerosum resume {run}" + (f" --samples {further}" if further else "")
    # A run that was cut short goes on first; a longer end is a choice.
    return [*looking, resume] if further else [resume, *looking]


def _suffix(data: Mapping[str, Any]) -> str:
    """Of the file that suits samples of a run's data. Earlier runs did not record it: an image has three axes, other samples had fewer."""
    recorded, shape = data.get("suffix"), data.get("shape")
    if recorded in (".npy", ".png"):
        return str(recorded)
    return ".png" if isinstance(shape, list) and len(shape) == 3 else ".npy"


def _further(rows: Sequence[Row]) -> int | None:
    """Until how many samples a resume goes on; 0 for the end that the run was given. None where to resume would not help."""
    end = ending(rows)
    if end is None:
        return 0
    if end.get("reason") == "finished" and (samples := finite(end.get("samples"))):
        return 2 * int(samples)
    return 0 if end.get("reason") in ("interrupted", "minutes") else None


def _failed(rows: Sequence[Row]) -> bool:
    end = ending(rows)
    return end is not None and end.get("reason") in ("not finite", "error")


def _python(path: str, further: int | None, own: bool, in_memory: bool) -> list[str]:
    players = ", generator=G, discriminator=D" if own else ""
    data = ", data=x" if in_memory else ""
    samples = f", samples={further}" if further else ""
    load, resume = f'run = zs.load("{path}"{players})', f'run = zs.resume("{path}"{players}{data}{samples})'
    evaluate = "zs.evaluate(run, against=held_out)" if in_memory else "zs.evaluate(run)"
    looking = [load, "run.sample(64)", evaluate, "run.verdict()"]
    return looking if further is None else [*looking, resume] if further else [resume, *looking[1:]]
