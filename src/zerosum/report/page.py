"""A run folder as one self-contained HTML file: no scripts, nothing fetched, nothing needed but the file itself."""

from __future__ import annotations

import base64
import math
import re
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from zerosum.plain_files import read_plain, require_own, write_whole
from zerosum.records import Row
from zerosum.report import by_class, figures
from zerosum.report.board import has_probabilities, stopped
from zerosum.report.complaints import complaints
from zerosum.report.embed import data_uri, inline_svg
from zerosum.report.facts import about, options, scores, summary
from zerosum.report.folder import RunFolder, read_run
from zerosum.report.next_commands import ending, next_commands
from zerosum.report.numbers import count, duration, finite
from zerosum.report.timelapse import timelapse
from zerosum.report.verdict_timeline import history, timeline
from zerosum.report.words import CURVES, HEALTHY_SCORES, NEXT, NO_PROBABILITY
from zerosum.verdict import verdict as judge

_MOMENTS = 6
_HEAD = 2000  # bytes of a page that say how many rows it is of
_NEWEST_BYTES = 900_000
_LAPSE_BYTES, _LAPSE_FRAMES, _LAPSE_WIDEST = 300_000, 24, 400
_MOMENT_BYTES = 180_000  # base64 adds a third: all pictures together stay under 2.7 MB


def write_report(run_path: Path | str, verdict: Mapping[str, Any] | None = None) -> Path:
    """Write RUN/report.html from RUN's record and pictures, and return its path.

    verdict: keys state, since, meaning, evidence, advice, confidence; default: the verdict on the record's checks, where there are any.
    Any run works: unfinished, of one row, empty, or with values that are null or not finite. Raises Refusal when RUN is not a run folder.
    """
    run = read_run(run_path)
    file = run.path / "report.html"
    require_own([file])
    return write_whole(file, render(run, verdict or verdict_of(run)).encode("utf-8", "backslashreplace"))


def report_is_current(run: RunFolder) -> bool:
    """Whether the folder has a report of all rows of its record. A page of an earlier version, which does not say, counts as current."""
    try:
        head = read_plain(run.path / "report.html")[:_HEAD].decode("utf-8", "replace")
    except OSError:
        return False
    stated = re.search(r'<meta name="zerosum-rows" content="(\d+)">', head)
    return stated is None or int(stated[1]) == len(run.rows)


def verdict_of(run: RunFolder) -> dict[str, Any] | None:
    """The verdict on a run from its record; None where it has no checks and did not end in numbers that are not finite."""
    stop = run.newest("stop")
    if not run.of("check") and (stop is None or stop.get("reason") != "not finite"):
        return None
    config = run.manifest.get("config")
    return judge(run.rows, config if isinstance(config, Mapping) else None).to_json()


def render(run: RunFolder, verdict: Mapping[str, Any] | None = None) -> str:
    """The page as text."""
    loader = FileSystemLoader(Path(__file__).parent / "templates")
    environment = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    grids, checks = run.grids(), history(verdict)
    return environment.get_template("report.html").render(
        name=run.path.resolve().name,
        data=_known(run.manifest, "data").get("name"),
        summary=summary(run),
        verdict=_verdict(verdict),
        state=_state(run),
        newest=_newest(run, grids),
        moments=[m for row, file in moments(grids) if (m := _moment(row, file, checks)) is not None],
        timeline=timeline(checks),
        timelapse=_timelapse([file for _, file in grids]),
        scores=scores(run),
        classes=by_class.class_table(run),
        nearest=by_class.nearest(run),
        curves=[*distance(checks), *curves(run)],
        no_probability=_no_probability(run),
        about=about(run),
        options=options(run),
        run=shlex.quote(str(run.path.resolve())),
        next=NEXT.get(str((ending(run.rows) or {}).get("reason")), NEXT[""]),
        commands=next_commands(run.rows, run.manifest, run.path.resolve()),
        thinned=len(run.of("signals")) > figures.MOST_POINTS,
        unreadable=run.unreadable,
        rows=len(run.rows),
        complaints=complaints(run),
    )


def curves(run: RunFolder) -> list[dict[str, Any]]:
    """The figures that the record has data for, in reading order: title, svg, meaning, healthy."""
    rows, scored = run.of("signals"), run.of("score")
    drawn = [
        ("V", figures.value(rows)),
        ("probabilities", figures.probabilities(rows)),
        ("accuracy", figures.accuracy(rows)),
        ("logits", figures.logits(rows)),
        ("losses", figures.losses(rows, _equilibrium(run))),
        ("gradients", figures.gradients(rows)),
        ("penalty", figures.penalty(rows)),
        ("speed", figures.speed(rows)),
    ]
    shown = []
    # A single score is in the table; two make a curve.
    for i, name in enumerate(dict.fromkeys(str(row.get("name")) for row in scored)):
        mine = [row for row in scored if row.get("name") == name]
        if len(mine) > 1 and (drawing := figures.score(scored, name)) is not None:
            # The measure's own sentence is in its row, where the run wrote it: a report reads the record, not the measures.
            own = str(mine[-1].get("meaning") or f"{name} of samples of the averaged generator.")
            meaning = f"{own} Bars: 95 % intervals. Dotted line: the score of real data."
            healthy = HEALTHY_SCORES.get(str(mine[-1].get("better")), HEALTHY_SCORES["floor"])
            # matplotlib escapes the texts that it writes, and inline_svg the label.
            svg = Markup(inline_svg(drawing, f"{name} over samples seen", f"s{i}"))
            shown.append({"title": name, "svg": svg, "meaning": meaning, "healthy": healthy})
    for i, (key, drawing) in enumerate(drawn):
        if drawing is not None:
            words = CURVES[key]
            svg = Markup(inline_svg(drawing, words.title, f"c{i}"))
            shown.append({"title": words.title, "svg": svg, "meaning": words.meaning, "healthy": words.healthy})
    return shown


