"""zerosum inspect DATA: what `train` would use, what it would skip, and why."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from zerosum.commands.flags import parse, positional
from zerosum.data.options import DataOptions
from zerosum.report.text_table import wrapped

if TYPE_CHECKING:
    from zerosum.data.source import Data

EXAMPLES = """\
  zerosum inspect photos/
  zerosum inspect photos.zip --data.size 64 --sheet sheet.png
  zerosum inspect mnist --json
"""


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
    from zerosum.api.data import inspect, lines, open_data
    from zerosum.report.progress import CountProgress

    data = open_data(args.source, args.data, CountProgress(quiet=args.json))
    facts = inspect(data)
    sheet = args.sheet or Path("runs") / f"{data.name}-sheet.png"
    _draw(data, sheet)
    if args.json:
        print(json.dumps({**facts, "sheet": str(sheet)}, allow_nan=False))
    else:
        print(wrapped("\n".join([*lines(facts), f"contact sheet: {sheet}"])))
    sys.stdout.flush()
    return 0


def _draw(data: Data, sheet: Path) -> None:
    """Some of the training items: images as tiles, points as a plot."""
    from zerosum.report.grid import save_grid

    modality = data.space.modality
    save_grid(data.space.to_array(data.train.head(modality.preview_samples)), sheet, preview=modality.preview)
