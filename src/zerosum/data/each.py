"""The same work on each of many items, by several threads or processes, in order. An item that cannot be used does not stop the others."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from typing import TypeVar

from zerosum.data.block import Block, Decode, Shape, decoded
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
    decode: Decode[T], items: Sequence[T], shape: Shape, stage: str, progress: Progress | None, sendable: bool = False
) -> Iterator[Block]:
    """All items decoded to `shape`, in order, several at a time."""
    return _in_pieces(partial(decoded, decode, shape), items, stage, progress, sendable)


def try_each(
    work: Callable[[T], U], items: Sequence[T], stage: str, progress: Progress | None, sendable: bool = False,
    expect: Callable[[Sequence[T]], None] | None = None,
) -> Iterator[tuple[U | None, str]]:  # fmt: skip
    """work(item) for each item in order: (result, ""), or (None, why it failed)."""
    for results in _in_pieces(partial(attempts, work), items, stage, progress, sendable, expect):
        yield from results


def _in_pieces(
    work: Callable[[Sequence[T]], U], items: Sequence[T], stage: str, progress: Progress | None, sendable: bool,
    expect: Callable[[Sequence[T]], None] | None = None,
) -> Iterator[U]:  # fmt: skip
    """work(piece) for pieces of the items, in order.

    One thread a core runs it, because Pillow releases Python's global lock while it decodes; for many items each thread has a process that
    does the work. Each gets several items at a time: handing over single ones takes as long as decoding a small image.
    sendable: whether `work` and the items can be pickled, and unpickled without torch. expect: is told of items ahead.
    """
    threads = max(1, cores() // int(os.environ.get("LOCAL_WORLD_SIZE", 1)))  # Each process of torchrun reads the data.
    size = max(1, min(_PIECE, _CHUNK // (2 * threads), len(items) // (4 * threads)))
    told = done = 0

    def pieces() -> Iterator[Sequence[T]]:
        for i in range(0, len(items), size):
            piece = items[i : i + size]
            if expect is not None:
                expect(piece)
            yield piece

    with strict_pillow(), ExitStack() as stack:
        run: Callable[[Callable[[Sequence[T]], U], Sequence[T]], U] = _here
        if sendable and threads > 1 and len(items) >= MANY:
            threads = min(threads, MOST)
            run = workers = Workers(threads)
            stack.callback(workers.close)
        pool = stack.enter_context(ThreadPoolExecutor(threads))
        for result in _in_order(pool, partial(run, work), pieces(), 2 * threads):
            yield result
            done = min(done + size, len(items))
            if progress is not None and (done - told >= _CHUNK or done == len(items)):
                progress(stage, done, len(items))
                told = done


def _here(work: Callable[[Sequence[T]], U], items: Sequence[T]) -> U:
    return work(items)


def _in_order(pool: ThreadPoolExecutor, work: Callable[[T], U], items: Iterable[T], ahead: int) -> Iterator[U]:
    """work(item) for each item, in order, with `ahead` of them under way."""
    waiting: deque[Future[U]] = deque()
    for item in items:
        waiting.append(pool.submit(work, item))
        if len(waiting) > ahead:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()
