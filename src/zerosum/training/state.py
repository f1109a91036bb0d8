"""One start of a run in training: its state in memory, and what it writes into the run's folder."""

from __future__ import annotations

import time
from typing import Any

import torch

from zerosum.data.source import Data
from zerosum.errors import Refusal
from zerosum.monitor.checks import Checks
from zerosum.play.contention import Contention
from zerosum.play.course import Course
from zerosum.play.device import Execution
from zerosum.play.distributed import ALONE, Processes
from zerosum.play.horizon import Clock, Horizon
from zerosum.play.interrupt import Stop
from zerosum.play.players import Players, host_copy
from zerosum.play.statistics import STATISTICS
from zerosum.play.step import Algorithm1
from zerosum.play.thread_count import ThreadCount
from zerosum.records import SCHEMA
from zerosum.runs.async_checkpoint import AsyncCheckpoint
from zerosum.runs.checkpoint import BEFORE_DECAY, course_of, restore
from zerosum.runs.record import Listener, Record, plain
from zerosum.runs.run import Run
from zerosum.training.decay import Decay
from zerosum.training.grids import Draw, draw_grid
from zerosum.training.timers import Retry, Timers

PATIENCE, AGAIN = 60.0, 2.0  # seconds that a finished run waits for room on the disk, and between two tries


