"""Batches that are read ahead are those of the source, in whatever order they are asked for, and training uses them for data on a disk."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from zerosum.chance import normal
from zerosum.data.ahead import Ahead
from zerosum.data.parts import Rows
from zerosum.play.distributed import ALONE, Processes
from zerosum.play.inputs import on_device

CPU = torch.device("cpu")


def rows(flip: bool = False) -> Rows:
    images = (normal((50, 1, 8, 8), 0, "x") * 40 + 128).clamp(0, 255).byte().numpy()
    return Rows(images, labels=np.arange(50) % 3, flip=flip)


@pytest.mark.parametrize("order", [range(12), [3, 3, 7, 0, 1, 2, 40], range(1, 20, 4)])
@pytest.mark.parametrize("flip", [False, True])
def test_batches_are_those_of_the_source(order: Any, flip: bool) -> None:
    source, ahead = rows(flip), Ahead(rows(flip))
    for counter in order:
        for n in (4, 9):
            theirs, mine = source.batch(n, 7, counter), ahead.batch(n, 7, counter)
            assert torch.equal(theirs.x, mine.x)
            assert theirs.y is not None
            assert mine.y is not None
            assert torch.equal(theirs.y, mine.y)


def test_the_next_batch_is_read_before_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    source = rows()
    asked: list[int] = []
    batch = source.batch

    def counted(n: int, seed: int, counter: int) -> Any:
        asked.append(counter)
        return batch(n, seed, counter)

    monkeypatch.setattr(source, "batch", counted)
    ahead = Ahead(source)
    for counter in range(3):
        ahead.batch(4, 0, counter)
    ahead._reader.shutdown(wait=True)
    assert asked == [0, 1, 2, 3]


def test_only_what_is_on_a_disk_is_read_ahead(tmp_path: Path) -> None:
    memory = rows()
    np.save(tmp_path / "x.npy", memory.array)
    disk = Rows(np.load(tmp_path / "x.npy", mmap_mode="r"), labels=memory.labels)
    assert on_device(memory, CPU, ALONE) is memory
    ahead = on_device(disk, CPU, ALONE)
    assert isinstance(ahead, Ahead)
    # Of several processes each has its own rows, as without reading ahead.
    second = Processes(rank=1, size=2)
    for counter in range(4):
        assert torch.equal(second.batch(ahead, 8, 0, counter).x, second.batch(memory, 8, 0, counter).x)
