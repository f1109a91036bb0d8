"""What a run's record says of its classes, and of the training images nearest to its samples, for the page."""

from __future__ import annotations

from typing import Any

from zerosum.report.embed import data_uri
from zerosum.report.folder import RunFolder
from zerosum.report.numbers import count, finite, number

_BYTES = 600_000
_SHOWN = 100


def class_table(run: RunFolder) -> list[dict[str, str]]:
    """The newest scores within each class: name, right, precision, recall, coverage, held_out, and how many were trained on."""
    newest = {str(row.get("name")): row for row in run.of("class")}
    data = run.manifest.get("data")
    data = data if isinstance(data, dict) else {}
    names, counts = data.get("classes"), data.get("class_counts")
    known = isinstance(names, list) and isinstance(counts, list)
    trained = dict(zip(map(str, names or ()), counts or (), strict=False)) if known else {}
    keys = ("right", "precision", "recall", "coverage")
    return [
        {
            "name": name,
            **{key: number(row.get(key)) for key in keys},
            "held_out": count(row.get("n_real")),
            "trained": count(trained.get(name)) if finite(trained.get(name)) is not None else "",
        }
        for name, row in list(newest.items())[:_SHOWN]
    ]


def nearest(run: RunFolder) -> dict[str, Any] | None:
    """The picture of the nearest training images, as a data URI, with the numbers of its search; None where there is none."""
    row = run.newest("nearest")
    file = None if row is None else run.inside(row.get("file"))
    uri = None if file is None else data_uri(file, _BYTES)
    if row is None or uri is None:
        return None
    return {"uri": uri, "drawn": count(row.get("drawn")), "searched": count(row.get("searched")), "of": count(row.get("of"))}
