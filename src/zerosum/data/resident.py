"""A part's items on a GPU, where batches are gathered: the numbers of a batch's rows travel there in each round, its pixels once a run."""

from __future__ import annotations

import torch
from torch import Tensor

from zerosum.data.batch import Batch
from zerosum.data.batches import Rows

CHUNK = 65_536  # items that are copied at once
SHARE = 0.25  # of the GPU's free memory: the nets' maps need the rest


class Resident:
    """Batches of a part, on `device`: the part's own, bit for bit."""

    def __init__(self, part: Rows, device: torch.device) -> None:
        self.part, self.device = part, device
        self.items = torch.from_numpy(part.array[:0].copy()).to(device).new_empty(part.array.shape)
        for start in range(0, len(part.array), CHUNK):
            # Copied first: a cache's file is not to be written to, and torch takes no array that is not.
            self.items[start : start + CHUNK] = torch.from_numpy(part.array[start : start + CHUNK].copy()).to(device)

    def batch(self, n: int, seed: int, counter: int) -> Batch:
        items = self.items[self._sent(torch.from_numpy(self.part.order(n, seed, counter)))]
        if not self.part.flip:
            return Batch(items)
        mirrored = self._sent(self.part.mirrored(n, seed, counter))
        return Batch(torch.where(mirrored.view(-1, *[1] * (items.ndim - 1)), items.flip(-1), items))

    def _sent(self, drawn: Tensor) -> Tensor:
        return drawn.to(self.device, non_blocking=True)


def fits(part: Rows, device: torch.device) -> bool:
    """Whether all of a part's array has room on a GPU beside the nets."""
    return device.type == "cuda" and part.array.nbytes <= SHARE * torch.cuda.mem_get_info(device)[0]
