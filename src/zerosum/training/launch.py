"""Start a training, or go on with one: `train` and `resume`, alone or as one of several processes."""

from __future__ import annotations

import datetime
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from zerosum.data.modality import MODALITIES
from zerosum.data.parts import Rows
from zerosum.data.source import Data
from zerosum.errors import Refusal
from zerosum.game.augment import AUGMENTATIONS
from zerosum.game.value import VALUES, smoothed
from zerosum.nets.traits import draws_random_numbers, uses_batch_statistics
from zerosum.play.adaptive import is_adaptive
from zerosum.play.config import Config, check, to_json
from zerosum.play.course import Course
from zerosum.play.device import Execution, choose, device_of, fitted
from zerosum.play.distributed import Processes, cores, job, join
from zerosum.play.given_players import require_playable
from zerosum.play.horizon import Horizon
from zerosum.play.interrupt import Stop
from zerosum.play.memory import require_memory
from zerosum.play.players import Players
from zerosum.play.presets import suited
from zerosum.play.schedule import depends_on_horizon, in_decay, with_constant_part
from zerosum.play.step import Algorithm1
from zerosum.play.trials import Trials, measured
from zerosum.records import SCHEMA
from zerosum.runs.checkpoint import BEFORE_DECAY, course_of
from zerosum.runs.lock import claim, goes_on, locked, name
from zerosum.runs.record import Listener
from zerosum.runs.run import Modules, Run, open_run
from zerosum.runs.sampling import default_widening
from zerosum.training.grids import Draw
from zerosum.training.loop import Loop
from zerosum.training.resume import continued, departure, extended, recorded_execution
from zerosum.version import __version__

__all__ = ["Algorithm1", "Draw", "Listener", "Loop", "claim", "locked", "resume", "train"]


def train(
    data: Data,
    out: Path,
    config: Config,
    *,
    samples: int | None = None,
    minutes: float | None = None,
    until_plateau: bool = False,
    preset: str = "",
    command: str = "",
    listener: Listener | None = None,
    draw: Draw | None = None,
    given: Modules | None = None,
) -> Run:
    """Trains on `data` into the new folder `out`, for `samples` real samples or about `minutes`, and returns the finished run.

    until_plateau: when the run's checks say that it no longer improves, let its decay begin and end with it; stop at once where learning
    rates and penalty are constant. Where they would decay from the start, they decay in the last part alone (`schedule.PART`).
    given: a person's own (G, D) in place of the config's nets. Started by torchrun, every process calls this with the same arguments;
    started again by it, the run in `out` goes on. Raises Refusal, before anything is written, for what cannot be trained.
    """
    if (samples is None) == (minutes is None):
        raise Refusal("Give the length of the training as either samples or minutes.")
    config = suited(config, data.space, data.train.size)
    config = with_constant_part(config) if until_plateau else config
    execution, processes, players = prepared(config, data, given)
    asked = {
        "command": command,
        "preset": preset,
        "asked": {"samples": samples, "minutes": minutes, "until_plateau": until_plateau},
        "sampling": {"widen": default_widening(players.G)},
        "players": "built" if given is None else "given",
    }
    with Stop() as stop, ExitStack() as held:

        def begin() -> dict[str, Any] | None:
            if goes_on(out):
                return None
            claim(out)
            held.enter_context(locked(out))
            trials = Trials(execution, {})
            if processes.size == 1 and given is None:
                trials = measured(execution, config, players, data.space, data.train, samples, minutes)
            manifest = described(config, data, trials.execution, processes, players) | asked | {"timed": trials.table}
            name(out, manifest)
            return manifest

        begun = processes.from_first(begin)
        if begun is not None:
            run, execution = Run(out, begun, given), recorded_execution(begun["engine"])
            horizon = Horizon(samples, until=None if minutes is None else 60 * minutes)
            Loop(run, agreed_on(data, processes), horizon, execution, listener, draw, processes, players).go(stop)
            return run
    return _again(out, data, config, listener, draw, given)


