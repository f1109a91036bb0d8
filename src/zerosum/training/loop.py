"""The training loop: steps until the horizon, looks at clock and checks between them, and a clean stop when it is asked to."""

from __future__ import annotations

import os
import time

import torch

from zerosum.errors import Refusal
from zerosum.play import oom
from zerosum.play.course import Course
from zerosum.play.finite import NotFinite
from zerosum.play.horizon import Clock
from zerosum.play.interrupt import Stop
from zerosum.play.try_batch import lack_of_memory
from zerosum.training.state import Training
from zerosum.training.timers import Requests
from zerosum.version import __version__


class Loop(Training):
    """Plays the steps of one start of a run."""

    def go(self, stop: Stop) -> None:
        """Trains to the horizon, or until stopped. The last row says why it ended; the last checkpoint is that of the last whole step."""
        message = None
        with torch.random.fork_rng(devices=[]):
            try:
                self._start()
                reason = self._until_the_end(stop)
            except NotFinite as error:
                reason, message = "not finite", str(error)
            except Exception as error:
                self._rescue(error)
                raise
            self._finish(reason, message, stop)

    def _start(self) -> None:
        for complaint in self.complaints:
            self.write("complaint", message=complaint)
        versions = {"zerosum": __version__, "torch": str(torch.__version__)}
        self.write("start", horizon=self.horizon.samples, **versions, pid=os.getpid(), ranks=self.processes.size)
        if self.t == 0:
            self._check(None)
            self.save()
            if self.record is not None:
                self.saver.wait()
            self.write_grid()
        self._tick = time.perf_counter()

    def _until_the_end(self, stop: Stop) -> str:
        while not self.horizon.reached(self.samples):
            agreed = Requests(*self.processes.agree(self._requests(stop)))
            self._between_steps(agreed)
            if agreed.plateaued and self._decay.possible:
                self._begin_decay()
            elif agreed.stop or agreed.out_of_time or agreed.plateaued:
                self.algorithm.guard.require_finite(self.t)
                return "interrupted" if agreed.stop else "minutes" if agreed.out_of_time else "plateaued"
            self._one_step()
        self.algorithm.guard.require_finite(self.t)
        return "finished"

    def _begin_decay(self) -> None:
        """After a plateau at high rates: ends the run where its decay is complete, if that is sooner than where it was to end."""
        if not self._decay.ahead(self.samples, self._course):
            return
        end = self._decay.end_in_samples(self.samples)
        if self.horizon.samples is not None and self.horizon.samples <= end:
            return
        self.horizon.samples, self.horizon.course = end, Course.straight(end)
        if self.horizon.until is not None:
            self.horizon.until = min(self.horizon.until, self._decay.end(self.seconds))
            self._clock = Clock(self.horizon.until, self.seconds, end)
        self.write("horizon", horizon=end, reason="plateaued")

    def _one_step(self) -> None:
        if self._decay.next(self.samples, self._course):
            self._save_for_longer()
        begun = time.perf_counter()
        played = self.algorithm.step(self.t, self._course)
        self._threads_changed = self._threads.took(time.perf_counter() - begun)
        self._sum += played
        self._steps_summed += 1
        self.t += 1
        before, self._tick = self._tick, time.perf_counter()
        self.seconds += self._tick - before
        self._check(played)

    def _check(self, played: torch.Tensor | None) -> None:
        if self.record is not None and self.checks.due(self.t):
            self.write("check", **self.checks.look(self.t, self.samples, played))

    def _requests(self, stop: Stop) -> Requests:
        if not (self.processes.first and self._steps_summed):
            return Requests(stop=stop.asked, out_of_time=self.processes.first and self.horizon.out_of_time(self.seconds))
        due = self.timers.due(self.seconds, self.horizon.share(self.samples, self.seconds))
        if due.progress and self.listener:
            self.listener.progress(self.samples, self.horizon.samples, self.seconds)
        room = self._retry.due(time.monotonic())
        checkpoint = room and (due.checkpoint or self.checks.worth_keeping(self.seconds))
        end = self._clock.decide(self.samples, self.seconds) if self._clock is not None else None
        ahead = not self._decay.possible or self._decay.ahead(self.samples, self._course)
        plateaued = self._until_plateau and ahead and self.checks.plateaued()
        out_of_time, threads = self.horizon.out_of_time(self.seconds), self._threads.count if self._threads_changed else 0
        return Requests(stop.asked, out_of_time, due.row, room and due.grid, checkpoint, end or 0, plateaued, threads)

    def _between_steps(self, agreed: Requests) -> None:
        if agreed.horizon:
            self.horizon.redirect(self.samples, int(agreed.horizon))
            self.write("horizon", horizon=self.horizon.samples)
        if agreed.threads:
            torch.set_num_threads(int(agreed.threads))
            self.write("threads", threads=int(agreed.threads), most=self._threads.most, trial=self._threads.on_trial)
        if agreed.row or agreed.checkpoint:
            self.algorithm.guard.require_finite(self.t)
        if agreed.row:
            self._complain()
            self.write_statistics()
        if agreed.grid and not agreed.stop:
            self.write_grid()
        if agreed.checkpoint:
            self._save_if_possible()
        if agreed.grid or agreed.checkpoint:
            self._tick = time.perf_counter()  # Pictures and copies are not training time.

    # -- the end ----------------------------------------------------------------------------------------------------------

    def _finish(self, reason: str, message: str | None, stop: Stop) -> None:
        self.write_statistics()
        if not stop.asked:
            self.write_grid()
        self.write("stop", reason=reason, message=message)
        try:
            if reason != "not finite":
                self._save_last(stop)
        finally:
            self._close()
        self.processes.barrier()

    def _close(self) -> None:
        if self.record is not None:
            self.saver.close()
            self.record.close()

    def _rescue(self, error: Exception) -> None:
        """After a fault: saves the state if it is that between two steps. Raises Refusal where memory ran out."""
        sentence = self._lack_of_memory(error) if oom.is_lack_of_memory(error) else str(error) or type(error).__name__
        try:
            self.write_statistics()
            self.write("stop", reason="error", message=sentence)
            if self.algorithm.whole and self.t > 0:
                self.save()
                if self.record is not None:
                    self.saver.wait()
        except (Refusal, OSError, RuntimeError, MemoryError):
            pass  # The earlier checkpoint stays; the first fault is the one to report.
        finally:
            self._close()
        if oom.is_lack_of_memory(error):
            raise Refusal(sentence) from error

    def _lack_of_memory(self, error: Exception) -> str:
        # Of several processes the others are waiting, and there is no time to try smaller batches.
        what = lack_of_memory(error, self.algorithm, self.t, tries=self.processes.size == 1)
        return f"There is not enough memory: {what}; what was saved in {self.run.path} stays."
