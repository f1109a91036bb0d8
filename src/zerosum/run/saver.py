"""Writes checkpoints beside the training, one at a time: the rounds wait for the copy to host memory alone."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

from zerosum.run import checkpoint
from zerosum.run.checkpoint import Tensors


class Saver:
    """One thread that writes. A write that failed is raised at the next `save` or `wait`."""

    def __init__(self, run: Path) -> None:
        self.run = run
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="zerosum-saver")
        self._pending: Future[Path] | None = None

    def save(self, meta: dict[str, Any], files: dict[str, Tensors]) -> None:
        """Starts to write host tensors; waits for the write before, if that is still under way."""
        self._settle()
        self._pending = self._pool.submit(checkpoint.write, self.run, meta, files)

    def _settle(self) -> None:
        pending, self._pending = self._pending, None
        if pending is not None:
            pending.result()

    def wait(self) -> None:
        """Waits for the last write and ends the thread."""
        try:
            self._settle()
        finally:
            self._pool.shutdown()
