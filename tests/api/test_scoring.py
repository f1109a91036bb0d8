"""Scores taken at a training's end: of which samples, against which part, and what the record keeps of them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from zerosum.api.scoring import DIGITS, POINTS, leave_scores, quick_scores
from zerosum.api.training import train
from zerosum.data.source import Data, open_data

Row = dict[str, Any]


def named(rows: list[Row]) -> dict[str, Row]:
    assert len({row["name"] for row in rows}) == len(rows)
    return {row["name"]: row for row in rows}


def drawn(data: Data, seed: int = 1) -> Any:
    """A perfect generator's samples: p_data's own."""
    assert data.density is not None
    return lambda n: data.density.sample(n, torch.Generator().manual_seed(seed)).numpy()  # type: ignore[union-attr]


def test_a_density_with_modes_has_them_counted() -> None:
    rows = named(quick_scores(data := open_data("ring8"), drawn(data), 320))
    assert rows.keys() == {"modes", "high_quality", "mode_kl", "sigma_ratio"}
    assert rows["modes"]["value"] == rows["modes"]["floor"] == 8
    assert rows["high_quality"]["low"] < 0.9889 < rows["high_quality"]["high"]
    for row in rows.values():
        assert (row["n"], row["split"], row["features"]) == (POINTS, "validation", "raw")
        assert row["meaning"].endswith(".")
        assert row["better"] in ("lower", "higher", "floor")


def test_a_lost_mode_is_missing_from_the_count() -> None:
    data = open_data("ring8")

    def seven(n: int) -> np.ndarray[Any, Any]:
        x = drawn(data)(2 * n)
        kept: np.ndarray[Any, Any] = x[x[:, 0] < 0.95][:n]
        return kept

    rows = named(quick_scores(data, seven, 320))
    assert rows["modes"]["value"] == 7
    assert rows["mode_kl"]["low"] > rows["mode_kl"]["floor"]


def test_points_without_modes_are_measured_by_distance_and_neighbourhoods() -> None:
    rows = named(quick_scores(data := open_data("moons"), drawn(data), 320))
    assert rows.keys() == {"frechet", "frechet_corrected", "precision", "recall", "density", "coverage"}
    far = named(quick_scores(data, lambda n: drawn(data)(n) + 3, 320))
    assert far["frechet"]["low"] > rows["frechet"]["high"]
    assert far["recall"]["value"] == 0


def test_digits_are_measured_by_no_more_than_was_seen_and_never_by_the_test_part() -> None:
    data = open_data("mnist")
    asked: list[int] = []

    class Closed:
        def __getattr__(self, name: str) -> Any:
            raise AssertionError("the test part is evaluate's alone")

    def copies(n: int) -> np.ndarray[Any, Any]:
        asked.append(n)
        return data.train.head(n)[:, 0].numpy()

    rows = named(quick_scores(replace(data, test=Closed()), copies, 300))
    assert asked == [300]
    assert DIGITS > 300
    assert rows.keys() == {"frechet", "frechet_corrected", "precision", "recall", "density", "coverage", "class_kl", "noise_share"}
    for row in rows.values():
        assert (row["n"], row["n_real"], row["split"]) == (300, 300, "validation")
        assert row["features"].startswith("raw" if row["name"] == "noise_share" else "digits:")
        if row["low"] is None:
            assert row["name"] == "density"
            continue
        assert row["low"] - (row["high"] - row["low"]) <= row["floor"] <= row["high"] + (row["high"] - row["low"]), row


def test_other_images_get_the_noise_share_alone() -> None:
    noise = torch.randint(0, 256, (400, 3, 16, 16), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    rows = quick_scores(open_data(noise), lambda n: noise[:n].movedim(1, 3).numpy(), 320)
    assert [row["name"] for row in rows] == ["noise_share"]
    assert rows[0]["low"] <= rows[0]["floor"]
    one = noise[:, :1, :1, :1].expand(-1, 1, 28, 28).contiguous()
    assert [row["name"] for row in quick_scores(open_data(one), lambda n: one[:n, 0].numpy(), 320)] == ["noise_share"]


@pytest.mark.parametrize(("reason", "scored"), [("finished", True), ("minutes", True), ("plateaued", True), ("interrupted", False)])
def test_a_training_that_ends_of_itself_is_scored(tmp_path: Path, reason: str, scored: bool) -> None:
    """As its record tells: a run that settles has not seen all of its samples."""
    options = {"net.width": 8, "net.depth": 1, "batch": 32, "threads": 1, "engine": "eager", "precision": "float32"}
    run = train("ring8", samples=512, out=tmp_path / "run", options=options)
    record = tmp_path / "run" / "record.jsonl"
    rows = [json.loads(line) for line in record.read_text().splitlines()]
    kept = [{**row, "reason": reason} if row["type"] == "stop" else row for row in rows if row["type"] != "score"]
    assert len(kept) < len(rows)
    record.write_text("".join(json.dumps(row) + "\n" for row in kept))
    leave_scores(run, open_data("ring8"), None)
    assert bool(run.rows("score")) is scored
