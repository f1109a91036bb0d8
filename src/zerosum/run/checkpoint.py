"""Checkpoints: safetensors and JSON only, written whole or not at all, checked by hash when read.

A checkpoint is a folder `checkpoints/000001234/` with a manifest of the sha256 of each file. It is made under a temporary name on the same file
system, synced to disk, renamed, and only then are older ones pruned: a process killed at any moment leaves the previous one whole.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from zerosum.errors import Refusal

KEPT = 2
Tensors = dict[str, Tensor]


@dataclass(frozen=True)
class Checkpoint:
    """One whole checkpoint on disk: `path`, and `meta`, its manifest."""

    path: Path
    meta: dict[str, Any]

    @property
    def round(self) -> int:
        return int(self.meta["round"])

    def tensors(self, file: str, like: Tensors) -> Tensors:
        """The tensors of one file. Names, shapes and types are compared with `like` before memory is taken for them. Raises Refusal."""
        with safe_open(self.path / file, framework="pt") as stored:
            names = set(stored.keys())
            if names != set(like):
                odd = sorted(names ^ set(like))[0]
                raise Refusal(f"{self.path / file} does not fit the run's config: {odd} is on one side only; is it another run's checkpoint?")
            for name, tensor in like.items():
                shape = tuple(stored.get_slice(name).get_shape())
                if shape != tuple(tensor.shape):
                    raise Refusal(f"{self.path / file} does not fit the run's config: {name} has shape {shape}, not {tuple(tensor.shape)}.")
            return {name: stored.get_tensor(name) for name in like}


def _write(path: Path, content: bytes) -> dict[str, Any]:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    return {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}


def sync_folder(path: Path) -> None:
    """Puts a folder's entries on the disk; Windows has no such call and needs none."""
    if os.name == "posix":
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def write(run: Path, meta: dict[str, Any], files: dict[str, Tensors]) -> Path:
    """Writes one checkpoint of `run` with meta["round"], and prunes all but the newest `KEPT`. Tensors must be on the host and left alone meanwhile.

    Raises Refusal, saying how many bytes were needed and where, when the disk does not take it; earlier checkpoints are untouched then.
    """
    home = run / "checkpoints"
    final, temporary = home / f"{meta['round']:09d}", home / f".partial-{meta['round']:09d}"
    content = {name: save(tensors) for name, tensors in files.items()}
    try:
        home.mkdir(exist_ok=True)
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir()
        written = {name: _write(temporary / name, blob) for name, blob in content.items()}
        _write(temporary / "manifest.json", json.dumps({**meta, "files": written}, indent=1).encode())
        sync_folder(temporary)
        if final.exists():  # The same round again: what stands there is the same state, or damaged.
            shutil.rmtree(final)
        temporary.rename(final)
        sync_folder(home)
    except OSError as error:
        shutil.rmtree(temporary, ignore_errors=True)
        need = sum(len(blob) for blob in content.values())
        raise Refusal(
            f"A checkpoint of {need:,} bytes could not be written to {home} ({error.strerror or error}): free some room and resume; the one before it is whole."
        ) from error
    for old in listed(run)[:-KEPT]:
        shutil.rmtree(old, ignore_errors=True)
    return final


def listed(run: Path) -> list[Path]:
    """Folders of finished checkpoints, oldest first, whole or not."""
    home = run / "checkpoints"
    return sorted(p for p in home.iterdir() if p.name.isdigit() and p.is_dir()) if home.is_dir() else []


def verified(path: Path) -> Checkpoint:
    """The checkpoint at `path`, each file compared with its hash. Raises Refusal that names what is damaged."""
    try:
        meta = json.loads((path / "manifest.json").read_bytes())
        files = dict(meta["files"])
        int(meta["round"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Refusal(f"Checkpoint {path} is damaged: its manifest cannot be read.") from error
    for name, stated in files.items():
        file = path / name
        if file.parent != path:
            raise Refusal(f"Checkpoint {path} is damaged: its manifest names {name!r}, outside its folder.")
        try:
            content = file.read_bytes()
        except OSError as error:
            raise Refusal(f"Checkpoint {path} is damaged: {name} cannot be read.") from error
        if hashlib.sha256(content).hexdigest() != stated["sha256"]:
            raise Refusal(f"Checkpoint {path} is damaged: {name} is not what was written.")
        try:
            with safe_open(file, framework="pt"):
                pass
        except (SafetensorError, OSError) as error:
            raise Refusal(f"Checkpoint {path} is damaged: {name} is not safetensors.") from error
    return Checkpoint(path, meta)


def newest(run: Path) -> tuple[Checkpoint | None, list[str]]:
    """The newest whole checkpoint, and a sentence for each damaged one that was passed over on the way to it."""
    complaints: list[str] = []
    for path in reversed(listed(run)):
        try:
            return verified(path), complaints
        except Refusal as refusal:
            complaints.append(str(refusal))
    return None, complaints
