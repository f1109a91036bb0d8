"""A run folder, opened for reading: its config, its record, and samples of the averaged generator. Reading needs no lock."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from zerosum.data.items import Progress
from zerosum.data.source import Data, open_data
from zerosum.data.space import Space
from zerosum.errors import Refusal
from zerosum.nets import displacement_numbers
from zerosum.nets.conditioning import conditional, takes_labels
from zerosum.options import expanded
from zerosum.play import oom
from zerosum.play.config import Config, from_json
from zerosum.play.players import Players, skeleton
from zerosum.records import Row, read_manifest, read_rows
from zerosum.runs import checkpoint as checkpoints
from zerosum.runs import shown
from zerosum.runs.checkpoint import Checkpoint
from zerosum.runs.labels import AskedClasses, class_number, class_walks, sampled_classes
from zerosum.runs.latent import AROUND, first_noise, loop, mixed
from zerosum.runs.projection import Projection, project, target_of
from zerosum.runs.sampling import default_widening, draw_samples, interpolate, noise, sampling_module, through
from zerosum.verdict import Verdict, verdict

Modules = tuple[nn.Module, nn.Module]


@dataclass(repr=False)
class Run:
    """A run and its folder.

    given: your own (G, D), for a run that was trained with them. at: a checkpoint, if not the newest. opened: the data, for a run that was
    trained in this session.
    """

    path: Path
    manifest: dict[str, Any]
    given: Modules | None = None
    at: Path | None = None
    opened: Data | None = field(default=None, compare=False)

    def __repr__(self) -> str:
        return shown.line(self)

    def _repr_html_(self) -> str:
        return shown.html(self)

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
            raise Refusal(f"{self.path} contains no checkpoint yet: train it further first.")
        return found

    def newest(self) -> tuple[Checkpoint | None, list[str]]:
        """The newest whole checkpoint (None before the first), and a sentence for each newer one that is damaged.

        Raises Refusal where all are damaged: a training that then started again from step 0 would overwrite the record.
        """
        found, complaints = checkpoints.newest(self.path)
        if found is None and complaints:
            raise Refusal(f"{self.path} contains no whole checkpoint: restore one from a copy, or start a new run. {' '.join(complaints)}")
        return found, complaints

    def verdict(self) -> Verdict:
        """The run's state, since when, with evidence, advice, confidence and history; read from the record alone."""
        return verdict(self.rows(), self.manifest["config"])

    def best(self) -> Run:
        """The run at its best checkpoint: the one whose samples were nearest to held-out data, the newest of those within noise of it."""
        path = checkpoints.best(checkpoints.listed(self.path))
        return self if path is None else replace(self, at=path)

    @property
    def finished(self) -> bool:
        """Whether the run has reached its horizon: it has seen all the samples that it was to be trained on."""
        found, _ = checkpoints.newest(self.path)
        return found is not None and bool(found.meta.get("horizon")) and found.meta["samples"] >= found.meta["horizon"]

    def players(self, device: torch.device | None = None) -> Players:
        """The two players and the EMA of G, from the checkpoint."""
        if self.manifest["players"] == "given" and self.given is None:
            how = "load it in Python with zerosum.load(path, generator=G, discriminator=D)"
            raise Refusal(f"{self.path} was trained with your own modules: {how}.")
        found = self.checkpoint()
        self.require_fit(found)
        players = Players(self.config, self.space, device or torch.device("cpu"), self.given)
        checkpoints.restore(players, found, moments=False)
        return players

    def require_fit(self, found: Checkpoint) -> None:
        """Compare a checkpoint with the nets of the config. Raises Refusal where they differ, before memory is allocated for either."""
        if self.given is None:
            found.require_fit("weights.safetensors", skeleton(self.config, self.space).weights())

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the classes that G can be asked for, in the order of their numbers; () for an unconditional run."""
        names = self.space.classes
        return names if conditional(self.config.net.classes, names) else ()

    @cached_property
    def _generator(self) -> nn.Module:
        return sampling_module(self.players().ema.module, self.manifest["engine"])

    def sample(
        self, n: int, seed: int = 0, y: AskedClasses | None = None, widen: float | None = None, truncation: float = 1.0
    ) -> np.ndarray:
        """n samples of the averaged generator: uint8 N x H x W (x C) for images, float32 N x d for points.

        y: for a conditional run, one class for all samples or a sequence of n, each by number or by name; None draws classes by their
        shares of the training data. widen: how many times as widely as in training samples are displaced (--net.elastic); None for what the
        run states. truncation: below 1, samples are nearer to the mean of their class: fewer bad ones, and less variety. Sample i depends
        on (seed, i) and its class alone. Raises Refusal for a class that does not exist, and where the machine has no memory for so many.
        """
        return self.drawn_by(self._generator, n, seed, y, widen, truncation)

    def drawn_by(
        self, G: nn.Module, n: int, seed: int = 0, y: AskedClasses | None = None, widen: float | None = None, truncation: float = 1.0
    ) -> np.ndarray:
        """As `sample`, of another G, in evaluation mode: the averaged generator of a run in training."""
        self._require_room(n)
        if not 0 <= truncation <= 2:
            raise Refusal(
                f"--truncation must be from 0 (every sample is its class's mean) to 2, not {truncation:g}; 1 draws as in training."
            )
        labels, wide = self._labels(G, y, n, seed), self._widening(G, widen)
        return self.space.to_array(draw_samples(G, self.config.prior, self.space, n, seed, labels, wide, truncation))

    def interpolate(
        self, rows: int = 8, steps: int = 10, seed: int = 0, y: AskedClasses | None = None, widen: float | None = None
    ) -> np.ndarray:
        """rows x steps samples: each row walks from one z to another (Radford et al. 2015, section 6.1).

        y: for a conditional run, one class or a sequence of one for each row; "cat>dog" for a walk between two classes. Otherwise as
        `sample`. Raises Refusal as `sample`.
        """
        self._require_room(rows * steps)
        G = self._generator
        labels, wide = class_walks(y, rows, steps, self.classes), self._widening(G, widen)
        labels = self._labels(G, y, rows, seed) if labels is None else labels
        return self.space.to_array(interpolate(G, self.config.prior, self.space, rows, steps, seed, labels, wide))

    def walk(self, seeds: Sequence[int], steps: int = 60, y: AskedClasses | None = None, widen: float | None = None) -> np.ndarray:
        """`steps` samples on a closed walk through sample 0 of each of the seeds, evenly divided.

        y: as for `sample`, of the walk; "cat>dog" goes from one class to the other and back.

        The samples are those that an animation shows in turn, `zerosum sample RUN --interpolate --out walk.gif`.
        """
        self._require_room(steps)
        G = self._generator
        labels, wide = class_walks(y, 1, steps, self.classes, closed=True), self._widening(G, widen)
        if labels is None and (one := self._labels(G, y, 1, seeds[0])) is not None:
            labels = one.expand(steps)
        z = loop(first_noise(self.config.prior, seeds)[None], steps, self.config.prior.kind == "normal")[0]
        return self.space.to_array(through(G, z, self.space, labels, wide))

    def mix(self, terms: str, n: int = 1, seed: int = 0, widen: float | None = None) -> np.ndarray:
        """n samples around a sum and difference of mean vectors (runs/latent.py): "7 - 1 + 0" of classes, "#3,#8 - #1" of samples.

        The first is the sum itself; the others are at z near it. Raises Refusal for terms that do not exist.
        """
        self._require_room(n)
        G, prior = self._generator, self.config.prior
        found = mixed(terms, prior, self.classes, seed)
        z = found.z + AROUND * noise(prior, n, seed) * (torch.arange(n) > 0)[:, None]
        y = None if found.y is None else found.y.expand(n, -1)
        return self.space.to_array(through(G, z, self.space, y, self._widening(G, widen)))

    def project(self, image: Any, y: int | str | None = None, seed: int = 0, progress: Progress | None = None) -> Projection:
        """The z, and the class where y is None, at which G comes nearest to an image (runs/projection.py).

        image: a path, or an array as `sample` returns one, of any size: it is brought to the run's. Raises Refusal for what is no image.
        """
        target, _ = target_of(image, self.space)
        number = None if y is None or not self.classes else class_number(y, self.classes)
        if y is not None and number is None:
            self._labels(self._generator, [y], 1, seed)  # Refused there, with the reason.
        G = self.players().ema.module
        return project(G, self.config.prior, self.space, target, y=number, classes=len(self.classes), seed=seed, progress=progress)

    def _labels(self, G: nn.Module, y: AskedClasses | None, n: int, seed: int) -> Tensor | None:
        """The class numbers of n samples; None for an unconditional run. Raises Refusal."""
        if not self.classes or not takes_labels(G):
            if y is not None:
                how = "train one on data with classes and --net.classes auto, or ask for no class"
                raise Refusal(f"{self.path} is an unconditional run, which has no classes to sample by: {how}.")
            return None
        counts = None if self.config.data.balance else self.manifest["data"].get("class_counts")
        return sampled_classes(y, n, self.classes, counts, seed)

    def _widening(self, G: nn.Module, widen: float | None) -> float:
        """How many times as widely as in training G displaces. Raises Refusal."""
        if widen is None:
            stated: float | None = self.manifest.get("sampling", {}).get("widen")
            return default_widening(G) if stated is None else stated
        if not 0 <= widen < math.inf:
            raise Refusal(f"--widen must be a number of at least 0, not {widen:g}.")
        if widen != 1 and not displacement_numbers(G):
            raise Refusal(f"The generator of {self.path} displaces nothing (--net.elastic 0): leave --widen out.")
        return widen

    def _require_room(self, n: int) -> None:
        # Noise in float32; samples once in pieces and once whole.
        each = 4 * self.config.prior.dim + 2 * prod(self.space.shape) * self.space.modality.value_bytes
        if n * each > 1024 * oom.available():
            has = f"this machine has {oom.available() << 10:,} free"
            raise Refusal(f"{n:,} samples need {n * each:,} bytes of memory, and {has}: draw fewer at a time, each with a seed of its own.")

    def data(self) -> Data:
        """The data that the run was trained on, opened again where it was not in this session.

        Raises Refusal when they are missing or have changed.
        """
        if self.opened is not None:
            return self.opened
        stated = self.manifest["data"]
        if stated["spec"] is None or str(stated["spec"]).startswith("array ("):  # Earlier versions recorded it so.
            how = "give the same array to zerosum.resume(path, data=array), or real samples to zerosum.evaluate(path, against=samples)"
            raise Refusal(f"{self.path} was trained on an array in memory: {how}.")
        if Path(stated["spec"]).is_absolute() and not Path(stated["spec"]).exists():
            now = f"restore it, or say where it is now: zerosum resume {self.path} --data PATH"
            raise Refusal(f"{stated['spec']}, which the run in {self.path} was trained on, is missing: {now}.")
        data = open_data(stated["spec"], self.config.data)
        if not data.matches(stated["fingerprint"]):
            raise Refusal(f"{stated['spec']} has changed since the run in {self.path} began: restore the old data, or start a new run.")
        return data

    def require_its_own(self, data: Data) -> Data:
        """Returns `data` if it has the content that the run was trained on. Raises Refusal if not."""
        if not data.matches(self.manifest["data"]["fingerprint"]):
            theirs = f"that the run in {self.path} was trained on, or not in their order"
            raise Refusal(f"{data.spec}: these are not the data {theirs}: give those, or start a new run.")
        return data


def open_run(path: str | Path, given: Modules | None = None) -> Run:
    """The run in a folder. Raises Refusal when the folder is no run, or one that this version cannot read."""
    path = expanded(path)
    run = Run(path, read_manifest(path), given)
    _require_sound(run)
    return run


def _require_sound(run: Run) -> None:
    """Raises Refusal where a value in run.json is missing or of the wrong type."""
    m = run.manifest
    try:
        run.config, run.space  # noqa: B018
        sound = all(isinstance(m["data"][name], str) for name in ("name", "fingerprint")) and isinstance(m["data"]["spec"], str | None)
        sound = sound and all(n is None or (type(n) in (int, float) and n > 0) for n in (m["asked"]["samples"], m["asked"]["minutes"]))
        sound = sound and m["players"] in ("built", "given") and isinstance(m["engine"], dict) and type(m.get("ranks", 1)) is int
        sound = sound and _is_sound_sampling(run)
    except Refusal:
        raise
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise Refusal(f"{run.path / 'run.json'} is damaged ({type(error).__name__} {error}): restore it from a copy.") from error
    if not sound:
        raise Refusal(f"{run.path / 'run.json'} is damaged: restore it from a copy.")


def _is_sound_sampling(run: Run) -> bool:
    """Whether what run.json says of samples, where it says something, can be followed."""
    widen = run.manifest.get("sampling", {}).get("widen")
    if widen is not None and not (type(widen) in (int, float) and 0 <= widen < math.inf):
        return False
    counts = run.manifest["data"].get("class_counts")
    if counts is None or not run.classes:
        return True
    return len(counts) == len(run.classes) and all(type(n) is int and n >= 0 for n in counts) and sum(counts) > 0
