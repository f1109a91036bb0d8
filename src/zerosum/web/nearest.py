"""`python -m zerosum.web.nearest RUN OUT.png`: samples of a run beside the training images nearest to them, a process of the watch's own.

Each row is one sample and its NEAR nearest training images, by the distance of pixels. A sample that equals its neighbour was memorised.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import torch

from zerosum.errors import Refusal
from zerosum.report.grid import save_grid
from zerosum.runs.run import open_run

ROWS, NEAR, MOST = 8, 5, 20_000


def nearest(folder: Path) -> np.ndarray:
    """(ROWS * (1 + NEAR), H, W[, C]) uint8: a row of the picture after the other. Raises Refusal where there are no images or no data."""
    run = open_run(folder)
    if not run.space.modality.one_file_each:
        raise Refusal("Nearest training images are for runs on images.")
    samples = run.sample(ROWS)
    real = run.space.to_array(run.data().train.head(MOST))
    flat = torch.from_numpy(real.reshape(len(real), -1)).float()
    order = torch.cdist(torch.from_numpy(samples.reshape(ROWS, -1)).float(), flat).argsort(1)[:, :NEAR].numpy()
    return np.concatenate([np.concatenate([samples[i : i + 1], real[order[i]]]) for i in range(ROWS)])


if __name__ == "__main__":
    try:
        save_grid(nearest(Path(sys.argv[1])), Path(sys.argv[2]), columns=1 + NEAR)
    except Refusal as refusal:
        print(refusal, file=sys.stderr)
        sys.exit(2)
