"""The loop: plays rounds until the horizon, keeps the record, saves checkpoints, draws grids, and stops cleanly when told to."""

from __future__ import annotations

import datetime
import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from filelock import FileLock, Timeout

from zerosum.data.source import Data
from zerosum.errors import Refusal
from zerosum.game.value import VALUES, smoothed
from zerosum.run import checkpoint as checkpoints
from zerosum.run import engine as engines
from zerosum.run.config import Config, check, to_json
from zerosum.run.folder import Modules, Run, open_run
from zerosum.run.pace import Horizon, Pace
from zerosum.run.players import Players, host_copy
from zerosum.run.record import SCHEMA, Record, Row, plain
from zerosum.run.rounds import SIGNALS, NotFinite, Rounds
from zerosum.run.sampling import draw_samples
from zerosum.run.saver import Saver
from zerosum.run.schedule import depends_on_horizon
from zerosum.run.stopping import Stop
from zerosum.version import __version__

GRID = 64  # samples in a grid of images: eight by eight
SCATTER = 1024  # samples in a grid of points
Draw = Callable[[np.ndarray, Path], Any]


class Listener(Protocol):
    """Whoever wants to follow a training: gets each row of the record, and the progress a few times a second."""

    def row(self, row: Row) -> None: ...
    def progress(self, samples: int, horizon: int | None, seconds: float) -> None: ...


class Training:
    """One start of a run, first or resumed: the state in memory and the folder that it is written to."""

    def __init__(self, run: Run, data: Data, horizon: Horizon, listener: Listener | None, draw: Draw | None) -> None:
        self.run, self.config, self.space, self.horizon = run, run.config, run.space, horizon
        self.engine = engines.Engine(**run.manifest["engine"])
        self.players = Players(self.config, self.space.shape, self.engine.prepare(), run.given)
        self.rounds = Rounds(self.config, self.players, data.train, self.space, self.engine)
        self.listener, self.draw = listener, draw
        self.round, self.seconds = 0, 0.0
        keep = 0
        found, self.complaints = checkpoints.newest(run.path)
        if found is not None:
            self.players.restore(found)
            self.round, self.seconds, keep = found.round, float(found.meta["seconds"]), int(found.meta["record_bytes"])
            if horizon.samples is None:
                horizon.samples = found.meta["horizon"]
        self.record = Record(run.path / "record.jsonl", keep_bytes=keep)
        self.saver = Saver(run.path)
        self.pace = Pace(self.seconds)
        self._sum = torch.zeros(len(SIGNALS), device=self.rounds.device)
        self._rounds_summed = 0
        self._row_at = (self.samples, self.seconds)

    @property
    def samples(self) -> int:
        return self.round * self.rounds.samples_a_round

    # -- the record -------------------------------------------------------------------------------------------------------

    def write(self, kind: str, **values: Any) -> None:
        row = {"type": kind, "round": self.round, "samples": self.samples, "seconds": round(self.seconds, 3), **plain(values)}
        self.record.append(row)
        if self.listener:
            self.listener.row(row)

    def write_signals(self) -> None:
        """Reads the statistics since the last such row off the device: the only place where the loop waits for it."""
        if not self._rounds_summed:
            return
        means = (self._sum / self._rounds_summed).tolist()
        samples, seconds = self._row_at
        rate = (self.samples - samples) / max(self.seconds - seconds, 1e-9)
        self.write("signals", **dict(zip(SIGNALS, means, strict=True)), rate=round(rate, 2))
        self._sum.zero_()
        self._rounds_summed, self._row_at = 0, (self.samples, self.seconds)

    def write_grid(self) -> None:
        if self.draw is None:
            return
        n = GRID if self.space.kind == "images" else SCATTER
        path = self.run.path / "grids" / f"{self.round:09d}.png"
        path.parent.mkdir(exist_ok=True)
        samples = self.space.to_array(draw_samples(self.players.average.module, self.config.prior, self.space, n, self.config.seed))
        self.draw(samples, path)
        newest = self.run.path / "grid.png"
        temporary = newest.with_suffix(".partial")
        temporary.write_bytes(path.read_bytes())
        temporary.replace(newest)
        self.write("grid", file=f"grids/{path.name}")

    def save(self) -> None:
        self.write_signals()
        meta = {"schema": SCHEMA, "round": self.round, "samples": self.samples, "seconds": self.seconds, "horizon": self.horizon.samples}
        meta["record_bytes"] = self.record.sync()
        self.saver.save(meta, {"weights.safetensors": host_copy(self.players.weights()), "moments.safetensors": host_copy(self.players.moments())})

    # -- the loop ---------------------------------------------------------------------------------------------------------

    def go(self) -> None:
        """Plays rounds to the horizon, or until stopped. The run's last row says why it ended; its last checkpoint is its last whole round."""
        stopped = "finished"
        message = None
        with Stop() as stop, torch.random.fork_rng(devices=[]):
            self._start()
            try:
                while not self.horizon.reached(self.samples):
                    if stop.asked or self.horizon.out_of_time(self.seconds):
                        stopped = "interrupted" if stop.asked else "minutes"
                        break
                    self._one_round()
            except NotFinite as error:
                stopped, message = "not finite", f"{error}; that update was not made."
            self._finish(stopped, message)

    def _start(self) -> None:
        for complaint in self.complaints:
            self.write("complaint", message=complaint)
        self.write("start", horizon=self.horizon.samples, zerosum=__version__, torch=torch.__version__, pid=os.getpid())
        if self.round == 0:
            self.save()
        self._tick = time.perf_counter()
        self.pace.begin(self.samples)

    def _one_round(self) -> None:
        self._sum += self.rounds.play(self.round, self.horizon.samples)
        self._rounds_summed += 1
        self.round += 1
        now = time.perf_counter()
        self.seconds += now - self._tick
        self._tick = now
        if self.horizon.measure(self.samples, self.seconds, self.pace):
            self.write("horizon", horizon=self.horizon.samples)
        due = self.pace.due(self.seconds)
        if due.progress and self.listener:
            self.listener.progress(self.samples, self.horizon.samples, self.seconds)
        if due.row:
            self.write_signals()
        if due.grid:
            self.write_grid()
        if due.checkpoint:
            self.save()
        if due.grid or due.checkpoint:
            self._tick = time.perf_counter()  # Pictures and copies are not training time.

    def _finish(self, reason: str, message: str | None) -> None:
        self.write_signals()
        self.write_grid()
        self.write("stop", reason=reason, message=message)
        if reason != "not finite":
            self.save()
        self.saver.wait()
        self.record.close()


