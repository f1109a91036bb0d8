"""Labels from tables, and batches with all classes equally often."""

from __future__ import annotations

import json
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import zerosum as zs
from zerosum.chance import normal
from zerosum.data.balance import balanced_order, members_of
from zerosum.data.options import DataOptions
from zerosum.data.source import open_data
from zerosum.errors import Refusal

NAMES = [f"{i:02}.png" for i in range(40)]


def table(path: Path, pairs: list[tuple[str, str]], head: str = "file,label") -> str:
    path.write_text("\n".join([*([head] if head else []), *(f"{file},{label}" for file, label in pairs)]) + "\n")
    return str(path)


def alternating(names: list[str] = NAMES) -> list[tuple[str, str]]:
    return [(name, "cat" if i % 4 else "dog") for i, name in enumerate(names)]


def labels_in(data: Any) -> Counter[str]:
    found: Counter[str] = Counter()
    for part in (data.train, data.validation, data.test):
        found.update(dict(zip(data.classes, part.counts(len(data.classes)), strict=True)))
    return found


@pytest.mark.parametrize("head", ["file,label", "", "Image,Class", "label,file"])
def test_a_csv_file_labels_the_images_of_a_folder(folder: Path, tmp_path: Path, head: str) -> None:
    pairs = [(b, a) for a, b in alternating()] if head == "label,file" else alternating()
    data = open_data(folder, DataOptions(labels=table(tmp_path / "labels.csv", pairs, head)))
    assert data.classes == ("cat", "dog")
    assert labels_in(data) == {"cat": 30, "dog": 10}


def test_files_are_found_by_their_last_part_and_numbers_are_in_order(folder: Path, tmp_path: Path) -> None:
    pairs = [(f"some/where/{name}", str(10 if i % 2 else 9)) for i, name in enumerate(NAMES)]
    assert open_data(folder, DataOptions(labels=table(tmp_path / "x.csv", pairs))).classes == ("9", "10")


@pytest.mark.parametrize("labels", [[[name, i % 3] for i, name in enumerate(NAMES)], {name: i % 3 for i, name in enumerate(NAMES)}])
def test_the_labels_that_stylegan_writes(folder: Path, tmp_path: Path, labels: Any) -> None:
    (folder / "dataset.json").write_text(json.dumps({"labels": labels}))
    data = open_data(folder)
    assert data.classes == ("0", "1", "2")
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        for file in folder.iterdir():
            archive.write(file, file.name)
    packed = open_data(tmp_path / "all.zip")
    assert (packed.fingerprint, packed.classes) == (data.fingerprint, data.classes)
    (folder / "dataset.json").write_text('{"labels": null}')
    assert open_data(folder).classes == ()


@pytest.mark.parametrize(
    ("pairs", "sentence"),
    [
        ([*alternating(), ("lost.png", "cat"), ("gone.png", "dog")], "has labels for 2 images that do not exist: lost.png, gone.png"),
        (alternating()[:37], "has no label for 3 images: 37.png, 38.png, 39.png"),
        ([*alternating(), ("00.png", "cat")], "gives 00.png two labels, dog and cat"),
        ([(name, f"{i / 7:.3f}") for i, name in enumerate(NAMES)], "which are no classes"),
        ([*alternating()[:-1], ("39.png", "")], "Row 41 of"),
    ],
)
def test_a_table_that_does_not_fit_is_refused(folder: Path, tmp_path: Path, pairs: list[tuple[str, str]], sentence: str) -> None:
    with pytest.raises(Refusal, match=sentence):
        open_data(folder, DataOptions(labels=table(tmp_path / "labels.csv", pairs)))


@pytest.mark.parametrize(
    "content", ["{}", '{"labels": [1, 2]}', '{"labels": [["00.png", [0, 1]]]}', "[[[", '{"labels": [["00.png", 0.5]]}']
)
def test_a_damaged_dataset_json_is_refused(folder: Path, content: str) -> None:
    (folder / "dataset.json").write_text(content)
    with pytest.raises(Refusal, match=r"dataset\.json"):
        open_data(folder)


