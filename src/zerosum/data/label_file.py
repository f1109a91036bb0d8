"""Labels of image files from a table: a CSV file, or StyleGAN's dataset.json. Each names a file and its class."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import numpy.typing as npt

from zerosum.data.labels import Classes, Labels
from zerosum.errors import Refusal, nearest

Table = Mapping[str, str]
"""File name -> label, both as the table spells them."""

STYLEGAN = "dataset.json"
"""The file with labels in a folder or zip that StyleGAN's tools wrote (Karras et al. 2020, arXiv 2006.06676)."""
_FILE, _LABEL = ("file", "file_name", "filename", "image", "path", "name"), ("label", "class", "category", "y")
_LISTED = 5
_LARGEST = 2**28  # bytes of a table


def read_table(path: Path) -> Table:
    """The table in a CSV file or in a dataset.json. Raises Refusal where it cannot be read, or gives one file two labels."""
    try:
        if path.stat().st_size > _LARGEST:
            raise Refusal(f"{path} is larger than {_LARGEST >> 20} MB, which no table of labels is: give a CSV file with file and label.")
        content = path.read_bytes()
    except OSError as error:
        raise Refusal(f"The labels {path} cannot be read ({error.strerror or error}): give a CSV file with file and label.") from error
    return of_json(content, str(path)) or {} if path.suffix.lower() == ".json" else of_csv(content, str(path))


def read_list(path: Path) -> npt.NDArray[Any]:
    """Labels in the order of an array's items: an .npy array, or a text file with one label a line. Raises Refusal."""
    try:
        if path.suffix.lower() == ".npy":
            labels: npt.NDArray[Any] = np.load(path, allow_pickle=False)
            return labels
        lines = [line.strip() for line in path.read_text("utf-8-sig").splitlines() if line.strip()]
    except (OSError, ValueError) as error:
        words = (getattr(error, "strerror", None) or str(error)).splitlines()[0]
        raise Refusal(f"The labels {path} cannot be read ({words}): give one label a line, or an .npy array.") from error
    lines = lines[1:] if lines and lines[0].lower() in _LABEL else lines
    numbers, classes = numbered(lines, str(path))
    return np.array(classes)[numbers] if not all(name.isdecimal() for name in classes) else np.array([int(line) for line in lines])


