"""A pickle that would run a program on being read, in every place that reads bytes: refused, and never run."""

from __future__ import annotations

import gzip
import json
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from zerosum.data import cache
from zerosum.data.block import Block
from zerosum.data.digest import digests
from zerosum.data.options import DataOptions
from zerosum.data.source import open_data
from zerosum.errors import Refusal
from zerosum.play.config import Config, NetOptions, PriorOptions
from zerosum.runs import checkpoint
from zerosum.runs.run import open_run
from zerosum.training import launch

SMALL = Config(prior=PriorOptions(dim=2), net=NetOptions(width=8, depth=1), batch=16, threads=1, device="cpu")


class Payload:
    """On being unpickled it leaves a file."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> Any:
        return (Path.touch, (self.mark,))


def as_data(name: str, write: Callable[[Path, Payload], None]) -> Callable[[Path, Payload], None]:
    """An attack by a data file of this name."""

    def attack(folder: Path, payload: Payload) -> None:
        write(folder / name, payload)
        open_data(str(folder / name), DataOptions())

    return attack


def saved_array(path: Path, payload: Payload) -> None:
    np.save(path, np.array([payload] * 20, dtype=object), allow_pickle=True)


def saved_arrays(path: Path, payload: Payload) -> None:
    np.savez(path, x=np.array([payload] * 20, dtype=object))


def saved_by_torch(path: Path, payload: Payload) -> None:
    torch.save({"x": payload}, path)


def raw(path: Path, payload: Payload) -> None:
    path.write_bytes(pickle.dumps(payload))


def packed(path: Path, payload: Payload) -> None:
    path.write_bytes(gzip.compress(pickle.dumps(payload)))


def zipped(names: list[str]) -> Callable[[Path, Payload], None]:
    def write(path: Path, payload: Payload) -> None:
        with zipfile.ZipFile(path, "w") as archive:
            for name in names:
                archive.writestr(name, pickle.dumps(payload))

    return write


def foldered(path: Path, payload: Payload) -> None:
    path.mkdir()
    for i in range(20):
        raw(path / f"{i}.png", payload)


def in_run(file: str, vouched: bool = False) -> Callable[[Path, Payload], None]:
    """An attack by a file of a run; vouched: the manifest carries its hash."""

    def attack(folder: Path, payload: Payload) -> None:
        run = launch.train(open_data("ring8"), folder / "run", SMALL, samples=32)
        for path in run.path.glob(file):
            raw(path, payload)
            manifest = path.parent / "manifest.json"
            if vouched:
                meta = json.loads(manifest.read_text())
                meta["files"][path.name] = checkpoint._write(path, pickle.dumps(payload))
                manifest.write_text(json.dumps({**meta, "seal": checkpoint.seal(meta)}))
        again = open_run(run.path)
        again.rows()
        again.sample(2)
        launch.resume(run.path, samples=64)

    return attack


def in_cache(file: str) -> Callable[[Path, Payload], None]:
    """An attack by a file of the image cache, which is to be built anew."""

    def attack(folder: Path, payload: Payload) -> None:
        shape, pixels = (1, 2, 2), np.ones((2, 1, 2, 2), np.uint8)
        block = Block(pixels, np.array([1, 2], np.uint64), digests(pixels), {})

        def held() -> cache.DecodedImages:
            return cache.cached_images(2, shape, "it", lambda: [block])

        held()
        for path in (folder / "cache" / "images").glob(f"*/{file}"):
            raw(path, payload)
        assert held().pixels.sum() == 8

    return attack


ATTACKS: dict[str, Callable[[Path, Payload], None]] = {
    "npy of objects": as_data("a.npy", saved_array),
    "npz of objects": as_data("a.npz", saved_arrays),
    "pickle named npy": as_data("a.npy", raw),
    "pickle named npz": as_data("a.npz", raw),
    "torch's pt": as_data("a.pt", saved_by_torch),
    "pickle named pt": as_data("a.pt", raw),
    "torch's file named zip": as_data("a.zip", saved_by_torch),
    "torch's file named npz": as_data("a.npz", saved_by_torch),
    "pickle named png": as_data("a.png", raw),
    "pickle named idx": as_data("train-images-idx3-ubyte", raw),
    "gzipped pickle": as_data("train-images-idx3-ubyte.gz", packed),
    "zip of pickles": as_data("a.zip", zipped([f"{i}.png" for i in range(20)])),
    "npz of pickles": as_data("a.npz", zipped(["x.npy"])),
    "zip member outside": as_data("a.zip", zipped([f"../../{i}.png" for i in range(20)])),
    "folder of pickles": as_data("images", foldered),
    "run.json": in_run("run.json"),
    "record.jsonl": in_run("record.jsonl"),
    "manifest": in_run("checkpoints/*/manifest.json"),
    "weights": in_run("checkpoints/*/weights.safetensors"),
    "moments": in_run("checkpoints/*/moments.safetensors"),
    "weights, vouched for": in_run("checkpoints/*/weights.safetensors", vouched=True),
    "moments, vouched for": in_run("checkpoints/*/moments.safetensors", vouched=True),
    "cached images": in_cache("images.npy"),
    "cached keys": in_cache("keys.npy"),
    "cached hashes": in_cache("content.npy"),
    "cached facts": in_cache("facts.json"),
}
# The record is for reading only: lines that are none are passed over. A cache is made anew.
HARMLESS = {"record.jsonl", "cached images", "cached keys", "cached hashes", "cached facts"}


@pytest.mark.parametrize("name", ATTACKS)
def test_a_payload_in_every_place_that_reads_bytes(name: str, tally: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZEROSUM_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(cache, "MEMORY_SHARE", 0.0 if name.startswith("cached") else 0.25)
    mark = tmp_path / "executed"
    folder = tmp_path / "attack"
    folder.mkdir()
    if name.startswith("cached"):
        folder = tmp_path
    if name in HARMLESS:
        ATTACKS[name](folder, Payload(mark))
    else:
        with pytest.raises(Refusal):
            ATTACKS[name](folder, Payload(mark))
    assert not mark.exists()
    pickle.loads(pickle.dumps(Payload(mark)))  # noqa: S301 - the payload is a live one
    assert mark.exists()
    assert not any(p.suffix == ".png" for p in tmp_path.iterdir())
    tally.add(1, 1)
