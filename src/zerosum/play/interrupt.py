"""Ctrl-C and SIGTERM: the first asks the training to stop after its step, the second ends the process at once.

Before and after the training loop there is nothing to finish: there a signal raises KeyboardInterrupt, SIGTERM as well (`interruptible`).
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)
ECHO = 2.0  # seconds in which torchrun repeats a signal that the terminal or the scheduler has already sent to its children


def _in_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()


def interruptible() -> None:
    """Makes SIGTERM raise KeyboardInterrupt, as Ctrl-C does. In a thread, which gets no signals, it does nothing."""
    if _in_main_thread() and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, signal.default_int_handler)


@contextmanager
def at_once() -> Iterator[None]:
    """Within this context a signal ends the process at once: for a wait in which Python handles no signals and nothing is lost."""
    before = {number: signal.signal(number, signal.SIG_DFL) for number in STOP_SIGNALS} if _in_main_thread() else {}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class Stop:
    """Within this context `asked` becomes true on the first SIGINT or SIGTERM; the second has the system's own effect and ends the process.

    The handlers are restored at the end. In a thread, which gets no signals, `asked` stays false.
    """

    def __init__(self) -> None:
        self.asked = False
        self._before: dict[int, Any] = {}
        self._echoes = "TORCHELASTIC_RUN_ID" in os.environ
        self._first = 0.0

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self.asked and time.monotonic() - self._first > ECHO:
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)
        if not self.asked:
            self.asked, self._first = True, time.monotonic()
        if not self._echoes:
            for each in STOP_SIGNALS:
                signal.signal(each, signal.SIG_DFL)

    def __enter__(self) -> Stop:
        if _in_main_thread():
            self._before = {number: signal.signal(number, self._handle) for number in STOP_SIGNALS}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
