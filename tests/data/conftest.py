from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from zerosum.chance import uniform

Save = Callable[..., Path]


@pytest.fixture
def save(tmp_path: Path) -> Save:
    """save(name, mode, size, number): a picture of noise, different for each number, written under tmp_path/pictures."""

    def saved(name: str, mode: str = "RGB", size: tuple[int, int] = (12, 12), number: int = 0, **keywords: object) -> Path:
        channels = {"L": 1, "LA": 2, "RGB": 3, "RGBA": 4}[mode]
        noise = uniform((size[1], size[0], channels), number, f"picture {name}").numpy()
        array = (noise * 255).astype(np.uint8)
        image = Image.fromarray(array[..., 0] if channels == 1 else array)
        path = tmp_path / "pictures" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        image.save(path, **keywords)
        return path

    return saved


@pytest.fixture
def folder(save: Save, tmp_path: Path) -> Path:
    """Forty good RGB pictures, 12 x 12."""
    for i in range(40):
        save(f"{i:02}.png", number=i)
    return tmp_path / "pictures"
