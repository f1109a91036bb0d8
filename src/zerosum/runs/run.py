"""A run folder, opened for reading: what was asked, the record, and samples of the newest checkpoint's average. Needs no lock."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from zerosum.data.source import Data, open_data
from zerosum.data.space import Space
from zerosum.errors import Refusal
from zerosum.play import oom
from zerosum.play.config import Config, from_json
from zerosum.play.players import Players, skeleton
from zerosum.records import Row, read_manifest, read_rows
from zerosum.runs import checkpoint as checkpoints
from zerosum.runs.checkpoint import Checkpoint
from zerosum.runs.sampling import draw_samples, interpolate, quick
from zerosum.verdict import Verdict, verdict

Modules = tuple[nn.Module, nn.Module]


@dataclass
class Run:
    """A training and its folder. given: a person's own (G, D), for a run trained with such. at: a checkpoint, if not the newest."""

    path: Path
    manifest: dict[str, Any]
    given: Modules | None = None
    at: Path | None = None

    @cached_property
    def config(self) -> Config:
        return from_json(self.manifest["config"])

    @cached_property
    def space(self) -> Space:
        return Space.from_json(self.manifest["data"])

    def rows(self, kind: str | None = None) -> list[Row]:
        """The record's rows, of one type when `kind` names it."""
        return [r for r in read_rows(self.path / "record.jsonl").rows if kind in (None, r["type"])]

    def checkpoint(self) -> Checkpoint:
        """The newest whole checkpoint. Raises Refusal where there is none."""
        if self.at is not None:
            return checkpoints.verified(self.at)
        found, _ = self.newest()
        if found is None:
            raise Refusal(f"{self.path} holds no checkpoint yet: train it further first.")
        return found

    def newest(self) -> tuple[Checkpoint | None, list[str]]:
        """The newest whole checkpoint, None before the first, and a sentence for each damaged one that was passed over on the way to it.

        Raises Refusal where all are damaged: who then began anew would undo what the record holds.
        """
        found, complaints = checkpoints.newest(self.path)
        if found is None and complaints:
            raise Refusal(f"{self.path} holds no whole checkpoint: bring one back from a copy, or start a new run. {' '.join(complaints)}")
        return found, complaints

    def verdict(self) -> Verdict:
        """How the run is going, or went: state, since, evidence, advice, confidence, history; read from the record alone."""
        return verdict(self.rows(), self.manifest["config"])

    def best(self) -> Run:
        """The run as its best checkpoint holds it: the one nearest to held-out data, where that is more than noise; else the newest."""
        path = checkpoints.best(checkpoints.listed(self.path))
        return self if path is None else replace(self, at=path)

    @property
    def finished(self) -> bool:
        """Whether the run has seen all the samples that it was given."""
        found, _ = checkpoints.newest(self.path)
        return found is not None and bool(found.meta.get("horizon")) and found.meta["samples"] >= found.meta["horizon"]

    def players(self, device: torch.device | None = None) -> Players:
        """The two players and the average as the newest checkpoint holds them."""
        if self.manifest["players"] == "given" and self.given is None:
            how = "load it in Python with zerosum.load(path, generator=G, discriminator=D)"
            raise Refusal(f"{self.path} was trained with a person's own modules: {how}.")
        found = self.checkpoint()
        self.require_fit(found)
        players = Players(self.config, self.space, device or torch.device("cpu"), self.given)
        checkpoints.restore(players, found, moments=False)
        return players

    def require_fit(self, found: Checkpoint) -> None:
        """Compares a checkpoint with the nets of the config. Raises Refusal where they differ, before memory is taken for either."""
        if self.given is None:
            found.require_fit("weights.safetensors", skeleton(self.config, self.space).weights())

    @cached_property
    def _generator(self) -> nn.Module:
        return quick(self.players().ema.module, self.manifest["engine"])

    def sample(self, n: int, seed: int = 0) -> np.ndarray:
        """n samples of the average of G: uint8 N x H x W (x C) for images, float32 N x d for points.

        Sample i depends on (seed, i) alone. Raises Refusal where the machine has no memory for so many.
        """
        self._require_room(n)
        return self.space.to_array(draw_samples(self._generator, self.config.prior, self.space, n, seed))

    def interpolate(self, rows: int = 8, steps: int = 10, seed: int = 0) -> np.ndarray:
        """rows x steps samples: each row walks from one z to another (Radford et al. 2015, section 6.1). Raises Refusal as `sample`."""
        self._require_room(rows * steps)
        return self.space.to_array(interpolate(self._generator, self.config.prior, self.space, rows, steps, seed))

    def _require_room(self, n: int) -> None:
        # Noise in float32; samples once in pieces and once whole.
        each = 4 * self.config.prior.dim + 2 * prod(self.space.shape) * (1 if self.space.kind == "images" else 4)
        if n * each > 1024 * oom.available():
            has = f"this machine has {oom.available() << 10:,} free"
            raise Refusal(f"{n:,} samples need {n * each:,} bytes of memory, and {has}: draw fewer at a time, each with a seed of its own.")

    def data(self) -> Data:
        """The data that the run was trained on, opened again. Raises Refusal when it is gone or has changed."""
        stated = self.manifest["data"]
        if stated["spec"] is None:
            raise Refusal(f"{self.path} was trained on an array in memory: hand the same array to zerosum.resume(path, data=array).")
        if Path(stated["spec"]).is_absolute() and not Path(stated["spec"]).exists():
            now = f"bring it back, or say where it lies now: zerosum resume {self.path} --data PATH"
            raise Refusal(f"{stated['spec']}, which the run in {self.path} was trained on, is gone: {now}.")
        data = open_data(stated["spec"], self.config.data)
        if data.fingerprint != stated["fingerprint"]:
            raise Refusal(f"{stated['spec']} has changed since the run in {self.path} began: bring the old data back, or start a new run.")
        return data

    def require_its_own(self, data: Data) -> Data:
        """`data`, where it is what the run was trained on, by content. Raises Refusal where it is not."""
        if data.fingerprint != self.manifest["data"]["fingerprint"]:
            theirs = f"that the run in {self.path} was trained on, or not in their order"
            raise Refusal(f"{data.spec}: these are not the data {theirs}: give those, or start a new run.")
        return data


def open_run(path: str | Path, given: Modules | None = None) -> Run:
    """The run in a folder. Raises Refusal when the folder is no run, or one that this version cannot read."""
    path = Path(path)
    run = Run(path, read_manifest(path), given)
    _require_sound(run)
    return run


def _require_sound(run: Run) -> None:
    """Raises Refusal where run.json does not say what a run's does."""
    m = run.manifest
    try:
        run.config, run.space  # noqa: B018
        sound = all(isinstance(m["data"][name], str) for name in ("name", "fingerprint")) and isinstance(m["data"]["spec"], str | None)
        sound = sound and all(n is None or (type(n) in (int, float) and n > 0) for n in (m["asked"]["samples"], m["asked"]["minutes"]))
        sound = sound and m["players"] in ("built", "given") and isinstance(m["engine"], dict) and type(m.get("ranks", 1)) is int
    except Refusal:
        raise
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise Refusal(f"{run.path / 'run.json'} is damaged ({type(error).__name__} {error}): bring it back from a copy.") from error
    if not sound:
        raise Refusal(f"{run.path / 'run.json'} is damaged: bring it back from a copy.")
