"""Parquet files of images as Hugging Face writes them: a column with each image's bytes, and a column of labels (extra `parquet`)."""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Sequence
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from threading import Lock
from typing import IO, Any

from zerosum.data.listing import Listing
from zerosum.data.stored_image import Entry
from zerosum.errors import Refusal

SUFFIX = ".parquet"
IMAGE, LABEL = ("image", "img"), ("label", "labels", "class", "fine_label", "y")
"""Names of columns, the preferred ones first."""
_GROUPS = 2  # row groups that are kept in memory


def list_parquet(path: Path, files: Sequence[Path]) -> Listing:
    """The images of parquet files, in their order. Of files named train-*, test-*, only the training files are read. Raises Refusal."""
    pq = _pyarrow()
    files = [p for p in files if p.name.startswith("train")] or list(files)
    try:
        opened = [pq.ParquetFile(file, memory_map=True) for file in files]
    except Exception as error:  # pyarrow's errors of a damaged file have no common base but Exception.
        raise Refusal(f"{path} cannot be read as parquet ({str(error).splitlines()[0]}): download or write it again.") from error
    columns = [_columns(file.schema_arrow, path) for file in opened]
    reader = _Reader(opened, columns)
    entries, labels = [], {}
    names = _class_names(opened[0].schema_arrow, columns[0][1])
    for i, (file, found) in enumerate(zip(files, opened, strict=True)):
        stat = file.stat()
        rows = _labels(found, columns[i][1])
        for j in range(found.metadata.num_rows):
            name = f"{file.name}/{j}"
            entries.append(Entry(name, 0, f"{stat.st_mtime_ns}/{stat.st_size}/{j}"))
            if rows is not None:
                labels[name] = names[rows[j]] if names and isinstance(rows[j], int) and 0 <= rows[j] < len(names) else str(rows[j])
    number = {entry.name: n for n, entry in enumerate(entries)}
    table = labels if labels else None

    def stream(entry: Entry) -> IO[bytes]:
        return BytesIO(reader.image(number[entry.name]))

    return Listing(str(path.resolve()), tuple(entries), stream, (), 0, lambda: table, measured=False, folders=False)


class _Reader:
    """Bytes of single images. A row group is read whole, and the newest are kept: images are asked for in order, by several threads."""

    def __init__(self, files: Sequence[Any], columns: Sequence[tuple[str, str | None]]) -> None:
        self._files, self._columns, self._lock = files, columns, Lock()
        self._places = [(f, g) for f, file in enumerate(files) for g in range(file.metadata.num_row_groups)]
        self._starts = [0]
        for f, g in self._places:
            self._starts.append(self._starts[-1] + files[f].metadata.row_group(g).num_rows)
        self._group = lru_cache(_GROUPS)(self._read)

    def _read(self, place: int) -> Any:
        f, g = self._places[place]
        column = self._columns[f][0]
        return self._files[f].read_row_group(g, columns=[column]).column(column)

    def image(self, row: int) -> bytes:
        place = bisect_right(self._starts, row) - 1
        with self._lock:
            value = self._group(place)[row - self._starts[place]].as_py()
        content = value.get("bytes") if isinstance(value, dict) else value
        if not isinstance(content, bytes):
            raise ValueError("no bytes of an image")
        return content


def _columns(schema: Any, path: Path) -> tuple[str, str | None]:
    """Names of the columns of images and of labels. Raises Refusal where there are no images."""
    names = [str(name) for name in schema.names]
    import pyarrow as pa

    def holds_images(name: str) -> bool:
        kind = schema.field(name).type
        nested = pa.types.is_struct(kind) and kind.get_field_index("bytes") >= 0
        return bool(nested or pa.types.is_binary(kind) or pa.types.is_large_binary(kind))

    images = [name for name in (*IMAGE, *names) if name in names and holds_images(name)]
    if not images:
        raise Refusal(
            f"{path} has no column with the bytes of images, only {', '.join(names)}: give parquet files in Hugging Face's layout."
        )
    return images[0], next((name for name in LABEL if name in names), None)


def _labels(file: Any, column: str | None) -> list[Any] | None:
    if column is None:
        return None
    values: list[Any] = file.read(columns=[column]).column(column).to_pylist()
    return None if any(value is None for value in values) else values


def _class_names(schema: Any, column: str | None) -> list[str]:
    """The names of a ClassLabel column in the metadata that Hugging Face's `datasets` writes; [] without."""
    try:
        features = json.loads(schema.metadata[b"huggingface"])["info"]["features"]
        return [str(name) for name in features[column]["names"]]
    except (KeyError, TypeError, ValueError):
        return []


def _pyarrow() -> Any:
    try:
        import pyarrow.parquet
    except ImportError as error:
        raise Refusal("Parquet files need the extra `parquet`: pip install 'zerosum[parquet]'.") from error
    return pyarrow.parquet
