import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from zerosum.errors import Refusal
from zerosum.report.grid import save_grid
from zerosum.report.tensorboard import TensorBoard


def events(run: Path) -> Iterator[Any]:
    from tensorboard.backend.event_processing.event_file_loader import EventFileLoader

    for file in sorted((run / "tensorboard").iterdir()):
        yield from EventFileLoader(str(file)).Load()


def test_rows_become_scalars_against_samples(tmp_path: Path, rows: list[dict[str, Any]]) -> None:
    pytest.importorskip("tensorboard")
    rows[1]["loss_g"] = None
    save_grid(np.zeros((4, 5, 5), np.uint8), tmp_path / next(row["file"] for row in rows if row["type"] == "grid"))
    with TensorBoard(tmp_path) as board:
        board.progress(64, None, 0.1)
        for row in rows:
            board.row(row)
    found = {(e.step, v.tag): v for e in events(tmp_path) for v in e.summary.value}
    assert found[1280, "signals/V"].tensor.float_val[0] == pytest.approx(rows[1]["V"])
    assert (1280, "signals/loss_g") not in found
    assert (2560, "signals/loss_g") in found
    assert found[51_200, "scores/frechet"].tensor.float_val[0] == pytest.approx(2.0)
    assert found[51_200, "scores/frechet/floor"].tensor.float_val[0] == pytest.approx(0.4)
    assert [step for step, tag in found if tag == "samples"] == [6400]


def test_a_missing_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tensorboard.summary.writer.event_file_writer", None)
    with pytest.raises(Refusal, match=r"zerosum\[tensorboard\]"):
        TensorBoard(tmp_path)