def of_json(content: bytes, where: str) -> Table | None:
    """The labels in StyleGAN's dataset.json: {"labels": [[file, number], ...]} or {"labels": {file: number}}; None where it has none."""
    try:
        labels = json.loads(content)["labels"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise Refusal(f'{where} has no labels: it must be JSON of the form {{"labels": [["a.png", 0], ...]}}.') from error
    if labels is None:
        return None
    pairs = list(labels.items()) if isinstance(labels, dict) else labels
    if not isinstance(pairs, list) or not all(isinstance(p, (list, tuple)) and len(p) == 2 and isinstance(p[0], str) for p in pairs):
        raise Refusal(f'The labels in {where} are no pairs of a file and a label: write {{"labels": [["a.png", 0], ...]}}.')
    if odd := next((p for p in pairs if not isinstance(p[1], (int, str)) or isinstance(p[1], bool)), None):
        raise Refusal(f"The label of {odd[0]} in {where} is {odd[1]!r}, which is no class: give a whole number or a word for each file.")
    return _unique(((file, str(label)) for file, label in pairs), where)


def of_csv(content: bytes, where: str) -> Table:
    """The table in a CSV file: its columns `file` and `label` where the first row names them, else the first two."""
    try:
        rows = [row for row in csv.reader(io.StringIO(content.decode("utf-8-sig"))) if any(cell.strip() for cell in row)]
    except (UnicodeDecodeError, csv.Error) as error:
        raise Refusal(f"{where} cannot be read as a CSV file ({error}): save it as UTF-8 with the columns file and label.") from error
    if not rows:
        raise Refusal(f"{where} is empty: it needs a row with a file and a label for each image.")
    head = [cell.strip().lower() for cell in rows[0]]
    file, label = (next((head.index(name) for name in names if name in head), None) for names in (_FILE, _LABEL))
    body, first = (rows, 1) if file is None or label is None else (rows[1:], 2)
    file, label = (0, 1) if file is None or label is None else (file, label)
    if short := next((i for i, row in enumerate(body, first) if len(row) <= max(file, label) or not row[label].strip()), None):
        raise Refusal(f"Row {short} of {where} has no label: give a file and a label in each row, with a comma between them.")
    return _unique(((row[file].strip(), row[label].strip()) for row in body), where)


def _unique(pairs: Iterable[tuple[str, str]], where: str) -> Table:
    found: dict[str, str] = {}
    for file, label in pairs:
        name = str(PurePosixPath(file.replace("\\", "/")))
        if found.setdefault(name, label) != label:
            raise Refusal(f"{where} gives {name} two labels, {found[name]} and {label}: leave one of them out.")
    return found


def labels_of(names: Sequence[str], table: Table, where: str, unusable: Iterable[str] = ()) -> tuple[Labels, Classes]:
    """Class numbers (N,) of the images `names`, and the names of the classes, from a table whose files are named as the images are.

    A file may be named by its path in the folder, or by its last part where that is unique. unusable: further images, which may have a
    label. Raises Refusal for labels of files that do not exist, for images without a label, and for labels that are no classes.
    """
    others = list(unusable)
    known = {*names, *others}
    whole = table if all(file in known for file in table) else _by_last_part(table, [*names, *others], where)
    if missing := [file for file in whole if file not in known]:
        what = f"{where} has labels for {_count(missing)} that {'do' if len(missing) > 1 else 'does'} not exist"
        raise Refusal(f"{what}: {_listed(missing)}.{nearest(missing[0], known)}")
    if bare := [name for name in names if name not in whole]:
        raise Refusal(
            f"{where} has no label for {_count(bare)}: {_listed(bare)}. Label all of them, or give --net.classes none without it."
        )
    return numbered([whole[name] for name in names], where)


def _by_last_part(table: Table, names: Sequence[str], where: str) -> dict[str, str]:
    """The table with each file that is no image's whole path replaced by the image whose path ends in it."""
    counts = Counter(PurePosixPath(name).name for name in names)
    ends = {PurePosixPath(name).name: name for name in names}
    known = set(names)
    found: dict[str, str] = {}
    for file, label in table.items():
        last = PurePosixPath(file).name
        match = file if file in known or last not in ends else ends[last]
        if match is not file and counts[last] > 1:
            raise Refusal(f"{where} names {file}, and {counts[last]} images are called {last}: give their paths within the folder.")
        if found.setdefault(match, label) != label:
            raise Refusal(f"{where} gives {match} two labels, {found[match]} and {label}: leave one of them out.")
    return found


def numbered(labels: Sequence[str], where: str) -> tuple[Labels, Classes]:
    """Class numbers (N,) of labels, and the classes' names: in ascending order of the number where all are whole numbers, else of the word.

    Raises Refusal where the labels are measurements: numbers with fractions.
    """
    kinds = set(labels)
    if all(_is_number(label) for label in kinds) and any(not label.lstrip("+").isdecimal() for label in kinds):
        odd = next(label for label in labels if not label.lstrip("+").isdecimal())
        raise Refusal(f"The labels in {where} are numbers such as {odd}, which are no classes: give whole numbers from 0 up, or words.")
    classes = tuple(sorted(kinds, key=int if all(label.isdecimal() for label in kinds) else None))
    number = {name: i for i, name in enumerate(classes)}
    return np.array([number[label] for label in labels], dtype=np.int64), classes


def _is_number(text: Any) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _count(names: Sequence[str]) -> str:
    return f"{len(names):,} image{'s' if len(names) > 1 else ''}"


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _LISTED:,} more" if len(names) > _LISTED else ""
    return ", ".join(names[:_LISTED]) + more
