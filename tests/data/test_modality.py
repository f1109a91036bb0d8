"""The contract that each row of MODALITIES keeps, with the tables of other rooms that look its values up."""

from __future__ import annotations

import json
import re
import sys
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
import torch
from torch import Tensor

import zerosum
from zerosum.api.scoring import QUICK
from zerosum.chance import normal, uniform
from zerosum.data import space
from zerosum.data.arrays import declared
from zerosum.data.detect import kind_of
from zerosum.data.items import Items
from zerosum.data.modality import MODALITIES, Modality
from zerosum.data.source import open_data
from zerosum.data.space import Space
from zerosum.measure.features import FEATURES
from zerosum.monitor.reference import FEATURES as COMPARED
from zerosum.play.presets import PRESETS, default_preset
from zerosum.report.grid import PREVIEWS, save_grid
from zerosum.report.next_commands import next_commands

# Shapes by the number of axes: of one value, and as large as users have them.
SHAPES: dict[int, list[tuple[int, ...]]] = {
    1: [(1,), (2,), (3,), (64,)],
    2: [(1, 1), (16, 1), (40, 3)],
    3: [(1, 1, 1), (1, 28, 28), (2, 9, 7), (3, 32, 48), (4, 64, 64)],
}
CASES = [(kind, shape) for kind, row in MODALITIES.items() for shape in SHAPES[row.axes]]


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
def test_a_reader_recognises_the_array_that_a_user_gets(kind: str, shape: tuple[int, ...], tmp_path: Path) -> None:
    """As the array itself; or, where the modality has files of its own that are arrays, by the end of the name."""
    where = sample_space(kind, shape)
    array = where.to_array(raw(kind, shape))
    names = [f"mine{suffix}" for suffix in where.modality.files if suffix.endswith(".npy")]
    for name in names:
        np.save(tmp_path / name, array)
    for spec in [str(tmp_path / name) for name in names] or ([] if where.modality.files else [array]):
        data = open_data(spec)
        assert kind_of(spec) == (kind, shape)
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
    assert row.compared_as in COMPARED
    assert row.compared_as in QUICK
    assert row.features is None or row.features in {"auto", "fresh", *FEATURES}
    assert row.preview in PREVIEWS
    assert not row.standardised or row.axes == 1
    for suffix, module in row.files.items():
        assert suffix.startswith(".")
        assert callable(import_module(module).read)
        assert callable(import_module(module).shape_of)
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
    if not row.files:  # Without its name the array itself says how it is drawn.
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


def test_a_row_a_reader_and_a_preview_are_all_that_a_new_modality_needs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Labelled series of five numbers in files of their own, from opening to training both players by class, sampling and resuming."""
    reader = ModuleType("reader_of_series")

    def read(path: Path, options: object, progress: object = None) -> Items:
        x = np.load(path)
        return Items("series", x, (x[:, 0] > 0).astype(np.int64), ("falling", "rising"))

    reader.__dict__.update(read=read, shape_of=lambda path, options: declared(path)[0][1:])
    monkeypatch.setitem(sys.modules, "reader_of_series", reader)
    drawn = SimpleNamespace(shapes=[])

    def preview(array: np.ndarray, columns: object, real: object, density: object) -> bytes:
        drawn.shapes.append(array.shape)
        return b"drawn"

    monkeypatch.setitem(PREVIEWS, "curves", preview)
    row = replace(MODALITIES["points"], name="series", axis_names="steps", describe=lambda shape: f"series of {shape[0]} numbers")
    row = replace(row, files={".series.npy": "reader_of_series"}, preview="curves", preview_samples=9)  # type: ignore[arg-type]
    monkeypatch.setitem(MODALITIES, "series", row)
    path = tmp_path / "walks.series.npy"
    np.save(path, normal((200, 5), 0, "series").cumsum(1).numpy())

    assert kind_of(path) == ("series", (5,))
    run = zerosum.train(path, samples=64, out=tmp_path / "run", batch=16, net_classes="auto", net_width=16, device="cpu")
    assert (run.space.kind, run.classes) == ("series", ("falling", "rising"))
    assert run.manifest["data"]["what"] == "series of 5 numbers"
    assert any("samples.npy" in command for command in next_commands(run.rows(), run.manifest, run.path))
    assert {"G.embedding.weight", "D.embedding.weight"} <= run.players().weights().keys()
    assert (run.path / "grid.png").read_bytes() == b"drawn"
    assert set(drawn.shapes) == {(9, 5)}
    assert zerosum.load(run.path).sample(3, y="rising").shape == (3, 5)
    assert zerosum.resume(run.path, samples=128).checkpoint().meta["samples"] == 128