def prepared(config: Config, data: Data, given: Modules | None) -> tuple[Execution, Processes, Players]:
    """How a training is executed, by which processes, and its players. Raises Refusal for what cannot be trained."""
    check(config)
    execution = choose(config, data.space.kind)
    processes = join(execution.device)
    smoothed(VALUES[config.game.value], config.game.smoothing)  # A game and nets that do not go together are refused here.
    players = Players(config, data.space, torch.device(execution.device), given)
    _ = players.optimisers  # A player without weights is refused here.
    require_trainable(config, data)
    if given is not None:
        require_playable(*given, config, data)
    require_divisible(config, processes, players)
    if given is None and execution.device == "cpu":
        require_memory(config, data.space, config.batch // processes.size // config.accumulate, 2 if execution.precision == "bf16" else 4)
    if processes.first:  # What it finds is recorded, and all processes use that.
        execution = fitted(execution, config, players, data.space.shape if given is None else None)
    execution = shared(execution, processes, config, data.space.kind)
    return execution, processes, players


def _again(out: Path, data: Data, config: Config, listener: Listener | None, draw: Draw | None, given: Modules | None) -> Run:
    """Goes on with a run whose processes torchrun has started again. Raises Refusal where the folder contains another run."""
    run = open_run(out, given)
    if to_json(run.config) != to_json(config):
        raise Refusal(f"{out} contains a run with other options: give another --out.")
    return run if run.finished else resume(out, data=data, listener=listener, draw=draw, given=given)


def resume(
    path: str | Path,
    *,
    samples: int | None = None,
    minutes: float | None = None,
    data: Data | None = None,
    listener: Listener | None = None,
    draw: Draw | None = None,
    given: Modules | None = None,
) -> Run:
    """Goes on with a run exactly from its newest checkpoint: to its horizon, to `samples` in all, or for about `minutes` more.

    A run that decays (`decay` below 1) is extended from the last checkpoint before its decay, and then equals one that was given the later
    end at once; what came after that checkpoint stays in RUN/ended/. Raises Refusal where there is nothing left to do, the data have
    changed, or another process trains there.
    """
    run = open_run(path, given)
    kind, config = run.space.kind, run.config
    processes = join(device_of(config))
    data = run.data() if data is None else run.require_its_own(data)
    notes: list[str] = []
    with Stop() as stop, ExitStack() as held:

        def begin() -> dict[str, Any]:
            held.enter_context(locked(run.path))
            if samples is not None or minutes is not None:
                notes.extend(extended(run, samples))
            found, _ = run.newest()
            return found.meta if found else {"round": 0, "samples": 0, "seconds": 0.0, "horizon": None, "knots": None, "until": None}

        newest = processes.from_first(begin)
        horizon = _horizon(run, newest, samples, minutes)
        first = run.manifest.get("ranks", 1)
        execution, reasons = continued(recorded_execution(run.manifest["engine"]), config, kind, (first, processes.size))
        execution = execution if first == processes.size else shared(execution, processes, config, kind)
        loop = Loop(run, agreed_on(data, processes), horizon, execution, listener, draw, processes)
        require_divisible(config, processes, loop.players)
        loop.complaints += [departure(newest["round"], reasons)] if reasons else []
        loop.complaints += notes
        straight = newest.get(BEFORE_DECAY) and not in_decay(config, newest["samples"], samples)
        if horizon.fixed_by_user and newest["samples"] and depends_on_horizon(config) and not straight:
            loop.complaints.append(
                "The learning rates depend on the horizon: from here on this run differs from one that had the new horizon from its start."
            )
        loop.go(stop)
    return run


def _horizon(run: Run, newest: dict[str, Any], samples: int | None, minutes: float | None) -> Horizon:
    """Where a resumed run ends. Raises Refusal where its newest checkpoint is there already."""
    asked, seen = run.manifest["asked"], newest["samples"]
    if samples is not None or minutes is not None:
        horizon = Horizon(samples, None if minutes is None else newest["seconds"] + 60 * minutes, fixed_by_user=True)
    elif newest["horizon"]:
        # A run whose minutes are over goes on to the end of its schedules.
        until = newest.get("until")
        until = until if until is not None and newest["seconds"] < until else None
        horizon = Horizon(newest["horizon"], until, Course.from_json(course_of(newest) or ()))
    else:
        horizon = Horizon(asked["samples"], None if asked["minutes"] is None else 60 * asked["minutes"])
    if horizon.samples is not None and seen >= horizon.samples:
        further = f"zerosum resume {run.path} --samples {2 * seen}"
        raise Refusal(f"{run.path} has seen {seen:,} samples and is finished: train it further with {further}.")
    return horizon


def agreed_on(data: Data, processes: Processes) -> Data:
    """`data`, where every process reads the same. Raises Refusal, in every process, where one reads others."""
    mine = data.fingerprint == processes.from_first(lambda: data.fingerprint)
    processes.require_everywhere(mine, f"The processes read different data for {data.name}: give all of them the same files.")
    return data


def require_trainable(config: Config, data: Data) -> None:
    """Raises Refusal where there is too little to train on, or the augmentation is of another kind of data."""
    if data.train.size is not None and data.train.size < 2:
        raise Refusal(f"{data.name} leaves {data.train.size} item to train on: give more.")
    augmentation, axes = AUGMENTATIONS[config.game.augment], len(data.space.shape)
    if augmentation is not None and augmentation.axes != axes:
        able = " or ".join(row.name for row in MODALITIES.values() if row.axes == augmentation.axes)
        name = f"--game.augment {config.game.augment}"
        raise Refusal(f"{name} transforms {able}, and {data.name} contains {data.space.kind}: use --game.augment none.")
    if is_adaptive(config.game.augment) and VALUES[config.game.value].boundary is None:
        what = f"--game.augment {config.game.augment} follows the share of real samples that D tells apart"
        raise Refusal(f"{what}, and --game.value {config.game.value} has no such share: use --game.augment diffaugment.")


def require_divisible(config: Config, processes: Processes, players: Players) -> None:
    """Raises Refusal where a game cannot be shared among the processes."""
    n, nets, parts = processes.size, (players.G, players.D), config.accumulate
    if config.batch % (n * parts):
        among = f"among {n} processes" if parts == 1 else f"into {n * parts} parts (--accumulate {parts})"
        raise Refusal(f"--batch {config.batch} cannot be divided evenly {among}: give a multiple of {n * parts}.")
    if parts > 1 and any(map(uses_batch_statistics, nets)):
        raise Refusal(
            "BatchNorm would use statistics of each part of a batch, which is another game: use --net.norm none or --accumulate 1."
        )
    if n == 1:
        return
    if any(map(uses_batch_statistics, nets)):
        raise Refusal("BatchNorm would use statistics of each process's rows, which is another game: use --net.norm none, or one process.")
    if any(map(draws_random_numbers, nets)):
        raise Refusal("Dropout would draw other masks in each process, which is another game: use --net.dropout 0, or one process.")


def shared(execution: Execution, processes: Processes, config: Config, kind: str) -> Execution:
    """The execution of one of several processes on a machine: each has its share of the cores, unless the threads were given.

    Steps in which processes communicate are not recorded as CUDA graphs.
    """
    if processes.size > 1 and execution.engine == "graph":
        execution = replace(execution, engine="eager", reason=f"{execution.reason}; but several processes train together")
    if processes.size == 1 or config.threads or MODALITIES[kind].threads:
        return execution
    return replace(execution, threads=max(1, cores() // processes.local))


def described(config: Config, data: Data, execution: Execution, processes: Processes, players: Players) -> dict[str, Any]:
    """What run.json says of a run that begins now; its schema is in docs/run-folder.md."""
    equilibrium = smoothed(VALUES[config.game.value], config.game.smoothing).equilibrium
    return {
        "schema": SCHEMA,
        "zerosum": __version__,
        "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "config": to_json(config),
        "data": {
            "spec": None if data.in_memory else data.spec,
            "name": data.name,
            **data.space.to_json(),
            "what": data.space.modality.describe(data.space.shape),
            "suffix": data.space.modality.suffix,
            "class_counts": data.train.counts(len(data.classes)) if data.classes and isinstance(data.train, Rows) else None,
            "train": data.train.size,
            "validation": data.validation.size,
            "test": data.test.size,
            "skipped": len(data.skipped),
            "fingerprint": data.fingerprint,
        },
        "engine": execution.to_json(),
        "ranks": processes.size,
        "job": job(),
        "parameters": {letter: sum(p.numel() for p in m.parameters()) for letter, m in (("G", players.G), ("D", players.D))},
        "equilibrium": equilibrium and list(equilibrium),
    }
