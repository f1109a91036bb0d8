"""The contract that each row of MODALITIES keeps, with the tables of other rooms that look its values up."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

import zerosum
from zerosum.api.scoring import QUICK
from zerosum.chance import normal, uniform
from zerosum.data import space
from zerosum.data.modality import MODALITIES, Modality
from zerosum.data.source import open_data
from zerosum.data.space import Space
from zerosum.measure.features import FEATURES
from zerosum.monitor.reference import ROWS
from zerosum.play.presets import PRESETS, default_preset
from zerosum.report.grid import PREVIEWS, save_grid

# Shapes of each kind: of one value, and as large as users have them.
SHAPES: dict[str, list[tuple[int, ...]]] = {
    "points": [(1,), (2,), (3,), (64,)],
    "images": [(1, 1, 1), (1, 28, 28), (2, 9, 7), (3, 32, 48), (4, 64, 64)],
}
CASES = [(kind, shape) for kind in MODALITIES for shape in SHAPES[kind]]


def sample_space(kind: str, shape: tuple[int, ...]) -> Space:
    if not MODALITIES[kind].standardised:
        return Space(kind, shape, classes=("a", "b"))
    d = shape[0]
    return space.standardised(kind, shape, normal((d,), 0, "offset").tolist(), (0.5 + uniform((d,), 0, "scale")).tolist(), ("a", "b"))


def raw(kind: str, shape: tuple[int, ...], n: int = 24) -> Tensor:
    noise = uniform((n, *shape), 0, "raw")
    return (noise * 256).to(torch.uint8) if MODALITIES[kind].value_bytes == 1 else noise


@pytest.mark.parametrize(("kind", "shape"), CASES)
def test_samples_go_to_the_nets_and_to_the_user_and_back(kind: str, shape: tuple[int, ...]) -> None:
    where, x = sample_space(kind, shape), raw(kind, shape)
    assert (where.modality, where.modality.name) == (MODALITIES[kind], kind)
    assert len(shape) == where.modality.axes == len(where.modality.axis_names.split(" x "))
    y = where.encode(x)
    assert y.dtype == torch.float32
    assert y.shape == x.shape
    assert where.decode(y).dtype == x.dtype
    torch.testing.assert_close(where.decode(y), x, atol=1e-5, rtol=1e-5)
    array = where.to_array(x)
    assert isinstance(array, np.ndarray)
    assert array.flags["C_CONTIGUOUS"]
    assert (len(array), array.itemsize, array.size) == (len(x), where.modality.value_bytes, x.numel())
    assert torch.equal(where.from_array(array), x)
    assert Space.from_json(json.loads(json.dumps(where.to_json()))) == where


@pytest.mark.parametrize(("kind", "shape"), CASES)
def test_a_reader_recognises_the_array_that_a_user_gets(kind: str, shape: tuple[int, ...]) -> None:
    where = sample_space(kind, shape)
    data = open_data(where.to_array(raw(kind, shape)))
    assert (data.space.kind, data.space.shape) == (kind, shape)
    assert bool(data.space.offset) == bool(data.space.scale) == where.modality.standardised


@pytest.mark.parametrize(("kind", "shape"), CASES)
def test_its_words_and_names_are_there(kind: str, shape: tuple[int, ...]) -> None:
    row = MODALITIES[kind]
    words = row.describe(shape)
    assert kind in words
    assert str(shape[-1]) in words
    for known in (shape, None):
        assert default_preset(kind, known) == row.preset(known)
        assert row.preset(known) in PRESETS
    assert row.channel_axis is None or 0 <= row.channel_axis < row.axes


@pytest.mark.parametrize("row", MODALITIES.values(), ids=MODALITIES)
def test_other_rooms_know_what_it_names(row: Modality) -> None:
    assert row.compared_as in ROWS
    assert row.compared_as in QUICK
    assert row.features is None or row.features in {"auto", "fresh", *FEATURES}
    assert row.preview in PREVIEWS
    assert row.suffix in (".npy", ".png")
    assert row.check.n > 1
    assert row.check.apart > 0
    assert row.preview_samples > 0
    assert row.preview_real >= 0
    assert row.threads is None or row.threads > 0


@pytest.mark.parametrize(("kind", "shape"), CASES)
def test_its_preview_is_a_picture(kind: str, shape: tuple[int, ...], tmp_path: Path) -> None:
    row, where = MODALITIES[kind], sample_space(kind, shape)
    real = where.to_array(raw(kind, shape, row.preview_real)) if row.preview_real else None
    path = save_grid(where.to_array(raw(kind, shape)), tmp_path / "preview.png", real=real, preview=row.preview)
    assert path.read_bytes().startswith(b"\x89PNG")
    # Without its name the array itself says how it is drawn.
    assert save_grid(where.to_array(raw(kind, shape)), tmp_path / "again.png", real=real).read_bytes() == path.read_bytes()


def test_default_presets() -> None:
    assert [default_preset("images", shape) for shape in ((1, 28, 28), (1, 32, 32))] == ["digits", "digits"]
    assert [default_preset("images", shape) for shape in ((3, 28, 28), (1, 33, 28), None)] == ["images"] * 3
    assert default_preset("points", (64,)) == default_preset("points", None) == "points"


def test_no_other_file_compares_the_names_of_modalities() -> None:
    source = Path(zerosum.__file__).parent
    compared = re.compile(rf"(==|!=|\bin) ?[\"'(\[{{]*[\"']({'|'.join([*MODALITIES, 'digits'])})[\"']")
    found = {file.relative_to(source).as_posix() for file in source.rglob("*.py") if compared.search(file.read_text(encoding="utf-8"))}
    assert found <= {"data/modality.py"}
