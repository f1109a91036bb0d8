"""Find every file below a folder. Links are followed, each folder is read once, and what cannot be read is named."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from zerosum.data.items import Skipped
from zerosum.errors import Refusal


def walk(root: Path, skipped: list[Skipped]) -> Iterator[tuple[str, str]]:
    """Each file below `root`: its name relative to it with "/", and its path. Folders that were not read are added to `skipped`, each name
    with a "/" at its end.

    Folders come before links to folders, so a link that leads back into the tree adds nothing: its folder is read under its own name.
    This also ends loops, and bounds the work where links branch. Raises Refusal where `root` itself cannot be read.
    """
    links: list[str] = []
    seen: dict[tuple[int, int], str] = {}
    waiting = [""]
    while waiting or links:
        folder = waiting.pop() if waiting else links.pop(0)
        try:
            status = (root / folder).stat()
            if (twin := seen.setdefault((status.st_dev, status.st_ino), folder)) != folder:
                skipped.append(Skipped(f"{folder}/", f"a link to {twin or '.'}/, which is read already"))
                continue
            with os.scandir(root / folder) as entries:
                for entry in sorted(entries, key=lambda e: e.name):
                    name = f"{folder}/{entry.name}" if folder else entry.name
                    if not _is_folder(entry):
                        yield name, entry.path
                    elif entry.is_symlink():
                        links.append(name)
                    else:
                        waiting.append(name)
        except OSError as error:
            if not folder:
                raise Refusal(
                    f"{root} cannot be read ({error.strerror or error}): change its permissions, or give another path."
                ) from error
            skipped.append(Skipped(f"{folder}/", error.strerror or "cannot be read"))


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # A link to itself: whoever opens it as a file learns why that fails.
        return False
