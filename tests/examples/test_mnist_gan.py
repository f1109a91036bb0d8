"""The listing of chapter 5: plain PyTorch, about 60 lines, and it learns, on made-up images in MNIST's format."""

from __future__ import annotations

import ast
import gzip
import importlib.util
import struct
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from PIL import Image

LISTING = Path(__file__).resolve().parents[2] / "examples" / "mnist_gan.py"


@pytest.fixture(scope="module")
def listing() -> ModuleType:
    spec = importlib.util.spec_from_file_location("mnist_gan", LISTING)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """256 images: a bright square on black, at one of two places."""
    images = np.zeros((256, 28, 28), np.uint8)
    images[::2, 4:12, 4:12] = 255
    images[1::2, 16:24, 16:24] = 255
    content = struct.pack(">4i", 2051, len(images), 28, 28) + images.tobytes()
    (tmp_path / "train-images-idx3-ubyte.gz").write_bytes(gzip.compress(content))
    return tmp_path


def test_it_is_short_and_imports_nothing_of_zerosum() -> None:
    text = LISTING.read_text()
    lines = [line for line in text.splitlines() if line.strip()]
    assert 50 <= len(lines) <= 70
    imports = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Import | ast.ImportFrom)]
    assert len(imports) >= 5
    assert not any("zerosum" in ast.unparse(node) for node in imports)


def test_images_are_read_as_tanh_makes_them(listing: ModuleType, folder: Path) -> None:
    x = listing.read_images(folder)
    assert x.shape == (256, 784)
    assert (x.min(), x.max()) == (-1, 1)


def test_it_learns_where_the_bright_pixels_are(listing: ModuleType, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "KEEP", 0.9)  # Else the average of so few steps is still the start.
    x = listing.read_images(folder)
    with torch.random.fork_rng():
        G, steps = listing.train(x, seconds=600, most_steps=120)
        with torch.no_grad():
            made = G(torch.randn(200, listing.Z))
    assert steps == 120
    assert made.shape == (200, 784)
    mean, data = made.mean(0), x.mean(0)
    # The averaged G starts grey everywhere: after 120 steps it is darker where the data are black in every image.
    assert mean[data == -1].mean() < -0.3
    assert mean[data > -1].mean() > mean[data == -1].mean() + 0.1


def test_the_same_seed_is_the_same_generator(listing: ModuleType, folder: Path) -> None:
    x = listing.read_images(folder)
    with torch.random.fork_rng():
        one, other = (listing.train(x, 600, most_steps=3)[0] for _ in range(2))
    for a, b in zip(one.parameters(), other.parameters(), strict=True):
        assert torch.equal(a, b)


@pytest.mark.slow
def test_it_runs_as_a_program(folder: Path, tmp_path: Path) -> None:
    where = tmp_path / "grid.png"
    command = [sys.executable, str(LISTING), str(folder), "--minutes", "0.02", "--out", str(where)]
    told = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "64 digits" in told.stdout
    with Image.open(where) as image:
        assert image.size == (448, 448)
