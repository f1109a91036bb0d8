"""Runs in a session: what they show of themselves, what they keep, and when progress is shown."""

from __future__ import annotations

import io
import sys
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

import zerosum as zs
from zerosum.report.notebook import as_html, in_notebook
from zerosum.runs.run import Run

SMALL: dict[str, Any] = {"net_width": 8, "net_depth": 1, "batch": 32, "threads": 1, "engine": "eager", "precision": "float32"}


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def points(n: int = 400) -> Tensor:
    return torch.randn(n, 2, generator=torch.Generator().manual_seed(0)) * 0.5 + 3


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return zs.train(points(), samples=320, out=tmp_path_factory.mktemp("session") / "a", **SMALL)


def test_a_run_is_one_line(run: Run) -> None:
    assert repr(run) == f"<Run {run.path}: array, 320 samples, finished; verdict: too early to say>"
    assert repr(zs.load(run.path)) == repr(run)


def test_a_run_and_its_verdict_show_themselves_in_a_notebook(run: Run) -> None:
    page = run._repr_html_()
    assert "320 samples, finished" in page
    assert "data:image/png;base64,iVBOR" in page
    assert "<b>too early to say</b>" in page
    assert run.verdict()._repr_html_() in page


def test_a_run_of_this_session_keeps_its_data(run: Run) -> None:
    scores = zs.evaluate(run, n=100)
    assert {"frechet", "precision"} <= {score.name for score in scores if not score.refused}
    assert "reference score" in repr(scores)
    with pytest.raises(zs.Refusal, match="trained on an array in memory"):
        zs.evaluate(zs.load(run.path))


def test_a_run_is_resumed_as_it_is(tmp_path: Path) -> None:
    first = zs.train(points(), samples=320, out=tmp_path / "a", **SMALL)
    further = zs.resume(first, samples=640)
    assert further.rows("stop")[-1]["samples"] == 640
    again = zs.train(points(), samples=320, out=tmp_path / "b", **SMALL)
    np.testing.assert_array_equal(further.sample(20), zs.resume(again.path, samples=640, data=points()).sample(20))
    assert zs.resume(further, samples=672).rows("stop")[-1]["samples"] == 672


def test_a_run_of_own_modules_is_resumed_with_them(tmp_path: Path) -> None:
    G, D = torch.nn.Linear(4, 2), torch.nn.Linear(2, 1)
    first = zs.train("ring8", generator=G, discriminator=D, samples=64, out=tmp_path / "a", prior_dim=4, **SMALL)
    assert zs.resume(first, samples=128).rows("stop")[-1]["samples"] == 128


def test_data_are_described_in_sentences(tmp_path: Path) -> None:
    facts = zs.inspect(points())
    assert facts["count"] == 400
    assert repr(facts).splitlines()[0] == "array: 400 points of 2 coordinates"
    assert "parts: " in facts._repr_html_()


@pytest.mark.parametrize(
    ("progress", "terminal", "shown"), [(None, True, True), (None, False, False), (True, False, True), (False, True, False)]
)
def test_progress_is_shown_where_somebody_looks(
    progress: bool | None, terminal: bool, shown: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = Terminal() if terminal else io.StringIO()
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stderr", stream)
    first = zs.train("ring8", samples=320, out=tmp_path / "a", progress=progress, **SMALL)
    trained = stream.getvalue()
    assert ("samples" in trained) is shown
    zs.resume(first, samples=640, progress=progress)
    assert ("640 of 640" in stream.getvalue()) is shown


def test_a_function_or_a_listener_is_called_instead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    told: list[str] = []
    run = zs.train("ring8", samples=320, out=tmp_path / "a", progress=lambda label, done, total: told.append(label), **SMALL)
    zs.evaluate(run, n=50, progress=lambda label, done, total: told.append(label))
    assert "Measuring" in told
    assert stream.getvalue() == ""


class ZMQInteractiveShell:
    pass


class TerminalInteractiveShell:
    pass


def notebook(monkeypatch: pytest.MonkeyPatch, shell: object, cells: list[list[str]]) -> None:
    """As if this were a kernel of IPython: `cells` gets the contents of each output, one after the other."""

    class Handle:
        def __init__(self, page: str) -> None:
            self.contents = [page]
            cells.append(self.contents)

        def update(self, page: str) -> None:
            self.contents.append(page)

    display = types.ModuleType("IPython.display")
    display.HTML = str  # type: ignore[attr-defined]
    display.display = lambda page, display_id: Handle(page)  # type: ignore[attr-defined]
    package = types.ModuleType("IPython")
    package.get_ipython = lambda: shell  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "IPython", package)
    monkeypatch.setitem(sys.modules, "IPython.display", display)


def test_a_notebook_shows_progress_in_one_cell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cells: list[list[str]] = []
    notebook(monkeypatch, ZMQInteractiveShell(), cells)
    zs.train("ring8", samples=320, out=tmp_path / "a", **SMALL)
    (contents,) = cells
    assert contents[-1].startswith("<pre")
    assert "320 of 320 samples" in contents[-1]
    zs.train("ring8", samples=320, out=tmp_path / "b", progress=False, **SMALL)
    assert len(cells) == 1


@pytest.mark.parametrize("shell", [None, TerminalInteractiveShell()])
def test_ipython_in_a_terminal_is_no_notebook(shell: object, monkeypatch: pytest.MonkeyPatch) -> None:
    notebook(monkeypatch, shell, [])
    assert not in_notebook()


def test_html_of_the_display_is_escaped() -> None:
    from rich.text import Text

    assert "&lt;b&gt;" in as_html(Text("<b>"))
