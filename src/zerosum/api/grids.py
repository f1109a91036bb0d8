"""How a run draws its grids of samples, by the kind of its data."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from zerosum.data.source import Data
from zerosum.report.grid import save_grid
from zerosum.training.grids import Draw

Array = np.ndarray[Any, Any]


def drawer(data: Data) -> Draw:
    """How a run draws its grids: images as tiles; points over the density of p_data where that is known, else over real samples."""
    modality = data.space.modality
    real = data.space.to_array(data.validation.head(modality.preview_real)) if modality.preview_real else None
    known = data.density

    def density(x: Array) -> Array:
        assert known is not None
        p: Array = known.log_prob(torch.from_numpy(np.ascontiguousarray(x, dtype=np.float64))).exp().numpy()
        return p

    def draw(samples: Array, path: Path, names: Sequence[str] = ()) -> Path:
        p_data = density if known is not None else None
        return save_grid(samples, path, real=real, density=p_data, preview=modality.preview, names=names)

    return draw
