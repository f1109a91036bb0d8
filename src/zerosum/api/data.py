"""Data in Python: opened, and described."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from zerosum.api.showing import Showing, counting
from zerosum.data import source
from zerosum.data.inspection import describe
from zerosum.data.options import DataOptions
from zerosum.data.source import Data, Spec
from zerosum.errors import printable

_LISTED = 10


def open_data(spec: Spec, options: DataOptions | None = None, progress: Showing = None) -> Data:
    """Open data by name (a row of DATA), as "mixture:0.3*N(-2,0.5)+0.7*N(1,0.2)", by path, or as Python objects.

    Python objects: an array or tensor; a tuple (samples, labels); a map-style data set; an iterable of batches. Arrays are points (N, d) or
    uint8 images (N, H, W[, C]); tensors of images are (N, H, W) or (N, C, H, W). progress: False for none, or a function that is called
    with (label, done, total) while files are read. Raises Refusal for whatever a user can fix.
    """
    return source.open_data(spec, options, counting(progress))


class Facts(dict[str, Any]):
    """What `zerosum.data.inspection.describe` says of data, by name; printed, sentences."""

    def __repr__(self) -> str:
        return "\n".join(lines(self))

    def _repr_html_(self) -> str:
        return "<br>".join(map(escape, lines(self)))


def inspect(data: Spec | Data, options: DataOptions | None = None, progress: Showing = None) -> Facts:
    """What `train` would use of `data`, what it would skip, and why: facts by name, which print as sentences.

    data: a name, a path or Python objects, as for `train`. progress: as for `open_data`. Raises Refusal where training on it would.
    """
    return Facts(describe(data if isinstance(data, Data) else open_data(data, options, progress)))


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
    return list(map(printable, out))


def _ranges(span: Sequence[Any]) -> str:
    pairs = span if isinstance(span[0], Sequence) else [span]
    return ", ".join(f"{low:.4g} to {high:.4g}" for low, high in pairs)