class Training:
    """A run, new or resumed: players, record, checkpoints and grids. Of several processes the first alone writes."""

    def __init__(
        self, run: Run, data: Data, horizon: Horizon, execution: Execution, listener: Listener | None = None, draw: Draw | None = None,
        processes: Processes = ALONE, players: Players | None = None,
    ) -> None:  # fmt: skip
        """players: those of a run that begins now, where they exist already; else they are built."""
        self.run, self.config, self.space, self.horizon = run, run.config, run.space, horizon
        self.execution, self.processes = execution, processes
        self.listener, self.draw = (listener, draw) if processes.first else (None, None)
        self.record: Record | None = None
        self.complaints: list[str] = []
        start = processes.from_first(self._found)
        self.t, self.seconds = int(start["round"]), float(start["seconds"])
        # Until further minutes have a course of their own, the schedules keep the one before.
        self._course_before = Course.from_json(start["knots"]) if start["knots"] else None
        device = execution.prepare()
        self.players = players or Players(self.config, self.space, device, run.given)
        processes.from_first(self._restore)
        processes.broadcast([*self.players.weights().values(), *self.players.moments().values()])
        self.algorithm = Algorithm1(self.config, self.players, data.train, self.space, self.execution, processes)
        if processes.first:
            self.record = Record(run.path / "record.jsonl", keep_bytes=int(start["record_bytes"]))
            self.saver = AsyncCheckpoint(run.path)
            self.checks = Checks(run.rows("check"), data, self.algorithm, horizon)
        self.timers, self._retry = Timers(self.seconds, horizon.share(self.samples, self.seconds)), Retry()
        self._clock = None if horizon.until is None else Clock(horizon.until, self.seconds, horizon.samples)
        self._sum = torch.zeros(len(STATISTICS), device=self.algorithm.device)
        self._row_at, self._steps_summed, self._grid_at = (self.samples, self.seconds), 0, -1
        self._contention = Contention()
        self._threads, self._threads_changed = self._thread_count(int(start["threads"])), False
        self._decay = Decay(self.config, self.algorithm.samples_a_step)
        # Who extends a run wants more of it than its plateau.
        self._until_plateau = bool(start["until_plateau"]) and not horizon.fixed_by_user

    def _found(self) -> dict[str, Any]:
        """The run's newest whole checkpoint, compared with the config before any net is built."""
        asked, most = self.run.manifest["asked"].get("until_plateau", False), self.execution.threads
        self._checkpoint, self.complaints = self.run.newest()
        if self._checkpoint is None:
            return {"round": 0, "seconds": 0.0, "knots": None, "record_bytes": 0, "until_plateau": asked, "threads": most}
        self.run.require_fit(self._checkpoint)
        return {
            "knots": course_of(self._checkpoint.meta),
            "until_plateau": self._checkpoint.meta.get("until_plateau", asked),
            "threads": self._checkpoint.meta.get("threads", most),
            **{name: self._checkpoint.meta[name] for name in ("round", "seconds", "record_bytes")},
        }

    def _restore(self) -> None:
        if self._checkpoint is not None:
            restore(self.players, self._checkpoint)

    def _thread_count(self, settled: int) -> ThreadCount:
        """The threads of the next steps, at first `settled`. What a person has given stays; of several processes the first decides."""
        given, most = self.config.threads > 0 or self.execution.device != "cpu", self.execution.threads
        found = ThreadCount(most, most if given else settled, Contention().share, fixed=given or not self.processes.first)
        torch.set_num_threads(found.count)
        return found

    @property
    def samples(self) -> int:
        return self.t * self.config.game.k * self.config.batch

    @property
    def _course(self) -> Course | None:
        """The course of the schedules; None while the end is not known yet."""
        return self.horizon.course or self._course_before

    # -- the record -------------------------------------------------------------------------------------------------------

    def write(self, kind: str, **values: Any) -> None:
        if self.record is None:
            return
        row = {"type": kind, "round": self.t, "samples": self.samples, "seconds": round(self.seconds, 3), **plain(values)}
        self.record.append(row)
        if self.listener:
            self.listener.row(row)

    def write_statistics(self) -> None:
        """Writes the mean statistics since the last such row. Here alone the loop waits for the device."""
        if not self._steps_summed:
            return
        means, (samples, seconds) = (self._sum / self._steps_summed).tolist(), self._row_at
        rate = (self.samples - samples) / max(self.seconds - seconds, 1e-9)
        named = dict(zip(STATISTICS, means, strict=True))
        self.write("signals", **named, rate=round(rate, 2), waited=self._contention.share(), **self.players.strength())
        self._sum.zero_()
        self._steps_summed, self._row_at = 0, (self.samples, self.seconds)

    def write_grid(self) -> None:
        """Draws samples. A picture that cannot be drawn or written is no reason to stop: the record says so."""
        if self.draw is None or self._grid_at == self.t:
            return
        file = f"grids/{self.t:09d}.png"
        try:
            draw_grid(self.run, self.players, self.draw, self.run.path / file)
        except (OSError, Refusal) as error:
            self._failed(f"The grid {self.run.path / file} could not be drawn ({error}); the training goes on.")
            return
        self._grid_at = self.t
        self.write("grid", file=file)

    def save(self) -> None:
        """Copies the state to host memory and starts to write it. Raises Refusal where the record cannot be written."""
        self.write_statistics()
        if self.record is None:
            return
        course = self._course
        meta: dict[str, Any] = {"schema": SCHEMA, "round": self.t, "samples": self.samples, "seconds": self.seconds}
        meta |= {"horizon": course and course.end, "knots": course and course.to_json(), "until": self.horizon.until}
        meta |= {"record_bytes": self.record.length(), "score": self.checks.keep(self.seconds)}
        meta |= {BEFORE_DECAY: self._decay.ahead(self.samples, course), "until_plateau": self._until_plateau}
        meta["threads"] = self._threads.settled
        self.saver.save(meta, {file: host_copy(tensors) for file, tensors in self.players.files().items()}, self.record.sync)

    def _save_if_possible(self) -> None:
        """A checkpoint in mid-run. If the disk is full, the run continues: the next one may find room."""
        self._complain()
        if self.record is not None and (self.saver.busy or not self._retry.due(time.monotonic())):
            return
        try:
            self.save()
        except Refusal as refusal:
            self._failed(str(refusal))

    def _save_for_longer(self) -> None:
        """The state before the decay, from which the run can be extended. If the disk is full, it cannot be, and the run continues."""
        try:
            self.save()
        except Refusal as refusal:
            self._failed(str(refusal))
        self._tick = time.perf_counter()

    def _failed(self, message: str) -> None:
        """Records that a write failed. The next write in mid-run comes a minute later."""
        self.write("complaint", message=message)
        self._retry.failed(time.monotonic())

    def _complain(self) -> None:
        """Records a save that failed, and steps that are not executed as run.json says."""
        if self.record is not None and (failure := self.saver.failure()):
            self._failed(str(failure))
        if complaint := self.algorithm.complaint():
            self.write("complaint", message=str(complaint))

    def _save_last(self, stop: Stop) -> None:
        """The run's last checkpoint. On a full disk it tries again for a while, unless somebody has asked to stop. Raises Refusal."""
        self._complain()
        deadline, told = time.monotonic() + PATIENCE, False
        while True:
            try:
                self.save()
                if self.record is not None:
                    self.saver.wait()
                return
            except Refusal as refusal:
                if stop.asked or time.monotonic() > deadline:
                    raise
                if not told:
                    self.write("complaint", message=f"{refusal} Trying again for {PATIENCE:.0f} s; press Ctrl-C to stop at once.")
                told = True
                time.sleep(AGAIN)
