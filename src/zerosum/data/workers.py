"""Processes that decode images: of several threads only one at a time runs Python, which for small images is most of the work.

They are started as `python -m zerosum.data.workers`, and get functions and items through a pipe. multiprocessing is not used, because it
runs the user's own script once more in each process. Nothing here imports torch, which would take each process more than a second.
"""

from __future__ import annotations

import os
import pickle
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from queue import SimpleQueue
from subprocess import PIPE, Popen
from typing import TypeVar

from zerosum.data.image_file import UnreadableImage, strict_pillow

T = TypeVar("T")
U = TypeVar("U")

PIPE_SIZE = 2**20
"""Bytes between two processes: a block of small images goes through at once."""

MOST = 16
"""Processes at most: each has 40 MB."""


def attempts(work: Callable[[T], U], items: Sequence[T]) -> list[tuple[U | None, str]]:
    """work(item) for each item: (result, ""), or (None, why it failed)."""
    return [_attempt(work, item) for item in items]


def _attempt(work: Callable[[T], U], item: T) -> tuple[U | None, str]:
    try:
        return work(item), ""
    except UnreadableImage as error:
        return None, str(error)
    except Exception as error:
        # A wrong checksum, a deleted file or a failing disk makes one file unusable, not the others.
        return None, str(error) or type(error).__name__


class Workers:
    """work(items) in one of `n` processes, for at most n threads that call it at once. Close it at the end.

    What a process cannot do, because it does not start or was killed, is done by the thread that asked.
    """

    def __init__(self, n: int) -> None:
        self._idle: SimpleQueue[Popen[bytes] | None] = SimpleQueue()
        self._n = n
        for _ in range(n):
            self._idle.put(_started())

    def __call__(self, work: Callable[[Sequence[T]], U], items: Sequence[T]) -> U:
        worker = self._idle.get()
        try:
            if worker is not None:
                return _asked(worker, work, items)
        except (OSError, EOFError, pickle.PickleError):
            _end(worker)
            worker = None
        finally:
            self._idle.put(worker)
        return work(items)

    def close(self) -> None:
        """End the processes. Called when no thread uses them."""
        for _ in range(self._n):
            _end(self._idle.get())


def _started() -> Popen[bytes] | None:
    # -P: a module in the working folder never takes the place of an installed one.
    path = os.pathsep.join(os.path.abspath(place) for place in sys.path if place)
    environment = {**os.environ, "PYTHONPATH": path, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    try:
        # In a session of its own, so that Ctrl-C reaches this process alone.
        return Popen(
            [sys.executable, "-P", "-m", __name__], stdin=PIPE, stdout=PIPE, env=environment, start_new_session=True, pipesize=PIPE_SIZE
        )
    except (OSError, ValueError, TypeError):
        return None


def _asked(worker: Popen[bytes], work: Callable[[Sequence[T]], U], items: Sequence[T]) -> U:
    assert worker.stdin is not None
    assert worker.stdout is not None
    pickle.dump((work, items), worker.stdin)
    worker.stdin.flush()
    answer: U = pickle.load(worker.stdout)  # noqa: S301 - from a process of our own
    return answer


def _end(worker: Popen[bytes] | None) -> None:
    if worker is not None:
        worker.kill()
        for stream in (worker.stdin, worker.stdout):
            with suppress(OSError):
                if stream is not None:
                    stream.close()
        worker.wait()


def main() -> None:
    """Answers until the other side closes the pipe, or ends."""
    # What a decoder prints must not be taken for an answer.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    with strict_pillow(), suppress(EOFError, OSError):
        while True:
            work, items = pickle.load(sys.stdin.buffer)  # noqa: S301 - from the process that started this one
            pickle.dump(work(items), answers, pickle.HIGHEST_PROTOCOL)
            answers.flush()


if __name__ == "__main__":
    main()