def train(
    data: Data,
    out: Path,
    config: Config,
    *,
    samples: int | None = None,
    minutes: float | None = None,
    preset: str = "",
    command: str = "",
    listener: Listener | None = None,
    draw: Draw | None = None,
    given: Modules | None = None,
) -> Run:
    """Trains on `data` into the new folder `out`, for `samples` reals or about `minutes`, and returns the finished run.

    given: a person's own (G, D) in place of the config's nets. Raises Refusal, before anything is written, for what cannot be trained.
    """
    if (samples is None) == (minutes is None):
        raise Refusal("Say how long to train with one of --samples and --minutes.")
    check(config)
    engine = engines.choose(config, data.space.kind)
    # A game and nets that do not go together are refused here.
    smoothed(VALUES[config.game.value], config.game.smoothing)
    Players(config, data.space.shape, torch.device("cpu"), given)
    if data.train.size is not None and data.train.size < 2:
        raise Refusal(f"{data.name} leaves {data.train.size} item to train on: give more.")
    claim(out)
    manifest = {
        "schema": SCHEMA,
        "zerosum": __version__,
        "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "command": command,
        "preset": preset,
        "config": to_json(config),
        "asked": {"samples": samples, "minutes": minutes},
        "data": described(data),
        "engine": engine.to_json(),
        "players": "built" if given is None else "given",
    }
    with locked(out):
        run = Run(out, manifest, given)
        training = Training(run, data, Horizon(samples, minutes), listener, draw)
        manifest["parameters"] = {name: sum(p.numel() for p in m.parameters()) for name, m in (("G", training.players.G), ("D", training.players.D))}
        temporary = out / "run.json.partial"
        temporary.write_text(json.dumps(manifest, indent=1))
        temporary.replace(out / "run.json")
        training.go()
    return run


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
    with locked(run.path):
        found, _ = checkpoints.newest(run.path)
        seen = found.meta["samples"] if found else 0
        asked = run.manifest["asked"]
        if samples is not None or minutes is not None:
            horizon = Horizon(samples, minutes, spent=found.meta["seconds"] if found else 0.0)
            horizon.fixed_by_user = True
        else:
            fixed = found.meta["horizon"] if found else None
            horizon = Horizon(fixed or asked["samples"], None if fixed else asked["minutes"])
        if horizon.samples is not None and seen >= horizon.samples:
            raise Refusal(f"{path} has seen {seen:,} samples and is finished: go further with zerosum resume {path} --samples {2 * seen}.")
        training = Training(run, data or run.data(), horizon, listener, draw)
        if horizon.fixed_by_user and seen and (depends_on_horizon(run.config.d) or depends_on_horizon(run.config.g)):
            training.complaints.append(
                "The learning rates follow the horizon: from here on this run differs from one that was given the new horizon at its start."
            )
        training.go()
    return run


def claim(out: Path) -> None:
    """Makes the output folder. Raises Refusal when something stands there, or the disk does not take it."""
    if out.exists() and (not out.is_dir() or any(p.name != "lock" for p in out.iterdir())):
        what = "another run" if (out / "run.json").exists() else "other files"
        raise Refusal(f"{out} holds {what}, which zerosum does not overwrite: give another --out, or go on with zerosum resume {out}.")
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Refusal(f"The output folder {out} cannot be made ({error.strerror}): give another --out.") from error


class locked:
    """One writer a run: holds RUN/lock while the block runs. A dead process holds nothing. Raises Refusal when a live one does."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lock = FileLock(path / "lock")

    def __enter__(self) -> None:
        try:
            self.lock.acquire(timeout=0)
        except Timeout as error:
            raise Refusal(f"Another process is training in {self.path}: wait for it, or train into another folder.") from error

    def __exit__(self, *_: object) -> None:
        self.lock.release()


def described(data: Data) -> dict[str, Any]:
    """What run.json says of the data."""
    return {
        "spec": data.spec,
        "name": data.name,
        **data.space.to_json(),
        "train": data.train.size,
        "validation": data.validation.size,
        "test": data.test.size,
        "classes": list(data.classes) if data.classes else None,
        "skipped": len(data.skipped),
        "fingerprint": data.fingerprint,
    }
