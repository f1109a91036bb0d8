from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from zerosum.data import resident
from zerosum.data.parts import Rows

IMAGES = np.random.default_rng(0).integers(0, 256, (40, 3, 4, 5), dtype=np.uint8)
CUDA = torch.device("cuda", 0)


@pytest.mark.parametrize("flip", [False, True])
@pytest.mark.parametrize("rows", [None, np.array([3, 5, 8, 13, 21, 34])])
@pytest.mark.parametrize("array", [IMAGES, IMAGES[..., 0, 0].astype(np.float32)])
def test_its_batches_are_the_parts_own(array: np.ndarray, rows: np.ndarray | None, flip: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resident, "CHUNK", 16)
    array = array.view()
    array.flags.writeable = False
    part = Rows(array, rows, flip=flip and array.ndim == 4)
    on_device = resident.Resident(part, torch.device("cpu"))
    for counter in range(3):
        assert_close(on_device.batch(7, 2, counter).x, part.batch(7, 2, counter).x, rtol=0, atol=0)


def test_gathered_on_the_device() -> None:
    batch = resident.Resident(Rows(IMAGES, flip=True), torch.device("meta")).batch(7, 0, 0).x
    assert (batch.device.type, batch.shape, batch.dtype) == ("meta", (7, 3, 4, 5), torch.uint8)


def test_stored_rows_go_there_where_there_is_room(monkeypatch: pytest.MonkeyPatch) -> None:
    part = Rows(IMAGES)
    for free, well in ((4 * IMAGES.nbytes, True), (4 * IMAGES.nbytes - 4, False)):
        monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device, free=free: (free, 10 * free))
        assert resident.fits(part, CUDA) == well
        assert not resident.fits(part, torch.device("cpu"))
