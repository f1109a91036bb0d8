"""Parquet files, WebDataset shards and Hugging Face data sets: the same images and labels as from a folder, and what is refused."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from zerosum.data.cache import memory_budget
from zerosum.data.detect import kind_of
from zerosum.data.image_folder import read_images
from zerosum.data.options import DataOptions
from zerosum.data.source import open_data
from zerosum.errors import Refusal

CLASSES = ("cat", "dog")


def contents(folder: Path) -> list[bytes]:
    return [file.read_bytes() for file in sorted(folder.glob("*.png"))]


def as_parquet(folder: Path, out: Path, labels: bool = True, names: bool = True) -> Path:
    """Two parquet files in Hugging Face's layout, several row groups each."""
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    out.mkdir(parents=True)
    rows = contents(folder)
    for part in range(2):
        mine = rows[part::2]
        columns: dict[str, Any] = {"image": [{"bytes": content, "path": None} for content in mine]}
        if labels:
            columns["label"] = [part for _ in mine]
        stored = pa.table(columns)
        if labels and names:
            info = {"info": {"features": {"image": {"_type": "Image"}, "label": {"names": list(CLASSES), "_type": "ClassLabel"}}}}
            stored = stored.replace_schema_metadata({"huggingface": json.dumps(info)})
        pq.write_table(stored, out / f"train-{part:05}-of-00002.parquet", row_group_size=7)
    return out


def as_shards(folder: Path, out: Path, label: str = "cls") -> Path:
    out.mkdir(parents=True)
    rows = contents(folder)
    for part in range(2):
        with tarfile.open(out / f"shard-{part:06}.tar", "w") as archive:
            for i, content in enumerate(rows[part::2]):
                said = CLASSES[part].encode() if label == "cls" else json.dumps({"label": CLASSES[part]}).encode()
                for name, body in ((f"{i:04}.png", content), (f"{i:04}.{label}", said)):
                    info = tarfile.TarInfo(name)
                    info.size = len(body)
                    archive.addfile(info, io.BytesIO(body))
    return out


def sorted_images(items: Any) -> list[bytes]:
    return sorted(items.array[i].tobytes() for i in items.rows)


@pytest.mark.parametrize("write", [as_parquet, as_shards])
def test_a_packed_collection_has_the_images_of_its_folder(write: Any, folder: Path, tmp_path: Path) -> None:
    plain, packed = read_images(folder, DataOptions()), read_images(write(folder, tmp_path / "packed" / "data"), DataOptions())
    assert sorted_images(plain) == sorted_images(packed)
    assert packed.classes == CLASSES
    assert packed.labels is not None
    assert np.bincount(packed.labels).tolist() == [20, 20]
    assert kind_of(tmp_path / "packed") == kind_of(folder)
    # Split by content: the order of files decides nothing.
    parts = [{bytes(x.numpy().tobytes()) for x in open_data(place).test.head(99)} for place in (folder, tmp_path / "packed")]
    assert parts[0] == parts[1]


def test_labels_in_json_and_none_at_all(folder: Path, tmp_path: Path) -> None:
    assert read_images(as_shards(folder, tmp_path / "a", "json"), DataOptions()).classes == CLASSES
    assert read_images(as_parquet(folder, tmp_path / "b", labels=False), DataOptions()).classes == ()
    assert read_images(as_parquet(folder, tmp_path / "c", names=False), DataOptions()).classes == ("0", "1")


def test_larger_than_memory_they_are_decoded_to_a_memory_map(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZEROSUM_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("zerosum.data.cache.MEMORY_SHARE", 0.0)
    assert memory_budget() == 0
    data = open_data(as_shards(folder, tmp_path / "shards"))
    assert isinstance(data.train.array, np.memmap)  # type: ignore[attr-defined]
    again = open_data(tmp_path / "shards")
    np.testing.assert_array_equal(data.train.batch(8, 0, 5).x, again.train.batch(8, 0, 5).x)


def test_a_hugging_face_data_set_on_this_disk(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    datasets = pytest.importorskip("datasets")
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path / "cache")
    datasets.disable_progress_bars()
    place = tmp_path / "pets"
    features = datasets.Features(image=datasets.Image(), label=datasets.ClassLabel(names=list(CLASSES)))
    rows = {"image": [{"bytes": content, "path": None} for content in contents(folder)], "label": [i % 2 for i in range(40)]}
    place.mkdir()
    datasets.Dataset.from_dict(rows, features).to_parquet(place / "train.parquet")
    data = open_data(f"hf:{place}")
    assert data.classes == CLASSES
    assert data.name == "pets"
    assert kind_of(f"hf:{place}") == kind_of(folder)
    assert data.train.size == open_data(place).train.size
    with pytest.raises(Refusal, match="hf: needs the name"):
        open_data("hf:")


def test_damaged_files_are_refused_in_a_sentence(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    for name, sentence in (("a.parquet", "cannot be read as parquet"), ("a.tar", "cannot be read as a tar file")):
        (tmp_path / name).write_bytes(b"nothing of the kind" * 50)
        with pytest.raises(Refusal, match=sentence):
            open_data(tmp_path / name)


def test_a_parquet_file_without_images(tmp_path: Path) -> None:
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    pq.write_table(pa.table({"x": [1, 2, 3]}), tmp_path / "x.parquet")
    with pytest.raises(Refusal, match="has no column with the bytes of images, only x"):
        open_data(tmp_path / "x.parquet")
