"""Training in Python: brings data, presets, options and run folders together, and calls the training."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from inspect import signature
from itertools import count
from pathlib import Path
from typing import Any

import torch
from torch import nn

from zerosum.api.closing import leave_evidence
from zerosum.api.completion import complete
from zerosum.api.grids import drawer
from zerosum.api.scoring import leave_scores
from zerosum.api.showing import Showing, counting, following
from zerosum.data.detect import kind_of, may_have_labels
from zerosum.data.in_memory import in_memory
from zerosum.data.options import DataOptions
from zerosum.data.source import Data, Spec, open_data
from zerosum.errors import Refusal
from zerosum.game.value import VALUES, smoothed
from zerosum.options import expanded, options_of, replaced, unknown
from zerosum.play.config import Config, NetOptions
from zerosum.play.distributed import is_first, require_name
from zerosum.play.length import MINUTES, checked_length
from zerosum.play.players import Players
from zerosum.play.presets import default_preset, named, with_net
from zerosum.report.page import write_report
from zerosum.runs.run import Modules, Run, open_run
from zerosum.training import launch
from zerosum.training.launch import Listener

Source = Spec | Data

_LONGEST_NAME = 60  # characters

ROOM = 200 << 20
"""Bytes that a run may need: three checkpoints of the largest preset (two kept, one being written) and the grids."""


def train(
    data: Source,
    *,
    minutes: float | None = None,
    samples: int | None = None,
    until_plateau: bool = False,
    out: str | Path | None = None,
    preset: str | None = None,
    config: Config | None = None,
    options: Mapping[str, Any] | None = None,
    generator: nn.Module | None = None,
    discriminator: nn.Module | None = None,
    listener: Listener | None = None,
    progress: Showing = None,
    command: str = "zerosum.train(...)",
    **keywords: Any,
) -> Run:
    """Train a GAN on `data` and return the run. Its folder holds the record, the newest checkpoints, grids of samples and report.html.

    data: a name (mnist, ring8, ...), a path, an array or tensor, (samples, labels), a map-style data set whose items are
        (sample, label), or an iterable of batches such as a DataLoader, which is read once (see `open_data`).
    minutes or samples: how long to train; samples counts the real samples shown to D. Neither: five minutes.
    until_plateau: end earlier if the run plateaus: when its checks find no new best, its learning rates decay, and it ends.
    out: the run's folder, new or empty. Default: runs/NAME-N with the first free N.
    preset: a row of `zerosum.play.presets.PRESETS` that gives the defaults. Default: the one that suits the data.
    config: a whole Config in place of a preset.
    options, keywords: single options in place of the preset's. `d_lr=1e-4, game_value="hinge"` and
        `options={"d.lr": 1e-4, "game.value": "hinge"}` mean the same; `zerosum train --help` lists all options.
    generator, discriminator: your own modules, both or neither. G maps z (N, prior.dim) to samples, and D maps samples to logits (N,).
        Samples are float images (N, C, H, W) in [-1, 1], or points (N, d). Load the run with load(path, generator=G, discriminator=D).
    progress: shown in a terminal and in a notebook; False shows none, True shows it anywhere, a function is called instead with
        (label, done, total) while data are read. listener: receives the record's rows and the progress; nothing is shown then.

    Raises Refusal for what cannot be trained.
    """
    minutes, samples = checked_length(minutes, samples)
    given, chosen = _modules(generator, discriminator), _chosen(options or {}, keywords)
    source = data if isinstance(data, Data) else in_memory(data)
    preset = preset or (_suited(source, chosen) if config is None else "own")
    config = with_options(config or with_net(named(preset).config, chosen.get("net.kind")), chosen)
    if out is not None:
        refuse_taken(expanded(out))
    opened = source if isinstance(source, Data) else open_data(source, config.data, counting(progress))
    with run_folder(out, opened.name) as folder, following(folder, listener, progress) as follower:
        check_room(folder)
        run = launch.train(
            opened,
            folder,
            config,
            samples=samples,
            minutes=MINUTES if minutes is None and samples is None else minutes,
            until_plateau=until_plateau,
            preset=preset,
            command=command,
            listener=follower,
            draw=drawer(opened),
            given=given,
        )
        return _closed(run, opened, follower)


def resume(
    run: Run | str | Path,
    *,
    minutes: float | None = None,
    samples: int | None = None,
    data: Source | None = None,
    generator: nn.Module | None = None,
    discriminator: nn.Module | None = None,
    listener: Listener | None = None,
    progress: Showing = None,
) -> Run:
    """Continue a run exactly where it stopped: to the end that it was given, to `samples` in all, or for `minutes` more.

    A finished run that decayed in its last part alone (`decay`, `until_plateau`) is extended from before its decay, and equals one that was
    given the later end at once; what came after stays in RUN/ended/.

    run: a run, or its folder. data: the same array again, for a run on an array in memory; a run of this session still has it.
    generator, discriminator: the same modules, for a run of your own modules; a run of this session still has them.
    progress, listener: as for `train`. A finished run gets the scores, the grid and the report that it lacks where its process was killed
    before it had written them. Raises Refusal when the run is finished and lacks nothing, its data have changed, or another process
    trains there.
    """
    minutes, samples = checked_length(minutes, samples)
    if not isinstance(run, Run):
        run = load(run, generator=generator, discriminator=discriminator)
    elif (given := _modules(generator, discriminator)) is not None:
        run = replace(run, given=given)
    check_room(run.path)

    def opened_data(run: Run = run) -> Data:
        if data is None:
            return run.data()
        opened = data if isinstance(data, Data) else open_data(in_memory(data), run.config.data, counting(progress))
        return run.require_its_own(opened)

    if minutes is None and samples is None and is_first() and complete(run, opened_data, listener).done:
        return run
    opened = opened_data()
    with following(run.path, listener, progress) as follower:
        run = launch.resume(
            run.path, samples=samples, minutes=minutes, data=opened, listener=follower, draw=drawer(opened), given=run.given
        )
        return _closed(run, opened, follower)


def _closed(run: Run, data: Data, listener: Listener | None) -> Run:
    """Adds scores to a run that was not interrupted, and writes its report. The run keeps its data, for `evaluate` and `resume`."""
    run.opened = data
    if is_first():
        try:
            leave_scores(run, data, listener)
            leave_evidence(run, data, listener)
        finally:
            write_report(run.path)
    return run


def load(path: str | Path, *, generator: nn.Module | None = None, discriminator: nn.Module | None = None) -> Run:
    """The run in a folder, to read and to draw samples from. Raises Refusal when the folder is not a run.

    generator, discriminator: modules built as they were for the training, for a run of your own modules.
    """
    return open_run(path, _modules(generator, discriminator))


def with_options(config: Config, options: Mapping[str, Any]) -> Config:
    """The config with options replaced, each by its dotted name: "batch", "game.value". Raises Refusal for a wrong name or value."""
    known = options_of(Config)
    names = {given: given.replace("-", "_") for given in options}
    for given, name in names.items():
        if name not in known:
            raise unknown(f"There is no option {given!r}", name, known)
    values = {name: known[name].checked(options[given], given) for given, name in names.items()}
    if "net.kind" in values:
        # Of a Config of the user's own, everything but the net stays: its options belong to one kind.
        config = config if values["net.kind"] == config.net.kind else replace(config, net=NetOptions(kind=values["net.kind"]))
    for name, value in values.items():
        config = replaced(config, name, value)
    return config


def _chosen(options: Mapping[str, Any], keywords: Mapping[str, Any]) -> dict[str, Any]:
    """The options given either way, by dotted name. Raises Refusal for an unknown keyword, and for an option that was given twice."""
    dotted = {name.replace(".", "_"): name for name in options_of(Config)}
    chosen = dict(options)
    for keyword, value in keywords.items():
        if keyword not in dotted:
            raise unknown(f"zerosum.train has no option {keyword!r}", keyword, [*signature(train).parameters, *dotted])
        if dotted[keyword] in chosen:
            raise Refusal(f"The option {dotted[keyword]} is given twice, as a keyword and in options: leave one of them out.")
        chosen[dotted[keyword]] = value
    return chosen


def check_players(config: Config, data: Data) -> dict[str, int]:
    """How many weights G and D would have. Raises Refusal where the game, the nets and the data do not go together."""
    smoothed(VALUES[config.game.value], config.game.smoothing)
    players = Players(config, data.space, torch.device("cpu"))
    return {name: sum(p.numel() for p in module.parameters()) for name, module in (("G", players.G), ("D", players.D))}


def refuse_taken(out: Path) -> None:
    """Raises Refusal when `out` is taken. Called before data are read, which may take minutes."""
    if out.exists():
        launch.claim(out)


def next_folder(name: str, parent: Path = Path("runs")) -> Path:
    """Make runs/NAME-N with the first N from 1 that is free. Of several processes at once, each gets a folder of its own."""
    # A file's name has at most 255 bytes.
    name = "".join(c if c.isprintable() else "_" for c in name[:_LONGEST_NAME])
    parent.mkdir(parents=True, exist_ok=True)
    for n in count(1):
        with suppress(FileExistsError):
            (parent / f"{name}-{n}").mkdir()
            break
    return parent / f"{name}-{n}"


@contextmanager
def run_folder(out: str | Path | None, name: str) -> Iterator[Path]:
    """The folder of a new run: `out`, or the next free one by the data's name, which is removed if it is still empty at the end."""
    if out is not None:
        yield expanded(out)
        return
    require_name(None)
    folder = next_folder(name)
    try:
        yield folder
    finally:
        with suppress(OSError):  # A folder with files in it stays.
            folder.rmdir()


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


def _modules(generator: nn.Module | None, discriminator: nn.Module | None) -> Modules | None:
    if generator is None and discriminator is None:
        return None
    if generator is None or discriminator is None:
        raise Refusal("Give generator and discriminator both, or neither: a game has two players.")
    return generator, discriminator


def _suited(source: Data | Spec, chosen: Mapping[str, Any]) -> str:
    kind, shape = (source.space.kind, source.space.shape) if isinstance(source, Data) else kind_of(source)

    def labelled() -> bool:
        if chosen.get("net.classes") == "none":
            return False
        return bool(source.space.classes) if isinstance(source, Data) else may_have_labels(source, options)

    options = DataOptions(labels=chosen.get("data.labels"))
    return default_preset(kind, shape, labelled)
