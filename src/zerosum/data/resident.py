"""A part whose samples and labels are in a GPU's memory, which gathers each batch there.

The whole array is copied to the GPU once a run. After that only the row numbers of a batch are sent to it at each step.
"""

from __future__ import annotations

import torch
from torch import Tensor

from zerosum.data.batch import Batch
from zerosum.data.parts import Rows

CHUNK = 65_536  # samples that are copied at once
SHARE = 0.25  # of the GPU's free memory: the nets' activations need the rest


class Resident:
    """Batches of a part, on `device`: bit-identical to the part's own."""

    def __init__(self, part: Rows, device: torch.device) -> None:
        self.part, self.device = part, device
        self.items = torch.from_numpy(part.array[:0].copy()).to(device).new_empty(part.array.shape)
        for start in range(0, len(part.array), CHUNK):
            # Copied first, because torch warns of arrays that it may not write to, as those of a cache file.
            self.items[start : start + CHUNK] = torch.from_numpy(part.array[start : start + CHUNK].copy()).to(device)
        self.labels = None if part.labels is None else torch.from_numpy(part.labels.copy()).to(device)

    def batch(self, n: int, seed: int, counter: int) -> Batch:
        order = self._sent(torch.from_numpy(self.part.order(n, seed, counter)))
        items = self.items[order]
        if self.part.flip:
            mirrored = self._sent(self.part.mirrored(n, seed, counter))
            items = torch.where(mirrored.view(-1, *[1] * (items.ndim - 1)), items.flip(-1), items)
        return Batch(items, None if self.labels is None else self.labels[order])

    def _sent(self, drawn: Tensor) -> Tensor:
        return drawn.to(self.device, non_blocking=True)


def fits(part: Rows, device: torch.device) -> bool:
    """Whether the whole array of a part fits into a GPU's memory beside the nets."""
    return device.type == "cuda" and part.array.nbytes <= SHARE * torch.cuda.mem_get_info(device)[0]
