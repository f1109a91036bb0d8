"""How often the verdict is right: records short runs, healthy and broken on purpose, and reads their verdicts from the records.

    python benchmarks/verdict.py record --out FOLDER [--limit N] [--half ...] [--images [--emoji FOLDER]]   # trains what FOLDER lacks
    python benchmarks/verdict.py table --out FOLDER [--half calibration|test|both] [--images]

A run is a way (of breaking, or none; `verdict_ways.py`), a data set (`verdict_data.py`) and a seed. Its truth is measured as it trains,
from fresh samples and before any verdict is read (`verdict_truth.py`): a run that was not harmed counts as healthy, whatever was done to
it. Thresholds may be chosen on the calibration half alone: every run of the other half is of a way or on data that no calibration run had.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from verdict_data import IMAGES, opened
from verdict_names import SLACK, began, deserved, deserved_then, kind
from verdict_players import players
from verdict_truth import Truth
from verdict_ways import WAYS, Plan, plans

from zerosum.api.training import with_options
from zerosum.data.density import Density
from zerosum.data.modality import MODALITIES
from zerosum.data.source import Data
from zerosum.measure.score import wilson
from zerosum.monitor.checks import Checks
from zerosum.play.config import Config
from zerosum.play.presets import PRESETS
from zerosum.training import launch
from zerosum.verdict import verdict
from zerosum.verdict.diagnoses import DIAGNOSES, TROUBLES

CHECKS = 32
KINDS = ("healthy", "recovered", "border", "broken")


# -- recording --------------------------------------------------------------------------------------------------------------


@contextmanager
def watched(plan: Plan, data: Data, density: Density | None, config: Config) -> Iterator[Truth]:
    """Within it runs are checked CHECKS times, as a longer run is, and at every other check their truth is taken."""
    kind = data.space.kind
    look, row, truth = Checks.look, MODALITIES[kind], Truth(data, config, density)

    def both(self: Checks, t: int, samples: int, statistics: Any) -> dict[str, Any]:
        found = look(self, t, samples, statistics)
        if truth.due(samples >= plan.samples):
            truth.look(self._diagnostics.algorithm.players, samples)
        return found

    Checks.look = both  # type: ignore[method-assign]
    MODALITIES[kind] = replace(row, check=replace(row.check, apart=plan.samples // CHECKS))
    try:
        yield truth
    finally:
        Checks.look, MODALITIES[kind] = look, row  # type: ignore[method-assign]


def record(plan: Plan, emoji: Path | None) -> dict[str, Any]:
    """Trains one run and measures its truth."""
    way = WAYS[plan.way]
    data, density = opened(plan.data, way.limit, emoji)
    config = with_options(PRESETS["digits" if plan.data in IMAGES else "points"].config, plan.config)
    given = players(way.odd, config, data.space)
    began = time.process_time()
    with tempfile.TemporaryDirectory() as folder, watched(plan, data, density, config) as truth:
        run = launch.train(data, Path(folder) / "run", config, samples=plan.samples, given=given)
        rows = [row for row in run.rows() if row["type"] in ("start", "check", "stop")]
        return {
            "plan": plan._asdict(),
            "manifest": {"config": run.manifest["config"]},
            "rows": rows,
            "truth": {"reason": rows[-1]["reason"], "series": truth.series},
            "cpu": round(time.process_time() - began, 2),
        }


def record_all(out: Path, limit: int, images: bool, emoji: Path | None, half: str) -> None:
    out.mkdir(parents=True, exist_ok=True)
    made = 0
    for plan in plans(images):
        file = out / f"{plan.name}.json"
        if made >= limit:
            return
        if file.exists() or half not in ("both", plan.half):
            continue
        found = record(plan, emoji)
        if found["truth"]["reason"] == "interrupted":
            return
        temporary = file.with_suffix(".partial")
        temporary.write_text(json.dumps(found))
        temporary.rename(file)
        made += 1
        print(f"{plan.name}: {found['cpu']} s, {deserved(found['truth'])}", flush=True)


# -- reading ----------------------------------------------------------------------------------------------------------------


def judged(found: dict[str, Any]) -> dict[str, Any]:
    """A recorded run's truth beside its verdict.

    kind: broken, border, recovered or healthy (verdict_names.py). names: what it deserves at its end, be it by a hair; plain: by the lines
    themselves. right: whether the state told at its end is one of the names, or for others no trouble. cried: the troubles told at any
    check; needlessly: those told when the truth had no name, be it by a hair, at that time or at the look before. late: the share of the
    run between when it came to deserve a name of its end and when a right one was first told, of its end or of that time; None for a run
    that was not told rightly at its end.
    """
    plan, truth = Plan(**found["plan"]), found["truth"]
    told, names, series = verdict(found["rows"], found["manifest"]["config"]), deserved(truth, 1 / SLACK), truth["series"]
    history = [(row["samples"], row["state"]) for row in told.history]
    cried = [(at, state) for at, state in history if DIAGNOSES[state].trouble]
    sort = kind(truth)
    right = told.state in names if sort == "broken" else not told.trouble
    late = None
    if sort == "broken" and right:
        whole = history[-1][0] if truth["reason"] == "finished" else plan.samples
        end = found["rows"][-1]["samples"]
        start = end if truth["reason"] == "not finite" else min(began(series, name) for name in deserved(truth))
        right_then = (at for at, state in history if at >= start and (state in names or state in deserved_then(series, at)))
        late = (next(right_then, end) - start) / whole
    return {
        "name": plan.name,
        "half": plan.half,
        "kind": sort,
        "names": names,
        "plain": deserved(truth),
        "told": told.state,
        "right": right,
        "cried": dict.fromkeys(state for _, state in cried),
        "needlessly": dict.fromkeys(state for at, state in cried if not harmed_about(series, at)),
        "late": late,
    }


def harmed_about(series: list[dict[str, Any]], samples: int) -> bool:
    """Whether the run deserved a name when it had seen so many samples, or at the look before: a trouble is told after its first checks."""
    seen = [f for f in series if f["samples"] <= samples]
    return any(deserved_then(seen[: len(seen) - back], samples, 1 / SLACK) for back in range(min(2, len(seen))))


def share(hits: int, of: int) -> str:
    low, high = wilson(hits / of, of) if of else (0.0, 1.0)
    return f"{hits} of {of} ({100 * hits / max(of, 1):.0f} %, 95 % interval {100 * low:.0f} to {100 * high:.0f} %)"


def table(out: Path, half: str, images: bool) -> str:
    """The confusion matrix of the runs in `out` that belong to `half`, and the shares that are asked for, with Wilson intervals.

    A broken run may deserve several names: it stands in the row of the one told, where that is among them, else of the first.
    """
    recorded = [json.loads(file.read_text()) for file in sorted(out.glob("*.json"))]
    plans = [Plan(**found["plan"]) for found in recorded]
    asked = [half in ("both", plan.half) and (plan.data in IMAGES) == images for plan in plans]
    runs = [judged(found) for found, wanted in zip(recorded, asked, strict=True) if wanted]
    healthy, recovered, border, broken = ([r for r in runs if r["kind"] == kind] for kind in KINDS)
    truths = [*KINDS[:3], *(state.name for state in TROUBLES)]
    counts = Counter((_row(run), run["told"]) for run in runs)
    columns = [name for name in DIAGNOSES if any(counts[truth, name] for truth in truths)]
    lines = ["| truth | " + " | ".join(columns) + " |", "| --- |" + " --- |" * len(columns)]
    for truth in truths:
        if any(counts[truth, name] for name in columns):
            lines.append(f"| {truth} | " + " | ".join(str(counts[truth, name] or "") for name in columns) + " |")
    soon = sum(r["late"] is not None and r["late"] <= 0.25 for r in broken)
    sound = healthy + recovered
    named = [r for r in runs if r["plain"]]
    by_a_hair = sum(r["right"] or r["told"] in r["names"] for r in border)
    lines += [
        "",
        f"broken, a right name at the end: {share(sum(r['right'] for r in broken), len(broken))}",
        f"broken, a right name within a quarter of the run of when it began: {share(soon, len(broken))}",
        f"healthy, trouble at any check: {share(sum(bool(r['cried']) for r in healthy), len(healthy))}",
        f"healthy or recovered, trouble at the end: {share(sum(not r['right'] for r in sound), len(sound))}",
        f"healthy or recovered, trouble told while the truth had none: {share(sum(bool(r['needlessly']) for r in sound), len(sound))}",
        f"border, counted nowhere: {len(border)} of {len(runs)}; told no trouble, or a name that is deserved by a hair: {by_a_hair}",
        f"with no margin and no border: broken, a right name at the end: {share(sum(r['told'] in r['plain'] for r in named), len(named))}",
    ]
    return "\n".join([*lines, *faults(runs)])


def faults(runs: list[dict[str, Any]]) -> list[str]:
    """A line for each run that was told wrongly, or late, or that cried in vain."""
    lines = []
    for r in runs:
        late = r["late"] or 0.0
        vain = (r["kind"] == "healthy" and r["cried"]) or (r["kind"] == "recovered" and r["needlessly"])
        if r["kind"] != "border" and (not r["right"] or late > 0.25 or vain):
            said = f"  {r['kind']} {r['name']}: told {r['told']}, deserves {', '.join(r['names']) or 'none'}"
            said += f"; cried {', '.join(r['cried']) or 'nothing'}"
            said += f"; needlessly {', '.join(r['needlessly'])}" if vain and r["needlessly"] else ""
            lines.append(said + (f"; late by {late:.2f} of the run" if late > 0.25 else ""))
    return ["", "wrong, late, or cried on the way:", *lines] if lines else []


def _row(run: dict[str, Any]) -> str:
    if run["kind"] != "broken":
        return str(run["kind"])
    return str(run["told"] if run["right"] else run["names"][0])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("record", "table"))
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--limit", type=int, default=sys.maxsize)
    parser.add_argument("--images", action="store_true")
    parser.add_argument("--emoji", type=Path)
    parser.add_argument("--half", choices=("calibration", "test", "both"), default="both")
    args = parser.parse_args()
    if args.what == "record":
        record_all(args.out, args.limit, args.images, args.emoji, args.half)
    else:
        print(table(args.out, args.half, args.images))
    return 0


if __name__ == "__main__":
    sys.exit(main())
