"""Pictures of samples during training: grids/000001234.png, and the newest as grid.png."""

from __future__ import annotations

from collections.abc import Callable
from math import isqrt
from pathlib import Path
from typing import Any

from zerosum.plain_files import read_plain, require_own, write_whole
from zerosum.play.players import Players
from zerosum.runs.labels import one_class_a_row
from zerosum.runs.run import Run

Draw = Callable[..., Any]
"""Draws samples, an array as a user gets them, into a file: draw(array, path), with the names of the rows where they have names."""


def draw_grid(run: Run, players: Players, draw: Draw, path: Path) -> None:
    """Draws samples of the averaged generator into `path`, and replaces grid.png. Raises OSError or Refusal, and then leaves grid.png."""
    modality, newest = run.space.modality, run.path / "grid.png"
    by_class = one_class_a_row(len(run.classes), modality.preview_samples) if modality.one_file_each else None
    n = modality.preview_samples if by_class is None else len(by_class)
    require_own([path.parent, newest])
    path.parent.mkdir(exist_ok=True)
    samples = run.drawn_by(players.ema.module, n, run.config.seed, by_class)
    if by_class is None:
        draw(samples, path)
    else:
        draw(samples, path, [run.classes[c] for c in by_class[:: isqrt(n)]])
    write_whole(newest, read_plain(path))
