"""What may be trained on from Python: labelled samples, data sets, points of many coordinates; and what run.json says of them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.utils.data import DataLoader, TensorDataset

import zerosum as zs
from zerosum.chance import normal, uniform
from zerosum.play.presets import PRESETS

POINTS = PRESETS["points"].config
SMALL = replace(POINTS, net=replace(POINTS.net, width=8, depth=1), batch=32, threads=1, engine="eager", precision="float32")
DIGITS = PRESETS["digits"].config
SMALL_IMAGES = replace(DIGITS, net=replace(DIGITS.net, width=4, hidden=8), batch=32, threads=1, engine="eager", precision="float32")
IMAGES = (uniform((120, 1, 8, 8), 0, "images") * 256).to(torch.uint8)
Y = torch.arange(120) % 3


def ring(d: int, n: int = 600) -> Tensor:
    """Points on a circle in a plane of d dimensions, with a little noise in all of them."""
    angle = 2 * torch.pi * uniform((n,), 0, "angle")
    plane = torch.linalg.qr(normal((d, 2), 0, "plane"))[0]
    return torch.stack([angle.cos(), angle.sin()], 1) @ plane.T + 0.02 * normal((n, d), 0, "noise")


def weights(run: zs.Run) -> dict[str, Tensor]:
    return run.players().weights()


@pytest.mark.parametrize("d", [17, 64])
def test_points_of_many_coordinates_are_trained_on_checked_and_drawn(d: int, tmp_path: Path) -> None:
    run = zs.train(ring(d), samples=640, out=tmp_path / "a", config=SMALL)
    assert run.space.shape == (d,)
    assert run.manifest["data"]["what"] == f"points of {d} coordinates"
    assert run.sample(9).shape == (9, d)
    checks = run.rows("check")
    assert all(row["finite"] for row in checks)
    assert checks[-1]["coverage"] is not None
    assert list((tmp_path / "a" / "grids").iterdir())
    assert not run.rows("complaint")
    assert {row["name"] for row in run.rows("score")} >= {"frechet", "precision"}
    assert zs.resume(run.path, samples=960, data=ring(d)).finished


@pytest.mark.parametrize("labelled", ["pair", "data set", "DataLoader", "words"])
def test_labels_alter_no_bit_of_an_unconditional_run(labelled: str, tmp_path: Path) -> None:
    data: dict[str, Any] = {
        "pair": (IMAGES, Y),
        "data set": TensorDataset(IMAGES, Y),
        "DataLoader": DataLoader(TensorDataset(IMAGES, Y), batch_size=50),
        "words": (IMAGES, np.array(["a", "b", "c"])[Y.numpy()]),
    }
    plain = zs.train(IMAGES, samples=128, out=tmp_path / "plain", config=SMALL_IMAGES)
    run = zs.train(data[labelled], samples=128, out=tmp_path / "labelled", config=SMALL_IMAGES, net_classes="none")
    assert plain.manifest["data"]["classes"] is None
    assert run.manifest["data"]["classes"] == (["a", "b", "c"] if labelled == "words" else ["0", "1", "2"])
    assert run.space.classes == tuple(run.manifest["data"]["classes"])
    for name, value in weights(plain).items():
        assert torch.equal(weights(run)[name], value), name


def test_a_run_without_labels_goes_on_with_the_same_samples_and_labels(tmp_path: Path) -> None:
    points = ring(2)
    run = zs.train(points, samples=320, out=tmp_path / "a", config=SMALL)
    # What a DataLoader of pairs gave before labels were read: the samples alone.
    assert zs.resume(run.path, samples=640, data=(points, torch.arange(600) % 2)).finished
    labelled = zs.train((points, torch.arange(600) % 2), samples=320, out=tmp_path / "b", config=SMALL)
    with pytest.raises(zs.Refusal, match="not the data"):
        zs.resume(labelled.path, samples=640, data=(points, torch.arange(600) % 3))


def test_data_in_memory_must_be_handed_over_again(tmp_path: Path) -> None:
    run = zs.train(ring(2), samples=320, out=tmp_path / "a", config=SMALL)
    assert run.manifest["data"]["spec"] is None
    for spec in (None, "array (600, 2)"):  # As version 0.1.0 recorded it.
        manifest = json.loads((run.path / "run.json").read_text())
        manifest["data"]["spec"] = spec
        (run.path / "run.json").write_text(json.dumps(manifest))
        with pytest.raises(zs.Refusal, match=r"zerosum\.resume\(path, data=array\)"):
            zs.load(run.path).data()
