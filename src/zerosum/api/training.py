"""Training in Python: data, presets, knobs and folders wired to the trainer."""

from __future__ import annotations

import math
import shutil
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

import numpy as np
import torch
from torch import nn

from zerosum.api.scoring import leave_scores
from zerosum.data.detect import kind_of
from zerosum.data.in_memory import in_memory
from zerosum.data.items import Progress
from zerosum.data.source import Data, Spec, open_data
from zerosum.errors import Refusal, nearest
from zerosum.play.config import Config
from zerosum.play.distributed import is_first
from zerosum.play.presets import default_preset, named, with_net
from zerosum.report.grid import save_grid
from zerosum.report.page import write_report
from zerosum.runs.run import Modules, Run, open_run
from zerosum.training import launch
from zerosum.training.launch import Draw, Listener

Array = np.ndarray[Any, Any]
Source = Spec | Data

MINUTES = 5.0
"""How long a training lasts when neither minutes nor samples are given."""

ROOM = 200 << 20
"""Bytes that a run may need: three checkpoints of the largest preset's nets (two kept, one being written) and the grids."""


def train(
    data: Source,
    *,
    minutes: float | None = None,
    samples: int | None = None,
    out: str | Path | None = None,
    preset: str | None = None,
    config: Config | None = None,
    knobs: Mapping[str, Any] | None = None,
    until_settled: bool = False,
    generator: nn.Module | None = None,
    discriminator: nn.Module | None = None,
    listener: Listener | None = None,
    progress: Progress | None = None,
    command: str = "zerosum.train(...)",
) -> Run:
    """Trains a GAN on `data` and returns the run; its folder holds the record, the newest checkpoint, the grids and report.html.

    data: a name (mnist, ring8, ...), a path, an array or tensor, (samples, labels), a map-style data set whose items are (sample, label),
        or an iterable of batches such as a DataLoader, read once to its end (see `open_data`).
    minutes or samples: how long; samples counts reals shown to D. Neither: five minutes.
    out: the run's folder; default runs/NAME-N with the first free N. A folder that holds something is refused.
    preset: a row of `zerosum.play.presets.PRESETS`; default: the one that suits the data. config takes its place, whole.
    knobs: single fields replaced, by the names of the flags: {"d.lr": 1e-4, "game.value": "hinge"}.
    until_settled: stop earlier, when the run has settled: when its checks say that it no longer improves.
    generator, discriminator: a person's own G, from z (N, prior.dim) to y, and D, from y to (N,) logits, where y are images
        float (N, C, H, W) in [-1, 1] or points (N, d). Both or neither. Read the run again with load(path, generator=G, discriminator=D).
    listener: gets the record's rows and the counter as the run goes. progress: called with (label, done, total) while data are read.

    Raises Refusal for what cannot be trained.
    """
    check_length(minutes, samples)
    given = _modules(generator, discriminator)
    source = data if isinstance(data, Data) else in_memory(data)
    if config is None:
        preset = preset or _suited(source)
        config = named(preset).config
    config = with_options(config, knobs or {})
    if out is not None:
        refuse_taken(Path(out))
    opened = source if isinstance(source, Data) else open_data(source, config.data, progress)
    folder = next_folder(opened.name) if out is None else Path(out)
    check_room(folder)
    run = launch.train(
        opened,
        folder,
        config,
        samples=samples,
        minutes=MINUTES if minutes is None and samples is None else minutes,
        until_settled=until_settled,
        preset=preset or "own",
        command=command,
        listener=listener,
        draw=drawer(opened),
        given=given,
    )
    return _closed(run, opened, listener)


def resume(
    path: str | Path,
    *,
    minutes: float | None = None,
    samples: int | None = None,
    data: Source | None = None,
    generator: nn.Module | None = None,
    discriminator: nn.Module | None = None,
    listener: Listener | None = None,
    progress: Progress | None = None,
) -> Run:
    """Goes on with a run exactly where it stopped: to its horizon, to `samples` in all, or for `minutes` more.

    data: the same array again, for a run on an array in memory. generator, discriminator: the same modules, for a run of such.
    Raises Refusal when the run is finished, its data have changed, or another process trains there.
    """
    check_length(minutes, samples)
    run = load(path, generator=generator, discriminator=discriminator)
    check_room(run.path)
    if data is None:
        opened = run.data()
    else:
        opened = data if isinstance(data, Data) else open_data(in_memory(data), run.config.data, progress)
    run = launch.resume(run.path, samples=samples, minutes=minutes, data=opened, listener=listener, draw=drawer(opened), given=run.given)
    return _closed(run, opened, listener)


