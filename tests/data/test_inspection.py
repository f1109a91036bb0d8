from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from zerosum.chance import normal
from zerosum.data.inspection import inspect_data
from zerosum.data.options import DataOptions
from zerosum.data.source import open_data
from zerosum.errors import Refusal


def test_a_folder_is_described(save: Any, tmp_path: Path) -> None:
    for i in range(60):
        save(f"{('cat', 'dog', 'dog')[i % 3]}/{i}.png", "RGBA", number=i)
    folder = tmp_path / "pictures"
    (folder / "cat" / "copy.png").write_bytes((folder / "cat" / "0.png").read_bytes())
    (folder / "cat" / "void.png").touch()
    (folder / "dog" / "notes.txt").touch()
    save("dog/large.png", "RGBA", size=(70, 50))
    found = inspect_data(folder)
    assert json.loads(json.dumps(found)) == found
    assert found["count"] == sum(found["parts"].values()) == 62
    assert found["classes"] == {"cat": 21, "dog": 41}
    assert found["sizes"] == {"12x12": 61, "50x70": 1}
    assert found["shape"] == [4, 64, 64]
    assert found["channels"] == 4
    assert found["what"] == "RGBA images of 64 x 64"
    assert found["duplicates"] == 1
    assert found["skipped"] == [{"name": "cat/void.png", "reason": "zero bytes"}]
    assert found["ignored"] == 1
    assert 0 <= found["range"][0] < found["range"][1] <= 255


def test_points_and_densities_are_described() -> None:
    cloud = normal((100, 2), 0, "test")
    found = inspect_data(cloud)
    assert (found["kind"], found["count"], found["channels"], found["classes"]) == ("points", 100, None, None)
    data = open_data(cloud)
    head = data.train.head(100)
    assert found["range"] == [[float(head[:, i].min()), float(head[:, i].max())] for i in range(2)]
    assert found["what"] == "points of 2 coordinates"
    labelled = inspect_data((cloud, [("a", "b", "b", "b")[i % 4] for i in range(100)]))
    assert labelled["classes"] == {"a": 25, "b": 75}
    endless = inspect_data("ring8")
    assert (endless["count"], endless["duplicates"], endless["parts"]["train"]) == (None, None, None)
    assert json.loads(json.dumps(endless)) == endless


def test_inspection_refuses_what_training_would(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match="contains no images"):
        inspect_data(tmp_path, DataOptions())
