"""Taking hold of a run folder: made once, named in one write, and held by one process at a time."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from zerosum.errors import Refusal
from zerosum.plain_files import read_plain, reason, remedy, require_own, sync_folder, write_synced
from zerosum.play.distributed import is_first, job, restarted

CHANGED = ("lock", "run.json.partial", "record.jsonl")
"""Files of a run that are written in place."""

REPLACED = ("run.json", "checkpoints", "grids", "grid.png", "report.html", "tensorboard")
"""What else zerosum writes in a run folder: files that are renamed over old ones, and folders of such files."""

# What a process leaves that was killed before it could name its run.
UNNAMED = {"lock", "run.json.partial"}


def claim(out: Path) -> None:
    """Makes the output folder. Raises Refusal when something stands there, or the disk does not take it."""
    if goes_on(out) or not is_first():
        return
    if out.exists() and (not out.is_dir() or any(p.name not in UNNAMED for p in out.iterdir())):
        if not out.is_dir():
            raise Refusal(f"{out} is a file, and a run is a folder: give another --out.")
        if (out / "run.json").exists():
            further = f"or go on with zerosum resume {out}"
            raise Refusal(f"{out} contains another run, which zerosum does not overwrite: give another --out, {further}.")
        raise Refusal(f"{out} holds other files, which zerosum does not overwrite: give another --out.")
    try:
        out.mkdir(parents=True, exist_ok=True)
        sync_folder(out.parent)
    except OSError as error:
        raise Refusal(f"The output folder {out} cannot be made ({reason(error)}): {remedy(error)}; or give another --out.") from error


def goes_on(out: Path) -> bool:
    """Whether this is torchrun starting again what already trains in `out`: after it lost a process, or anew under the same --rdzv-id."""
    try:
        manifest = json.loads(read_plain(out / "run.json"))
        return restarted() or (job() is not None and manifest.get("job") == job())
    except (OSError, ValueError, AttributeError, RecursionError):
        return False


def name(out: Path, manifest: dict[str, Any]) -> None:
    """Writes run.json, whole or not at all. Raises Refusal where the disk does not take it."""
    content = json.dumps(manifest, indent=1).encode()
    temporary = out / "run.json.partial"
    try:
        write_synced(temporary, content)
        temporary.replace(out / "run.json")
        sync_folder(out)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        what = f"{len(content):,} bytes could not be written to {out / 'run.json'} ({reason(error)})"
        raise Refusal(f"{what}: {remedy(error)}, or give another --out.") from error


class locked:
    """One writer a run: holds RUN/lock while the block runs. A dead process holds nothing.

    Raises Refusal when a live process holds it. Raises it too, before anything is opened, where a name that a run writes is a link, a
    pipe or the like (`plain_files`).
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lock = FileLock(path / "lock")

    def __enter__(self) -> None:
        require_own(self.path / name for name in REPLACED)
        require_own((self.path / name for name in CHANGED), in_place=True)
        try:
            self.lock.acquire(timeout=0)
        except Timeout as error:
            raise Refusal(f"Another process is training in {self.path}: wait for it, or train into another folder.") from error
        except (OSError, NotImplementedError) as error:  # The second is filelock's word for a file system without locks.
            what = f"{self.path} cannot be locked for writing ({getattr(error, 'strerror', None) or error})"
            raise Refusal(f"{what}: it must lie on a disk that takes locks and has room.") from error

    def __exit__(self, *_: object) -> None:
        self.lock.release()
