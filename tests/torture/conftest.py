"""Faults by injection: how many, what became of them, and a disk that fills up.

`make test` injects a few of each kind, `make torture` as many as ZEROSUM_TORTURE names: full, or a factor such as 0.1.
"""

from __future__ import annotations

import errno
import io
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

TALLY: dict[str, Counter[str]] = {}


class Tally:
    """What became of one kind of fault: injected, survived (nothing was lost, and no traceback), lost."""

    def __init__(self, kind: str) -> None:
        self.counts = TALLY.setdefault(kind, Counter())

    def add(self, injected: int, survived: int) -> None:
        self.counts.update(injected=injected, survived=survived, lost=injected - survived)


@pytest.fixture
def tally(request: pytest.FixtureRequest) -> Tally:
    """Counts under the test's own name."""
    return Tally(request.node.originalname.removeprefix("test_").replace("_", " "))


def scaled(full: int, few: int) -> int:
    """How many faults to inject: `few` in `make test`, `full` times the factor in `make torture`."""
    factor = os.environ.get("ZEROSUM_TORTURE", "")
    return few if not factor else max(1, round(full * (1.0 if factor == "full" else float(factor))))


@pytest.fixture
def count() -> Any:
    return scaled


def pytest_terminal_summary(terminalreporter: Any) -> None:
    if not TALLY or not os.environ.get("ZEROSUM_TORTURE"):
        return
    terminalreporter.section("faults")
    terminalreporter.line(f"{'':<64}{'injected':>10}{'survived':>10}{'lost':>10}")
    for kind, counts in TALLY.items():
        terminalreporter.line(f"{kind:<64}{counts['injected']:>10,}{counts['survived']:>10,}{counts['lost']:>10,}")


class Disk:
    """A file system of which every write, sync, rename and new folder below `root` is counted, and may fail as one that is full does.

    fails_at: number of the first operation that fails, from 1; stays_full: whether all after it do; short: whether a write that fails takes
    half of its bytes first.
    """

    def __init__(self, root: Path, fails_at: int = 0, stays_full: bool = False, short: bool = False) -> None:
        self.root, self.fails_at, self.stays_full, self.short = str(root), fails_at, stays_full, short
        self.operations: list[str] = []
        self.failures = 0

    def touch(self, what: str, path: object) -> bool:
        """Counts an operation; true where it is to fail."""
        if not str(path).startswith(self.root):
            return False
        self.operations.append(f"{what} {Path(str(path)).name}")
        now = len(self.operations)
        fails = 0 < self.fails_at <= now if self.stays_full else now == self.fails_at
        self.failures += fails
        return fails

    def need(self, what: str, path: object) -> None:
        if self.touch(what, path):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))


class FullFile(io.FileIO):
    """A file on such a disk."""

    disk: Disk

    def write(self, content: Any) -> int:
        if self.disk.touch("write", self.name):
            if self.disk.short:
                super().write(bytes(content)[: len(content) // 2])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return super().write(content)


@pytest.fixture
def fill(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """fill(disk) puts a Disk under everything that Python writes; fill(None) takes it away."""
    real: dict[str, Any] = {name: getattr(os, name) for name in ("fsync", "rename", "replace", "mkdir")}
    real_open = io.open

    def put(disk: Disk | None) -> None:
        monkeypatch.undo()
        if disk is None:
            return

        def opened(file: Any, mode: str = "r", buffering: int = -1, *args: Any, **kwargs: Any) -> Any:
            if isinstance(file, int) or not str(file).startswith(disk.root) or not set(mode) & set("wax+"):
                return real_open(file, mode, buffering, *args, **kwargs)
            raw = FullFile(file, mode.replace("b", "").replace("t", ""))
            raw.disk = disk
            binary: Any = raw if buffering == 0 else io.BufferedWriter(raw)
            return binary if "b" in mode else io.TextIOWrapper(binary, encoding=kwargs.get("encoding"), newline=kwargs.get("newline"))

        def sync(descriptor: int) -> None:
            disk.need("fsync", os.readlink(f"/proc/self/fd/{descriptor}"))
            real["fsync"](descriptor)

        def pair(name: str) -> Any:
            def moved(source: Any, target: Any, **kwargs: Any) -> None:
                disk.need(name, target)
                real[name](source, target, **kwargs)

            return moved

        def mkdir(path: Any, *args: Any, **kwargs: Any) -> None:
            disk.need("mkdir", path)
            real["mkdir"](path, *args, **kwargs)

        monkeypatch.setattr(io, "open", opened)
        for name, function in {"fsync": sync, "mkdir": mkdir, "rename": pair("rename"), "replace": pair("replace")}.items():
            monkeypatch.setattr(os, name, function)

    yield put
    monkeypatch.undo()


@pytest.fixture
def disk() -> type[Disk]:
    return Disk
