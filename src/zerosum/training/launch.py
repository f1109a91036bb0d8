"""Starting a run and going on with one: `train` and `resume`, alone or as one of several processes."""

from __future__ import annotations

import datetime
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from zerosum.data.modality import MODALITIES
from zerosum.data.source import Data
from zerosum.engine.conv_autotune import fitted
from zerosum.errors import Refusal
from zerosum.game.value import VALUES, smoothed
from zerosum.play import device as engines
from zerosum.play.config import Config, check, to_json
from zerosum.play.distributed import Processes, cores, job, join
from zerosum.play.interrupt import Stop
from zerosum.play.players import Players, draws_random_numbers, uses_batch_statistics
from zerosum.play.schedule import depends_on_horizon
from zerosum.play.step import Algorithm1
from zerosum.runs.lock import claim, goes_on, locked, name
from zerosum.runs.record import SCHEMA, Listener
from zerosum.runs.run import Modules, Run, open_run
from zerosum.training.loop import Draw, Loop
from zerosum.training.resume import continued, departure, recorded_execution
from zerosum.training.timers import Horizon
from zerosum.version import __version__

__all__ = ["Algorithm1", "Draw", "Listener", "Loop", "claim", "locked", "resume", "train"]


def train(
    data: Data,
    out: Path,
    config: Config,
    *,
    samples: int | None = None,
    minutes: float | None = None,
    until_settled: bool = False,
    preset: str = "",
    command: str = "",
    listener: Listener | None = None,
    draw: Draw | None = None,
    given: Modules | None = None,
) -> Run:
    """Trains on `data` into the new folder `out`, for `samples` reals or about `minutes`, and returns the finished run.

    until_settled: stop earlier, when the run's checks say that it no longer improves (verdict "settled", docs/verdict.md).
    given: a person's own (G, D) in place of the config's nets. Started by torchrun, every process calls this with the same arguments;
    started again by it, the run in `out` goes on. Raises Refusal, before anything is written, for what cannot be trained.
    """
    if (samples is None) == (minutes is None):
        raise Refusal("Say how long to train with one of --samples and --minutes.")
    check(config)
    engine = engines.choose(config, data.space.kind)
    ranks = join(engine.device)
    # A game and nets that do not go together are refused here.
    smoothed(VALUES[config.game.value], config.game.smoothing)
    players = Players(config, data.space.shape, torch.device("cpu"), given)
    _ = players.optimisers  # So is a player without weights.
    if ranks.first:  # What it finds is written into the run, and all go by that.
        engine = fitted(engine, config, players, data.space.shape if given is None else None)
    require_divisible(ranks, config, players.G, players.D)
    if data.train.size is not None and data.train.size < 2:
        raise Refusal(f"{data.name} leaves {data.train.size} item to train on: give more.")
    manifest = {
        "schema": SCHEMA,
        "zerosum": __version__,
        "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "command": command,
        "preset": preset,
        "config": to_json(config),
        "asked": {"samples": samples, "minutes": minutes, "until_settled": until_settled},
        "data": described(data),
        "engine": shared(engine, ranks, config, data.space.kind).to_json(),
        "ranks": ranks.size,
        "job": job(),
        "parameters": {letter: sum(p.numel() for p in m.parameters()) for letter, m in (("G", players.G), ("D", players.D))},
        "players": "built" if given is None else "given",
    }
    with Stop() as stop, ExitStack() as held:

        def begin() -> dict[str, Any] | None:
            if goes_on(out):
                return None
            claim(out)
            held.enter_context(locked(out))
            name(out, manifest)
            return manifest

        begun = ranks.from_first(begin)
        if begun is not None:
            run = Run(out, begun, given)
            _play(run, data, Horizon(samples, minutes), recorded_execution(begun["engine"]), [], listener, draw, ranks, stop)
            return run
    return _again(out, data, config, listener, draw, given)


