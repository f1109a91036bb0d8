"""The same work on each of many items, by several threads or processes, in order. An item that cannot be used does not stop the others."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from zerosum.data.image_file import strict_pillow
from zerosum.data.items import Progress
from zerosum.data.workers import MOST, Workers, attempts

T = TypeVar("T")
U = TypeVar("U")

MANY = 10_000
"""Items for which processes are started: each takes 0.2 s to start."""
_CHUNK = 512  # items between two reports of progress, and at most on their way to threads
_PIECE = 32  # items that a thread gets at a time


def cores() -> int:
    """The number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def decode_all(
    decode: Callable[[T], tuple[npt.NDArray[np.uint8], int]],
    items: Sequence[T],
    stage: str,
    progress: Progress | None,
    sendable: bool = False,
) -> Iterator[tuple[npt.NDArray[np.uint8] | None, int, str]]:
    """(pixels, key, "") of each item in order, or (None, 0, why it cannot be used)."""
    for result, reason in try_each(decode, items, stage, progress, sendable):
        yield (None, 0, reason) if result is None else (*result, "")


def try_each(
    work: Callable[[T], U], items: Sequence[T], stage: str, progress: Progress | None, sendable: bool = False
) -> Iterator[tuple[U | None, str]]:
    """work(item) for each item in order: (result, ""), or (None, why it failed).

    One thread a core runs it, because Pillow releases Python's global lock while it decodes; for many items each thread has a process that
    does the work. Each gets several items at a time: handing over single ones takes as long as decoding a small image.
    sendable: whether `work` and the items can be pickled, and unpickled without torch.
    """
    threads = max(1, cores() // int(os.environ.get("LOCAL_WORLD_SIZE", 1)))  # Each process of torchrun reads the data.
    size = max(1, min(_PIECE, _CHUNK // (2 * threads), len(items) // (4 * threads)))
    pieces = (items[i : i + size] for i in range(0, len(items), size))
    told = done = 0
    with strict_pillow(), ExitStack() as stack:
        attempt: Callable[[Callable[[T], U], Sequence[T]], list[tuple[U | None, str]]] = attempts
        if sendable and threads > 1 and len(items) >= MANY:
            threads = min(threads, MOST)
            attempt = workers = Workers(threads)
            stack.callback(workers.close)
        pool = stack.enter_context(ThreadPoolExecutor(threads))
        for results in _in_order(pool, partial(attempt, work), pieces, 2 * threads):
            yield from results
            done += len(results)
            if progress is not None and (done - told >= _CHUNK or done == len(items)):
                progress(stage, done, len(items))
                told = done


def _in_order(pool: ThreadPoolExecutor, work: Callable[[T], U], items: Iterable[T], ahead: int) -> Iterator[U]:
    """work(item) for each item, in order, with `ahead` of them under way."""
    waiting: deque[Future[U]] = deque()
    for item in items:
        waiting.append(pool.submit(work, item))
        if len(waiting) > ahead:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()
