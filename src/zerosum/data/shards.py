"""WebDataset shards: tar files in which the files of one sample have one name, such as 0001.png with 0001.cls or 0001.json."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import IO

from zerosum.data.image_file import MAX_BYTES
from zerosum.data.items import Skipped
from zerosum.data.listing import Listing, is_image
from zerosum.data.stored_image import Entry
from zerosum.errors import Refusal

SUFFIX = ".tar"
_CLASS = (".cls", ".json")
_LARGEST_LABEL = 2**16  # bytes


def list_shards(path: Path, files: Sequence[Path]) -> Listing:
    """The images of tar files, in their order, with the classes of `.cls` files, or of `label` or `class` in `.json` files.

    Only the files' headers are read here, and each image later where it begins: shards are not unpacked. Raises Refusal.
    """
    entries: list[Entry] = []
    skipped: list[Skipped] = []
    places: dict[str, tuple[Path, int]] = {}
    labels: dict[str, str] = {}
    ignored = 0
    for file in files:
        stamp = file.stat().st_mtime_ns
        images, classes, others = _members(file)
        ignored += others
        for name, (offset, size) in images.items():
            whole = f"{file.name}/{name}"
            if size > MAX_BYTES:
                skipped.append(Skipped(whole, f"{size / 2**20:.0f} MB is more than {MAX_BYTES // 2**20} MB"))
                continue
            entries.append(Entry(whole, size, f"{stamp}/{offset}"))
            places[whole] = (file, offset)
            if (label := classes.get(_key(name))) is not None:
                labels[whole] = label
    if labels and (bare := [e.name for e in entries if e.name not in labels]):
        raise Refusal(f"{len(bare):,} images in {path} have no class, such as {bare[0]}: give each a .cls file, or none.")

    def opened(entry: Entry) -> IO[bytes]:
        file, offset = places[entry.name]
        with file.open("rb") as stream:
            stream.seek(offset)
            return io.BytesIO(stream.read(entry.size))

    table = labels or None
    return Listing(str(path.resolve()), tuple(entries), opened, tuple(skipped), ignored, lambda: table, folders=False)


def _key(name: str) -> str:
    """What the files of one sample share: the path up to the first dot of its last part."""
    path = PurePosixPath(name)
    return str(path.with_name(path.name.split(".")[0]))


def _members(file: Path) -> tuple[dict[str, tuple[int, int]], dict[str, str], int]:
    """Images by name as (offset, size), classes by key, and the number of other files. Raises Refusal."""
    images: dict[str, tuple[int, int]] = {}
    classes: dict[str, str] = {}
    others = 0
    try:
        with tarfile.open(file, "r:") as archive:
            for member in archive:
                if not member.isfile():
                    continue
                if is_image(member.name):
                    images[member.name] = (member.offset_data, member.size)
                elif member.name.lower().endswith(_CLASS) and member.size <= _LARGEST_LABEL:
                    stream = archive.extractfile(member)
                    content = b"" if stream is None else stream.read()
                    if (label := _label(member.name, content)) is not None:
                        classes.setdefault(_key(member.name), label)
                else:
                    others += 1
                archive.members = []  # type: ignore[attr-defined]  # tarfile keeps every header, which for millions of files is gigabytes.
    except (tarfile.TarError, OSError) as error:
        raise Refusal(
            f"{file} cannot be read as a tar file ({error}): WebDataset shards must not be compressed; write it again."
        ) from error
    return images, classes, others


def _label(name: str, content: bytes) -> str | None:
    """The class in a .cls file, or under `label` or `class` in a .json file; None where there is none."""
    text = content.decode("utf-8", "replace").strip()
    if not name.lower().endswith(".json"):
        return text if name.lower().endswith(".cls") and text else None
    try:
        values = json.loads(text)
        found = next(values[key] for key in ("label", "class", "cls") if key in values)
    except (ValueError, TypeError, StopIteration, RecursionError):
        return None
    return str(found) if isinstance(found, (int, str)) and not isinstance(found, bool) else None
