"""Checkpoints: safetensors and JSON only, written whole or not at all, checked by hash when read.

A checkpoint is a folder `checkpoints/000001234/` with a manifest of the sha256 of each file, sealed by its own. It is made under a
temporary name on the same file system, synced to disk, renamed, and only then are older ones pruned: a process killed at any moment
leaves the previous one whole.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from zerosum.errors import Refusal
from zerosum.plain_files import NotPlain, open_to_read, read_plain, reason, remedy, require_own, sync_folder, write_synced
from zerosum.play.course import Course
from zerosum.play.players import Players, Tensors

KEPT = 2
BEFORE_DECAY = "before_decay"  # in a manifest: whether the state is that before learning rates and penalty decay, which a longer run needs
WEIGHTS = "weights.safetensors"
NOISE = 0.03  # scores (`Checks.score`) that differ by less are alike
# safetensors' names of torch's types.
TYPES = {
    torch.float64: "F64",
    torch.float32: "F32",
    torch.bfloat16: "BF16",
    torch.float16: "F16",
    torch.int64: "I64",
    torch.int32: "I32",
    torch.int16: "I16",
    torch.int8: "I8",
    torch.uint8: "U8",
    torch.bool: "BOOL",
}


@dataclass(frozen=True)
class Checkpoint:
    """One whole checkpoint on disk: `path`, and `meta`, its manifest."""

    path: Path
    meta: dict[str, Any]

    @property
    def round(self) -> int:
        return int(self.meta["round"])

    def tensors(self, file: str, like: Tensors) -> Tensors:
        """The tensors of one file.

        Raises Refusal where they do not fit `like`, before memory is taken for them, and where a weight is not finite.
        """
        self.require_fit(file, like)
        with safe_open(self.path / file, framework="pt") as stored:
            found = {name: stored.get_tensor(name) for name in like}
        if file == WEIGHTS and (bad := [name for name, tensor in found.items() if not bool(torch.isfinite(tensor).all())]):
            what = f"The weights in {self.path / file} contain NaN or infinite numbers (in {bad[0]}), which no training of zerosum saves"
            raise Refusal(f"{what}: delete that checkpoint to use the one before it, or restore the run from a copy.")
        return found

    def require_fit(self, file: str, like: Tensors) -> None:
        """Compares names, shapes and types with `like`, which may lie on the meta device. Raises Refusal where they differ."""
        place, ask = f"{self.path / file} does not fit the run's config", "is it another run's checkpoint?"
        if file not in self.meta["files"]:
            raise Refusal(f"Checkpoint {self.path} holds no {file}: {ask}")
        with safe_open(self.path / file, framework="pt") as stored:
            if odd := sorted(set(stored.keys()) ^ set(like)):
                raise Refusal(f"{place}: {odd[0]} is on one side only; {ask}")
            for name, tensor in like.items():
                view = stored.get_slice(name)
                if (shape := tuple(view.get_shape())) != tuple(tensor.shape):
                    raise Refusal(f"{place}: {name} has shape {shape}, not {tuple(tensor.shape)}; {ask}")
                if (kind := view.get_dtype()) != TYPES.get(tensor.dtype):
                    raise Refusal(f"{place}: {name} is of type {kind}, not {TYPES.get(tensor.dtype, str(tensor.dtype))}; {ask}")


def _write(path: Path, content: bytes) -> dict[str, Any]:
    write_synced(path, content)
    return {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}


def seal(meta: dict[str, Any]) -> str:
    """The sha256 of a manifest's meaning, so that a bit flipped in the manifest itself is seen."""
    rest = {name: value for name, value in meta.items() if name != "seal"}
    return hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()


