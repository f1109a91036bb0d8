"""zerosum inspect DATA: what `train` would use, what it would skip, and why."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zerosum.commands.flags import parse, positional
from zerosum.commands.terminal import tell
from zerosum.data.options import DataOptions

if TYPE_CHECKING:
    from zerosum.data.source import Data

EXAMPLES = """\
  zerosum inspect photos/
  zerosum inspect photos.zip --data.size 64 --sheet sheet.png
  zerosum inspect mnist --json
"""

_LISTED = 10


@dataclass(frozen=True)
class Inspect:
    """Describe what `train` would use: the number of items, their sizes, channels and classes; what it would skip, and why. Also draws a
    contact sheet."""

    source: str = positional("DATA")
    """A name or a path, as for zerosum train."""
    sheet: Path | None = None
    """Path of the contact sheet; by default runs/NAME-sheet.png."""
    json: bool = False
    """Print one JSON object and nothing else."""
    data: DataOptions = field(default_factory=DataOptions)


def main(argv: Sequence[str]) -> int:
    args = parse(Inspect, argv, prog="zerosum inspect", examples=EXAMPLES)
    from zerosum.data.inspection import describe
    from zerosum.data.source import open_data
    from zerosum.report.progress import CountProgress

    data = open_data(args.source, args.data, CountProgress(quiet=args.json))
    facts = describe(data)
    sheet = args.sheet or Path("runs") / f"{data.name}-sheet.png"
    _draw(data, sheet)
    if args.json:
        print(json.dumps({**facts, "sheet": str(sheet)}, allow_nan=False))
    else:
        tell(*lines(facts), f"contact sheet: {sheet}")
    sys.stdout.flush()
    return 0


def _draw(data: Data, sheet: Path) -> None:
    """Some of the training items: images as tiles, points as a plot."""
    from zerosum.report.grid import save_grid

    modality = data.space.modality
    save_grid(data.space.to_array(data.train.head(modality.preview_samples)), sheet, preview=modality.preview)


def lines(facts: Mapping[str, Any]) -> list[str]:
    """The facts of `inspection.describe` as sentences."""
    endless = facts["count"] is None
    out = [f"{facts['name']}: {'unlimited' if endless else format(facts['count'], ',')} {facts['what']}"]
    if endless:
        out[0] += ", newly drawn from a known density"
    if not endless:
        out.append("parts: " + ", ".join(f"{n:,} {name}" for name, n in facts["parts"].items()))
    if facts["classes"]:
        out.append("classes: " + ", ".join(f"{name} ({n:,})" for name, n in facts["classes"].items()))
    if facts["sizes"]:
        more = f", and {facts['other_sizes']:,} other sizes" if facts["other_sizes"] else ""
        out.append("sizes: " + ", ".join(f"{size} ({n:,})" for size, n in facts["sizes"].items()) + more)
    if facts["duplicates"]:
        out.append(f"duplicates: {facts['duplicates']:,} items equal an earlier one; equal items are in the same part")
    out.append(f"values: {_ranges(facts['range'])}")
    if facts["ignored"]:
        out.append(f"ignored: {facts['ignored']:,} files that are not images")
    skipped = facts["skipped"]
    if skipped:
        out.append(f"skipped: {len(skipped):,} files or folders that cannot be used")
        out += [f"  {item['name']}: {item['reason']}" for item in skipped[:_LISTED]]
        if len(skipped) > _LISTED:
            out.append(f"  and {len(skipped) - _LISTED:,} more; --json lists them all")
    return out


def _ranges(span: Sequence[Any]) -> str:
    pairs = span if isinstance(span[0], Sequence) else [span]
    return ", ".join(f"{low:.4g} to {high:.4g}" for low, high in pairs)