def _again(out: Path, data: Data, config: Config, listener: Listener | None, draw: Draw | None, given: Modules | None) -> Run:
    """Goes on with a run whose processes torchrun has started again. Raises Refusal where the run there is another."""
    run = open_run(out, given)
    if run.manifest["config"] != to_json(config):
        raise Refusal(f"{out} holds a run with other knobs, which this one does not go on with: give another --out.")
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
    """Goes on with a run exactly where its newest checkpoint stands, to its horizon, to `samples` in all, or for about `minutes` more.

    Raises Refusal when there is nothing left to do, the data has changed, or another process trains there.
    """
    run = open_run(path, given)
    kind, config = run.space.kind, run.config
    ranks = join(engines.device_of(config))
    data = run.data() if data is None else run.require_its_own(data)
    with Stop() as stop, ExitStack() as held:

        def begin() -> dict[str, Any]:
            held.enter_context(locked(run.path))
            found, _ = run.newest()
            return found.meta if found else {"round": 0, "samples": 0, "seconds": 0.0, "horizon": None}

        stands = ranks.from_first(begin)
        horizon = _horizon(run, stands, samples, minutes)
        first = run.manifest.get("ranks", 1)
        engine, reasons = continued(recorded_execution(run.manifest["engine"]), config, kind, (first, ranks.size))
        engine = engine if first == ranks.size else shared(engine, ranks, config, kind)
        complaints = [departure(stands["round"], reasons)] if reasons else []
        if horizon.fixed_by_user and stands["samples"] and depends_on_horizon(config):
            complaints.append(
                "The learning rates follow the horizon: from here on this run differs from one that was given the new horizon at its start."
            )
        _play(run, data, horizon, engine, complaints, listener, draw, ranks, stop)
    return run


def _horizon(run: Run, stands: dict[str, Any], samples: int | None, minutes: float | None) -> Horizon:
    """Where a resumed run ends. Raises Refusal where it is there already."""
    asked, seen = run.manifest["asked"], stands["samples"]
    if samples is not None or minutes is not None:
        horizon = Horizon(samples, minutes, spent=stands["seconds"])
        horizon.fixed_by_user = True
    else:
        fixed = stands["horizon"]
        horizon = Horizon(fixed or asked["samples"], None if fixed else asked["minutes"])
    if horizon.samples is not None and seen >= horizon.samples:
        further = f"zerosum resume {run.path} --samples {2 * seen}"
        raise Refusal(f"{run.path} has seen {seen:,} samples and is finished: go further with {further}.")
    return horizon


def _play(
    run: Run,
    data: Data,
    horizon: Horizon,
    engine: engines.Execution,
    complaints: list[str],
    listener: Listener | None,
    draw: Draw | None,
    ranks: Processes,
    stop: Stop,
) -> None:
    mine = data.fingerprint == ranks.from_first(lambda: data.fingerprint)
    ranks.require_everywhere(mine, f"The processes read different data for {data.name}: give all of them the same files.")
    training = Loop(run, data, horizon, engine, listener, draw, ranks)
    require_divisible(ranks, run.config, training.players.G, training.players.D)
    training.complaints += complaints
    training.go(stop)


def require_divisible(ranks: Processes, config: Config, *players: nn.Module) -> None:
    """Raises Refusal where a game cannot be shared out among the processes."""
    if ranks.size == 1:
        return
    if config.batch % ranks.size:
        raise Refusal(f"--batch {config.batch} cannot be shared out evenly among {ranks.size} processes: give a multiple of {ranks.size}.")
    if any(uses_batch_statistics(player) for player in players):
        raise Refusal("BatchNorm would see each process's rows apart, which is another game: use --net.norm none, or one process.")
    if any(draws_random_numbers(player) for player in players):
        raise Refusal("Dropout would draw other masks in each process, which is another game: use --net.dropout 0, or one process.")


def shared(engine: engines.Execution, ranks: Processes, config: Config, kind: str) -> engines.Execution:
    """The engine of one of several processes on a machine: each gets its share of the cores, unless the threads were named.

    Algorithm1 in which processes talk are not recorded.
    """
    if ranks.size > 1 and engine.engine == "graph":
        engine = replace(engine, engine="eager", reason=f"{engine.reason}; but several processes play together")
    if ranks.size == 1 or config.threads or MODALITIES[kind].threads:
        return engine
    return replace(engine, threads=max(1, cores() // ranks.local))


def described(data: Data) -> dict[str, Any]:
    """What run.json says of the data."""
    return {
        "spec": None if data.in_memory else data.spec,
        "name": data.name,
        **data.space.to_json(),
        "what": data.space.modality.describe(data.space.shape),
        "train": data.train.size,
        "validation": data.validation.size,
        "test": data.test.size,
        "skipped": len(data.skipped),
        "fingerprint": data.fingerprint,
    }