def write(run: Path, meta: dict[str, Any], files: dict[str, Tensors]) -> Path:
    """Writes one checkpoint of `run` with meta["round"], and prunes all but the newest `KEPT`, the best, and the last before the decay.

    files: tensors on the host, left alone meanwhile. Raises Refusal, saying how many bytes were needed and where, when the disk does not
    take it; earlier checkpoints are untouched then.
    """
    home = run / "checkpoints"
    final, temporary = home / f"{meta['round']:09d}", home / f".partial-{meta['round']:09d}"
    try:
        require_own([home])
        home.mkdir(exist_ok=True)
        for stale in home.glob(".partial-*"):  # What killed processes left.
            shutil.rmtree(stale)
        temporary.mkdir()
        whole = {**meta, "files": {name: _write(temporary / name, save(tensors)) for name, tensors in files.items()}}
        _write(temporary / "manifest.json", json.dumps({**whole, "seal": seal(whole)}, indent=1).encode())
        sync_folder(temporary)
        _publish(temporary, final)
    except OSError as error:
        shutil.rmtree(temporary, ignore_errors=True)
        need = sum(tensor.nbytes for tensors in files.values() for tensor in tensors.values())
        raise Refusal(
            f"A checkpoint of {need:,} bytes could not be written to {home} ({reason(error)}): {remedy(error)}; the one before it is whole."
        ) from error
    _prune(run, int(meta["round"]))
    return final


def _publish(temporary: Path, final: Path) -> None:
    """Gives a finished checkpoint its name. Where the round's state stands there already, whole, only the manifest is exchanged."""
    if final.exists():
        try:
            same = verified(final).meta["files"] == verified(temporary).meta["files"]
        except Refusal:
            same = False
        if same:
            os.replace(temporary / "manifest.json", final / "manifest.json")
            sync_folder(final)
            shutil.rmtree(temporary)
            return
        # Damaged: the run could not have come to this round again from it.
        shutil.rmtree(final)
    temporary.rename(final)
    sync_folder(final.parent)


def _prune(run: Path, now: int) -> None:
    """Keeps the newest `KEPT` up to round `now`, the best and the last before the decay. One of a later round was passed over on a resume:
    damaged."""
    found = listed(run)
    earlier = [path for path in found if int(path.name) <= now]
    kept = {*earlier[-KEPT:], best(earlier), *before_decay(earlier)[-1:]}
    for path in [p for p in found if p not in earlier or p not in kept]:
        shutil.rmtree(path, ignore_errors=True)


def _stated(path: Path, name: str) -> Any:
    """What a checkpoint's manifest says of `name`; None where it says nothing, or cannot be read."""
    try:
        return _manifest(path).get(name)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def before_decay(found: list[Path]) -> list[Path]:
    """Those of the checkpoints from which a run can be extended as if it had been given its later end at once."""
    return [path for path in found if _stated(path, BEFORE_DECAY) is True]


def set_aside(run: Path, after: Path) -> Path:
    """Moves the checkpoints that are newer than `after` out of the way, into RUN/ended/, with a copy of the record. Returns that folder.

    The oldest first: a process killed meanwhile leaves the run at its end, as it was. Raises Refusal where the disk does not take it.
    """
    home = run / "ended"
    try:
        require_own([home, run / "checkpoints"])
        home.mkdir(exist_ok=True)
        later = [path for path in listed(run) if int(path.name) > int(after.name)]
        write_synced(home / f"{later[-1].name}.jsonl", read_plain(run / "record.jsonl"))
        for path in later:
            shutil.rmtree(home / path.name, ignore_errors=True)
            path.rename(home / path.name)
            sync_folder(home)
    except OSError as error:
        raise Refusal(f"{home} could not be written ({reason(error)}): {remedy(error)}; the run is as it was.") from error
    return home


def best(found: list[Path]) -> Path | None:
    """The checkpoint of the least score, the newest of those within noise of it; None where none has a score. found: oldest first."""
    scores = {path: score for path in found if isinstance(score := _stated(path, "score"), float)}
    least = min(scores.values(), default=None)
    return None if least is None else next(path for path in reversed(scores) if scores[path] <= least + NOISE)


