"""The commands that a report offers, by how the run ended."""

from __future__ import annotations

import html
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from zerosum.report.next_commands import ending, next_commands
from zerosum.report.page import write_report
from zerosum.report.words import NEXT, STOPS

Row = dict[str, Any]
IMAGES = {"players": "built", "data": {"spec": "mnist", "shape": [1, 28, 28]}}
START = {"type": "start", "samples": 0, "horizon": 1000}
SCORE = {"type": "score", "samples": 640, "name": "frechet", "value": 1.0}


def stop(reason: str) -> Row:
    return {"type": "stop", "reason": reason, "samples": 640, "seconds": 1.0, "message": None}


@pytest.mark.parametrize(
    ("reason", "first", "resume"),
    [
        ("finished", "zerosum sample", "zerosum resume runs/a --samples 1280"),
        ("interrupted", "zerosum resume", "zerosum resume runs/a"),
        ("minutes", "zerosum resume", "zerosum resume runs/a"),
        ("plateaued", "zerosum sample", None),
        ("not finite", "zerosum diagnose", None),
        ("error", "zerosum diagnose", None),
    ],
)
@pytest.mark.parametrize("after", [[], [SCORE]])
def test_how_a_run_ended_decides_also_where_scores_follow(reason: str, first: str, resume: str | None, after: list[Row]) -> None:
    commands = next_commands([START, stop(reason), *after], IMAGES, "runs/a")
    assert commands[0].startswith(first)
    assert [c for c in commands if "resume" in c] == ([] if resume is None else [resume])
    assert {"zerosum sample runs/a -n 64 --out samples.png", "zerosum evaluate runs/a", "zerosum diagnose runs/a"} <= set(commands)


def test_every_ending_has_words() -> None:
    assert {*STOPS, ""} == set(NEXT)


def test_a_run_that_goes_on_or_was_killed_has_no_ending() -> None:
    assert ending([]) is None
    assert ending([START, stop("finished"), SCORE, START]) is None
    assert next_commands([START, stop("finished"), START], IMAGES, "runs/a b")[0] == "zerosum resume 'runs/a b'"


def test_what_no_command_line_can_name_gets_lines_of_python() -> None:
    own = next_commands([START, stop("interrupted")], {"players": "given", "data": {"spec": "ring8", "shape": [2]}}, "runs/a")
    assert own[0] == 'run = zs.resume("runs/a", generator=G, discriminator=D)'
    memory = next_commands([START, stop("finished")], {"players": "built", "data": {"spec": None, "shape": [2]}}, "runs/a")
    assert memory[0] == 'run = zs.load("runs/a")'
    assert memory[-1] == 'run = zs.resume("runs/a", data=x, samples=1280)'


def test_the_page_names_the_run_so_that_its_commands_work_anywhere(
    make_run: Callable[..., Path], few: list[Row], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_run(rows=[*few, SCORE])
    monkeypatch.chdir(run.parent)
    page = html.unescape(write_report(Path(run.name)).read_text())
    assert f"zerosum resume {run.resolve()} --samples" in page
    assert f"zerosum evaluate {run.resolve()}" in page
    assert NEXT["finished"] in page


@pytest.mark.parametrize(
    ("data", "suffix"),
    [
        ({"kind": "series", "suffix": ".npy"}, ".npy"),
        ({"kind": "drawings", "suffix": ".png"}, ".png"),
        ({"kind": "images", "shape": [1, 28, 28]}, ".png"),
        ({"kind": "points", "shape": [2]}, ".npy"),
        ({"shape": [2], "suffix": "; rm -r ."}, ".npy"),
        ({"shape": 3, "suffix": ["x"]}, ".npy"),
    ],
)
def test_samples_go_into_the_file_that_the_run_recorded_for_them(data: dict[str, object], suffix: str) -> None:
    commands = next_commands([], {"data": data}, "runs/a")
    assert f"zerosum sample runs/a -n 64 --out samples{suffix}" in commands