def _closed(run: Run, data: Data, listener: Listener | None) -> Run:
    """Scores a run that has come to an end of its own, and writes its page."""
    if is_first():
        try:
            leave_scores(run, data, listener)
        finally:
            write_report(run.path)
    return run


def load(path: str | Path, *, generator: nn.Module | None = None, discriminator: nn.Module | None = None) -> Run:
    """The run in a folder, to sample from and to read. Raises Refusal when the folder is no run.

    generator, discriminator: modules built as they were for the training, for a run of a person's own modules.
    """
    return open_run(path, _modules(generator, discriminator))


def with_options(config: Config, knobs: Mapping[str, Any]) -> Config:
    """The config with fields replaced, each named by its path: "batch", "game.value". Raises Refusal for a name or a word that is none."""
    if "net.kind" in knobs:
        config = with_net(config, knobs["net.kind"])
    for name, value in knobs.items():
        config = _replaced(config, name.replace("-", "_").split("."), value, name)
    return config


def _replaced(part: Any, path: list[str], value: Any, name: str) -> Any:
    known = [f.name for f in fields(part)]
    head, *rest = path
    if head not in known or bool(rest) != is_dataclass(getattr(part, head)):
        raise Refusal(f"There is no knob {name!r}.{nearest(head, known)}")
    if rest:
        return replace(part, **{head: _replaced(getattr(part, head), rest, value, name)})
    hint = get_type_hints(type(part))[head]
    if get_origin(hint) is Literal and value not in get_args(hint):
        raise Refusal(f"The knob {name} must be one of {', '.join(get_args(hint))}, not {value!r}.{nearest(str(value), get_args(hint))}")
    return replace(part, **{head: value})


def check_length(minutes: float | None, samples: int | None) -> None:
    """Raises Refusal where both are given, or one that is not positive."""
    if minutes is not None and samples is not None:
        raise Refusal("Give --minutes or --samples, not both: each alone says how long to train.")
    for name, value in (("minutes", minutes), ("samples", samples)):
        if value is not None and not 0 < value < math.inf:
            raise Refusal(f"--{name} must be more than 0, not {value:g}: it says how long to train.")


def refuse_taken(out: Path) -> None:
    """Raises Refusal when a run cannot be put at `out` because something stands there; before data are read, which may take minutes."""
    if out.exists():
        launch.claim(out)


def next_folder(name: str, parent: Path = Path("runs")) -> Path:
    """runs/NAME-N with the first N from 1 that is free."""
    n = 1
    while (parent / f"{name}-{n}").exists():
        n += 1
    return parent / f"{name}-{n}"


def check_room(folder: Path, need: int = ROOM) -> None:
    """Raises Refusal when the disk of a folder (there already, or to be made) has less than `need` bytes free."""
    place = folder.absolute()
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free
    if free < need:
        raise Refusal(
            f"The disk of {folder} has {free >> 20} MB free and a run needs up to {need >> 20} MB: free some, or name another --out."
        )


def drawer(data: Data) -> Draw:
    """How a run draws its samples: by its modality's preview. Points are drawn over p_data: its density if known, else some of its rows."""
    modality = data.space.modality
    real = data.space.to_array(data.validation.head(modality.preview_real)) if modality.preview_real else None
    known = data.density

    def density(x: Array) -> Array:
        assert known is not None
        p: Array = known.log_prob(torch.from_numpy(np.ascontiguousarray(x, dtype=np.float64))).exp().numpy()
        return p

    def draw(samples: Array, path: Path) -> Path:
        return save_grid(samples, path, real=real, density=density if known is not None else None, preview=modality.preview)

    return draw


def _modules(generator: nn.Module | None, discriminator: nn.Module | None) -> Modules | None:
    if generator is None and discriminator is None:
        return None
    if generator is None or discriminator is None:
        raise Refusal("Give generator and discriminator both, or neither: a game has two players.")
    return generator, discriminator


def _suited(source: Data | Spec) -> str:
    kind, shape = (source.space.kind, source.space.shape) if isinstance(source, Data) else kind_of(source)
    return default_preset(kind, shape)