def listed(run: Path) -> list[Path]:
    """Folders of finished checkpoints, oldest first, whole or not."""
    home = run / "checkpoints"
    return sorted(p for p in home.iterdir() if p.name.isdecimal() and p.is_dir()) if home.is_dir() else []


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _manifest(path: Path) -> dict[str, Any]:
    """The manifest of the checkpoint at `path`, its seal and its types checked. Raises ValueError and its like, or OSError."""
    meta = json.loads(read_plain(path / "manifest.json"))
    if meta["seal"] != seal(meta):
        raise ValueError("its seal is broken")
    if not all(_is_count(meta[name]) for name in ("round", "samples", "record_bytes")):
        raise ValueError("its counts are none")
    if int(path.name.removeprefix(".partial-")) != meta["round"]:
        raise ValueError("it stands under another round's name")
    if not (meta["horizon"] is None or _is_count(meta["horizon"])) or not isfinite(meta["seconds"]):
        raise ValueError("its horizon or its seconds are damaged")
    if (knots := course_of(meta)) is not None and Course.from_json(knots).end != meta["horizon"]:
        raise ValueError("its course ends elsewhere")
    if not (meta.get("until") is None or isfinite(meta["until"])):
        raise ValueError("its end is damaged")
    if not (_is_count(threads := meta.get("threads", 1)) and threads > 0):
        raise ValueError("its number of threads is none")
    for name, stated in meta["files"].items():
        if not (isinstance(stated["sha256"], str) and _is_count(stated["bytes"])):
            raise ValueError(f"what it says of {name} is not a hash and a size")
    return dict(meta)


def course_of(meta: dict[str, Any]) -> Any:
    """The knots of a manifest's course; None without a horizon. Earlier versions wrote the horizon alone, the end of a straight course."""
    return meta.get("knots") or (Course.straight(meta["horizon"]).to_json() if meta["horizon"] else None)


def verified(path: Path) -> Checkpoint:
    """The checkpoint at `path`, each file compared with its hash. Raises Refusal that names what is damaged."""
    try:
        meta = _manifest(path)
    except NotPlain:
        raise
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise Refusal(f"Checkpoint {path} is damaged: its manifest cannot be read.") from error
    for name, stated in meta["files"].items():
        file = path / name
        if "\0" in name or file.parent != path:
            raise Refusal(f"Checkpoint {path} is damaged: its manifest names {name!r}, outside its folder.")
        try:
            with open_to_read(file) as content:
                whole = os.fstat(content.fileno()).st_size == stated["bytes"]
                whole = whole and hashlib.file_digest(content, "sha256").hexdigest() == stated["sha256"]
        except OSError as error:
            raise Refusal(f"Checkpoint {path} is damaged: {name} cannot be read.") from error
        if not whole:
            raise Refusal(f"Checkpoint {path} is damaged: {name} is not what was written.")
        try:
            with safe_open(file, framework="pt"):
                pass
        except (SafetensorError, OSError) as error:
            raise Refusal(f"Checkpoint {path} is damaged: {name} is not safetensors.") from error
    return Checkpoint(path, meta)


def newest(run: Path) -> tuple[Checkpoint | None, list[str]]:
    """The newest whole checkpoint, and a sentence for each damaged one that was passed over on the way to it.

    Raises NotPlain where a file of one is a pipe or a device, which is no damage but somebody's intent."""
    complaints: list[str] = []
    for path in reversed(listed(run)):
        try:
            return verified(path), complaints
        except NotPlain:
            raise
        except Refusal as refusal:
            complaints.append(str(refusal))
    return None, complaints


@torch.no_grad()
def restore(players: Players, checkpoint: Checkpoint, moments: bool = True) -> None:
    """Copies a checkpoint's state into the players, the optimisers' too unless `moments` is false. Raises Refusal where it does not fit."""
    files = players.files() if moments else {WEIGHTS: players.weights()}
    for file, mine in files.items():
        for name, tensor in checkpoint.tensors(file, mine).items():
            mine[name].copy_(tensor)