def moments(grids: Sequence[tuple[Row, Path]], most: int = _MOMENTS) -> list[tuple[Row, Path]]:
    """Choose at most `most` of the grids: the first and the last, then repeatedly the one farthest from its nearest chosen one.

    Distances are in the logarithm of samples seen, since a generator changes most at the start.
    """
    if len(grids) <= most:
        return list(grids)
    at = [math.log(max(1.0, finite(row.get("samples")) or 1.0)) for row, _ in grids]
    chosen = {0, len(grids) - 1}
    while len(chosen) < most:
        rest = [i for i in range(len(at)) if i not in chosen]
        chosen.add(max(rest, key=lambda i: min(abs(at[i] - at[j]) for j in chosen)))
    return [grids[i] for i in sorted(chosen)]


def _known(manifest: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    part = manifest.get(key)
    return part if isinstance(part, Mapping) else {}


def _equilibrium(run: RunFolder) -> tuple[float | None, ...]:
    """The losses of D and G at p_g = p_data, as far as the run recorded them: earlier runs, and smoothed labels, have none."""
    recorded = run.manifest.get("equilibrium")
    return tuple(map(finite, recorded)) if isinstance(recorded, list) else ()


def _no_probability(run: RunFolder) -> str | None:
    rows = run.of("signals")
    return NO_PROBABILITY if rows and not any(has_probabilities(row) for row in rows) else None


def _state(run: RunFolder) -> str:
    """How far the run is, from its last rows."""
    if not run.rows:
        return "Nothing is recorded yet."
    last = run.rows[-1]
    horizon = run.horizon()
    of = f" of {count(horizon)}" if horizon else ""
    seen = f"{count(last.get('samples'))}{of} samples seen in {duration(last.get('seconds'))}."
    if (end := ending(run.rows)) is not None:
        return f"{stopped(end)} {seen}"
    return f"No end is recorded: it is still training, or its process was killed. {seen}"


def _verdict(verdict: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """state and advice as text, evidence as a list of sentences, since and confidence as given."""
    if not verdict:
        return None
    found = {key: verdict.get(key) for key in ("state", "since", "meaning", "advice", "confidence")}
    evidence = verdict.get("evidence") or []
    several = isinstance(evidence, (list, tuple))
    if finite(found["since"]) is not None:
        found["since"] = f"{count(found['since'])} samples"
    return {**found, "evidence": [_sentence(e) for e in (evidence if several else [evidence])]}


def _sentence(evidence: Any) -> str:
    return "; ".join(f"{k}: {v}" for k, v in evidence.items()) if isinstance(evidence, Mapping) else str(evidence)


def _newest(run: RunFolder, grids: Sequence[tuple[Row, Path]]) -> dict[str, Any] | None:
    row, file = grids[-1] if grids else ({}, run.inside("grid.png"))
    uri = None if file is None else data_uri(file, _NEWEST_BYTES)
    return None if uri is None else {"uri": uri, "samples": count(row["samples"]) if "samples" in row else None}


def _moment(row: Row, file: Path, checks: Sequence[Row]) -> dict[str, str] | None:
    uri, seen = data_uri(file, _MOMENT_BYTES), finite(row.get("samples"))
    if uri is None:
        return None
    then = next((str(check["state"]) for check in reversed(checks) if seen is not None and check["samples"] <= seen), "")
    return {"uri": uri, "samples": count(row.get("samples")), "time": duration(row.get("seconds")), "state": then}


def _timelapse(files: Sequence[Path]) -> str | None:
    """The grids as a GIF in the page; None for less than three, or where it would take more than its share of the page."""
    content = timelapse(files, most=_LAPSE_FRAMES, widest=_LAPSE_WIDEST) if len(files) > 2 else None
    if content is None or len(content) > _LAPSE_BYTES:
        return None
    return f"data:image/gif;base64,{base64.b64encode(content).decode()}"


def distance(checks: Sequence[Row]) -> list[dict[str, Any]]:
    """The curve of the distance to held-out real samples, where two checks have measured it."""
    drawing = figures.distance(checks)
    if drawing is None:
        return []
    words = CURVES["distance"]
    svg = Markup(inline_svg(drawing, words.title, "d"))
    return [{"title": words.title, "svg": svg, "meaning": words.meaning, "healthy": words.healthy}]
