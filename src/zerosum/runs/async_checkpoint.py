"""Writes checkpoints beside the training, one at a time: the rounds wait for the copy to host memory alone."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

from zerosum.errors import Refusal
from zerosum.play.players import Tensors
from zerosum.runs import checkpoint


class AsyncCheckpoint:
    """One thread that writes. `busy` while it does; a write that failed is told by `failure`, or raised by `wait`."""

    def __init__(self, run: Path) -> None:
        self.run = run
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="zerosum-saver")
        self._pending: Future[Path] | None = None

    @property
    def busy(self) -> bool:
        return self._pending is not None and not self._pending.done()

    def save(self, meta: dict[str, Any], files: dict[str, Tensors], first: Callable[[], object] = lambda: None) -> None:
        """Starts to write host tensors, after `first()` in the same thread; waits for a write still under way. Raises its Refusal."""
        self.wait()

        def write() -> Path:
            first()
            return checkpoint.write(self.run, meta, files)

        self._pending = self._pool.submit(write)

    def failure(self) -> Refusal | None:
        """Why the last write failed, told once; None where it did not, or is still under way."""
        if self.busy:
            return None
        try:
            self.wait()
        except Refusal as refusal:
            return refusal
        return None

    def wait(self) -> None:
        """Waits for the last write. Raises Refusal where it failed."""
        pending, self._pending = self._pending, None
        if pending is not None:
            pending.result()

    def close(self) -> None:
        """Ends the thread, after the write that it is at."""
        self._pool.shutdown()
