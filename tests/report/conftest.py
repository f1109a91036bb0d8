"""A run folder made by hand: every number by a formula, no training."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from zerosum.report.grid import save_grid

MANIFEST: dict[str, Any] = {
    "schema": 1,
    "zerosum": "0.1.0",
    "created": "2026-01-02T03:04:05Z",
    "command": "zerosum train mnist --minutes 5 --out runs/demo",
    "preset": "digits",
    "config": {
        "game": {
            "value": "non_saturating",
            "penalty": "r1r2",
            "gamma": 1.0,
            "k": 1,
            "g_steps": 1,
            "smoothing": 0.0,
            "order": "alternating",
        },
        "net": {"kind": "dcgan", "width": 64},
        "d": {"lr": 2e-4, "lr_end": None},
        "batch": 64,
        "seed": 0,
    },
    "data": {
        "spec": "mnist",
        "name": "mnist",
        "kind": "images",
        "shape": [1, 28, 28],
        "what": "grey images of 28 x 28",
        "train": 54000,
        "validation": 6000,
        "test": 10000,
        "classes": [str(i) for i in range(10)],
        "skipped": 0,
        "fingerprint": "0123456789abcdef",
    },
    "engine": {
        "engine": "eager",
        "precision": "bf16",
        "threads": 2,
        "device": "cpu",
        "isa": "AMX",
        "torch": "2.13.0",
        "reason": "measured",
    },
    "parameters": {"G": 1_200_000, "D": 1_100_000},
}


def signals(i: int, of: int, probability: bool = True) -> dict[str, Any]:
    """Row i of `of`: D starts sure (V near 0) and ends guessing (V = -log 4), with a ripple."""
    t, ripple = (i + 1) / of, 0.03 * math.sin(1.7 * i)
    b = -3 * (1 - t) + ripple
    a = -b
    v = -2 * math.log1p(math.exp(b))
    stated = {"V": v, "D_real": 1 / (1 + math.exp(-a)), "D_fake": 1 / (1 + math.exp(-b))}
    return {
        "type": "signals",
        "round": 20 * (i + 1),
        "samples": 1280 * (i + 1),
        "seconds": 1.1 * (i + 1),
        "loss_d": -v,
        "loss_g": math.log1p(math.exp(-b)),
        "penalty": 0.1 * (1 - t) + 0.02,
        "a": a,
        "b": b,
        "a_std": 1.0,
        "b_std": 0.8,
        "accuracy": 0.5 + 0.45 * (1 - t),
        "grad_d": 2 * (1 - t) + 0.1 + ripple,
        "grad_g": 0.5 * math.exp(-2 * t),
        "rate": 1160 + 40 * ripple,
        **(stated if probability else dict.fromkeys(stated)),
    }


def record(of: int = 40, probability: bool = True) -> list[dict[str, Any]]:
    """A whole run's rows: a start, signals, a grid every eighth of it, two scores, a stop."""
    rows: list[dict[str, Any]] = [
        {"type": "start", "round": 0, "samples": 0, "seconds": 0.0, "horizon": 1280 * of, "zerosum": "0.1.0", "torch": "2.13.0", "pid": 1}
    ]
    for i in range(of):
        row = signals(i, of, probability)
        rows.append(row)
        at = {key: row[key] for key in ("round", "samples", "seconds")}
        if (i + 1) % max(1, of // 8) == 0:
            rows.append({"type": "grid", **at, "file": f"grids/{row['round']:09d}.png"})
        if (i + 1) % max(1, of // 4) == 0:
            value = 80 / (i + 1)
            rows.append(
                {"type": "score", **at, "name": "frechet", "value": value, "low": 0.9 * value, "high": 1.1 * value, "floor": 0.4}
                | {"n": 10_000, "split": "validation", "features": "digits-5f2e8c01aa77bb99"}
            )
    rows.append({**at, "type": "stop", "reason": "finished", "message": None})
    return rows


def digits(n: int, blur: float, side: int = 28) -> np.ndarray[Any, Any]:
    """n rings of growing radius, (n, side, side) uint8; blur in [0, 1] mixes in a fixed noise."""
    y, x = np.mgrid[:side, :side] - (side - 1) / 2
    radius = np.linspace(0.12, 0.42, n)[:, None, None] * side
    ring = 255 * np.exp(-((np.hypot(y, x)[None] - radius) ** 2) / 4)
    noise = (np.arange(n * side * side) * 7919 % 251).reshape(n, side, side)
    return np.clip((1 - blur) * ring + blur * noise, 0, 255).astype(np.uint8)


@pytest.fixture
def make_run(tmp_path: Path) -> Callable[..., Path]:
    """make_run(rows, manifest, pictures) -> the folder of a run with that record; rows default to `record()`."""

    def made(rows: list[dict[str, Any]] | None = None, manifest: dict[str, Any] | None = None, pictures: bool = True) -> Path:
        rows = record() if rows is None else rows
        run = tmp_path / "demo"
        run.mkdir()
        (run / "run.json").write_text(json.dumps(MANIFEST if manifest is None else manifest))
        (run / "record.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        grids = [row for row in rows if row["type"] == "grid"] if pictures else []
        for i, row in enumerate(grids):
            save_grid(digits(16, blur=1 - (i + 1) / len(grids), side=14), run / row["file"])
        return run

    return made


@pytest.fixture
def rows() -> list[dict[str, Any]]:
    return record()


@pytest.fixture
def rows_without_probability() -> list[dict[str, Any]]:
    return record(probability=False)


@pytest.fixture
def manifest() -> dict[str, Any]:
    return MANIFEST


@pytest.fixture
def few(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The record without its signals and with one score: a page of it has words and tables and takes no time to draw."""
    return [row for row in rows if row["type"] in ("start", "grid", "stop")][:-1] + [
        row for row in rows if row["type"] in ("score", "stop")
    ][-2:]