def test_two_images_of_one_name_need_their_paths(save: Any, tmp_path: Path) -> None:
    for i in range(20):
        save(f"{i % 2}/{i // 2}.png", number=i)
    names = [f"{i % 2}/{i // 2}.png" for i in range(20)]
    named = table(tmp_path / "a.csv", alternating(names))
    assert open_data(tmp_path / "pictures", DataOptions(labels=named)).classes == ("cat", "dog")
    with pytest.raises(Refusal, match=r"2 images are called 0\.png"):
        open_data(tmp_path / "pictures", DataOptions(labels=table(tmp_path / "b.csv", [("x/0.png", "cat")])))


def test_an_array_takes_labels_from_a_list(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", normal((50, 2), 0, "x").numpy())
    for name, lines in (("words.txt", ["a", "b"]), ("numbers.csv", ["3", "7"])):
        (tmp_path / name).write_text("label\n" + "\n".join(lines * 25) + "\n")
        assert open_data(tmp_path / "x.npy", DataOptions(labels=str(tmp_path / name))).classes == tuple(lines)
    np.save(tmp_path / "y.npy", np.arange(50) % 5)
    assert len(open_data(tmp_path / "x.npy", DataOptions(labels=str(tmp_path / "y.npy"))).classes) == 5
    (tmp_path / "few.txt").write_text("a\nb\n")
    with pytest.raises(Refusal, match=r"50 samples in .* and 2 labels"):
        open_data(tmp_path / "x.npy", DataOptions(labels=str(tmp_path / "few.txt")))
    with pytest.raises(Refusal, match="cannot be read"):
        open_data(tmp_path / "x.npy", DataOptions(labels=str(tmp_path / "none.txt")))


def test_a_run_finds_its_labels_from_another_folder(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table(tmp_path / "labels.csv", alternating())
    monkeypatch.chdir(tmp_path)
    small = {"net_kind": "dcgan", "net_width": 4, "net_refine": 0, "net_hidden": 0, "batch": 8, "threads": 1, "device": "cpu"}
    run = zs.train("pictures", samples=16, out="run", data_labels="labels.csv", data_balance=True, progress=False, **small)
    assert run.classes == ("cat", "dog")
    assert run.config.game.augment == "diffaugment"  # Chosen for so few images, and recorded.
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    loaded = zs.load(tmp_path / "run")
    assert loaded.data().classes == ("cat", "dog")
    drawn = loaded._labels(loaded.players().ema.module, None, 400, 0)
    assert drawn is not None
    assert 150 < int(drawn.sum()) < 250  # Evenly, whatever the shares of the data.


def test_a_balanced_order_has_every_class_equally_often() -> None:
    labels = np.repeat([0, 2, 5], [100, 7, 1])
    members = members_of(labels)
    batches = [balanced_order(8, members, 3, c) for c in range(300)]
    assert Counter(labels[np.concatenate(batches)].tolist()) == {0: 800, 2: 800, 5: 800}
    whole = np.concatenate(batches)
    for c in (0, 2):  # All of a class before any comes again.
        mine = whole[labels[whole] == c][: (labels == c).sum()]
        assert len(set(mine.tolist())) == (labels == c).sum()
    np.testing.assert_array_equal(balanced_order(24, members, 3, 5), np.concatenate(batches[15:18]))
    assert (balanced_order(8, members, 4, 0) != batches[0]).any()


def test_a_thousand_classes_and_one_image_in_a_class() -> None:
    x, y = normal((1500, 3), 0, "x").numpy(), np.minimum(np.arange(1500), 999)
    data = open_data((x, y), DataOptions(balance=True))
    batch = data.train.batch(64, 0, 0)
    assert batch.y is not None
    assert len(set(batch.y.tolist())) == 64
    assert len(data.classes) == 1000


def test_balance_needs_labels() -> None:
    with pytest.raises(Refusal, match="has no class labels"):
        open_data(normal((50, 2), 0, "x").numpy(), DataOptions(balance=True))
