import copy
import json
import math
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from zerosum.errors import Refusal
from zerosum.report import page
from zerosum.report.grid import save_grid
from zerosum.report.page import moments, write_report

Make = Callable[..., Path]
VOID = {"meta", "img", "br", "path", "use", "input"}


class Balanced(HTMLParser):
    """Fails on a tag closed out of order; collects ids and references."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.references: list[str] = []
        self.feed(page)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.open.append(tag)
        self.ids += [v or "" for k, v in attrs if k == "id"]
        self.references += [v or "" for k, v in attrs if k in ("src", "href", "xlink:href", "srcset", "action")]

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag


def page_of(run: Path, **more: Any) -> str:
    return write_report(run, **more).read_text(encoding="utf-8")


def without_pictures(page: str) -> str:
    return re.sub(r"data:image/[a-z]+;base64,[A-Za-z0-9+/=]+", "picture", page)


def test_a_run_of_before_the_data_were_named_in_words(make_run: Make, manifest: dict[str, Any]) -> None:
    old = copy.deepcopy(manifest)
    del old["data"]["what"]
    assert "54,000 images of shape 1 x 28 x 28 (mnist)" in page_of(make_run(manifest=old))


def test_a_whole_run(make_run: Make) -> None:
    run = make_run()
    page = page_of(run)
    for part in (
        "54,000 grey images of 28 x 28 (mnist)",
        "zerosum train mnist --minutes 5 --out runs/demo",
        "Finished.",
        "51,200 of 51,200 samples",
    ):
        assert part in page
    for part in ("10,000", "validation", "digits-5f2e8c01aa", "1.80 to 2.20", "0.400", "--game.g-steps", "AMX", "Value of the game"):
        assert part in page
    assert page.count("data:image/png") == 7
    assert page.count("<svg ") == 9


def test_the_page_stands_alone(make_run: Make) -> None:
    run = make_run()
    parsed = Balanced(page_of(run))
    assert len(parsed.ids) == len(set(parsed.ids))
    for reference in parsed.references:
        assert reference.startswith("data:image/") or reference.removeprefix("#") in parsed.ids
    text = without_pictures((run / "report.html").read_text())
    assert not re.search(r"https?:|//[a-z]|@import|<script|<link|<!DOCTYPE svg", text)
    assert set(re.findall(r"url\(#([^)]*)\)", text)) <= set(parsed.ids)


def test_figures_follow_the_pages_colours(make_run: Make, rows: list[dict[str, Any]]) -> None:
    svgs = re.findall(r"<svg .*?</svg>", page_of(make_run(rows=rows[:4])), flags=re.DOTALL)
    assert svgs
    assert all("var(--ink)" in svg for svg in svgs)
    assert not any(re.search("#(1b1c1d|8d9297|d9dcdf|0072b2|009e73)", svg) for svg in svgs)


def test_a_game_without_probabilities_says_so(make_run: Make, rows_without_probability: list[dict[str, Any]]) -> None:
    page = page_of(make_run(rows=rows_without_probability))
    assert "not a probability in this game" in page
    assert "Value of the game" not in page
    assert "Accuracy of D" in page


def test_a_score_speaks_for_itself_where_the_record_has_its_sentence(make_run: Make, rows: list[dict[str, Any]]) -> None:
    scored = [row for row in rows if row["type"] == "score"]
    run = make_run(rows=scored)
    assert "away from it on either side is worse" in page_of(run)
    scored[-1].update(meaning="Distance between fakes and reals.", better="lower", note="128 features")
    (run / "record.jsonl").write_text("".join(json.dumps(row) + "\n" for row in scored))
    page = page_of(run)
    assert "Distance between fakes and reals. Bars" in page
    assert "128 features" in page
    assert "fall to the dotted line" in page
    assert "128 features" in page


@pytest.mark.parametrize("keep", [0, 1, 2])
def test_empty_and_young_runs(make_run: Make, rows: list[dict[str, Any]], keep: int) -> None:
    page = page_of(make_run(rows=rows[:keep]))
    Balanced(page)
    assert ("Nothing is recorded yet." if keep == 0 else "No end is recorded") in page
    assert ("<svg" in page) == (keep == 2)


def test_a_manifest_that_knows_nothing(make_run: Make, few: list[dict[str, Any]]) -> None:
    Balanced(page_of(make_run(manifest={"schema": 1}, rows=few)))


def test_wrong_types_give_a_page(make_run: Make, manifest: dict[str, Any]) -> None:
    changed = copy.deepcopy(manifest) | {"data": {"shape": "28", "kind": 3, "train": None, "classes": 4}, "engine": [], "parameters": None}
    nonsense = [
        {"type": kind, "samples": "many", "seconds": [], "value": {}, "name": None}
        for kind in ("signals", "score", "grid", "stop", "verdict")
    ]
    Balanced(page_of(make_run(manifest=changed, rows=[*nonsense, {"no": "type"}], pictures=False)))


@pytest.mark.parametrize("bad", [None, math.nan, math.inf])
def test_values_that_are_no_numbers(make_run: Make, rows: list[dict[str, Any]], bad: float | None) -> None:
    for row in rows:
        row.update({key: bad for key, x in row.items() if isinstance(x, float)})
    page = page_of(make_run(rows=rows))
    Balanced(page)
    assert not re.search(r"\bnan\b|\binf\b", without_pictures(page), flags=re.IGNORECASE)


def test_words_of_others_are_escaped(make_run: Make, few: list[dict[str, Any]], manifest: dict[str, Any]) -> None:
    evil = '"><script>alert(1)</script>'
    changed = copy.deepcopy(manifest) | {"command": evil, "preset": evil}
    changed["data"]["name"] = evil
    for row in few:
        if row["type"] == "score":
            row["name"] = evil + "$x$"
        if row["type"] == "stop":
            row["message"] = evil
    page = page_of(make_run(rows=few, manifest=changed), verdict={"state": evil, "evidence": [evil], "advice": evil})
    Balanced(page)
    assert "<script" not in page


def test_the_verdict_stands_at_the_top(make_run: Make, few: list[dict[str, Any]]) -> None:
    verdict = {
        "state": "mode collapse",
        "since": 12_000,
        "evidence": ["coverage fell to .2", {"recall": 0.1}],
        "advice": "Try R1.",
        "confidence": 0.8,
    }
    run = make_run(rows=few)
    page = page_of(run, verdict=verdict)
    assert "mode collapse" in page
    assert "recall: 0.1" in page
    assert "since 12,000 samples" in page
    assert page.index("Try R1.") < page.index("<h2>Samples")
    assert "healthy" in page_of(run, verdict={"state": "healthy"})
    assert "Try R1." not in page_of(run, verdict={"state": "healthy"})


BURST = {"type": "stop", "reason": "not finite", "message": "G's weight was not finite in round 4", "samples": 256, "seconds": 1.0}
CHECK = {"type": "check", "round": 3, "samples": 192, "seconds": 1.0}


@pytest.mark.parametrize(("row", "state"), [(CHECK, "too early to say"), (BURST, "diverged"), (None, None)])
def test_the_verdict_is_read_from_the_record(
    row: dict[str, Any] | None, state: str | None, make_run: Make, few: list[dict[str, Any]]
) -> None:
    page = page_of(make_run(rows=few if row is None else [*few, row]))
    assert ('class="verdict"' in page) == (state is not None)
    if state is not None:
        assert page.index(state) < page.index("<h2>Samples")


def test_a_resumed_run_is_not_called_finished(make_run: Make, few: list[dict[str, Any]]) -> None:
    page = page_of(make_run(rows=[*few, {"type": "start", "samples": 51_200, "seconds": 44.0, "horizon": 99_000}]))
    assert "No end is recorded" in page
    assert "51,200 of 99,000 samples" in page


def test_large_pictures_stay_small(make_run: Make, few: list[dict[str, Any]]) -> None:
    run = make_run(rows=few, pictures=False)
    noise = np.random.default_rng(0).integers(0, 256, size=(16, 128, 128, 3), dtype=np.uint8)
    (run / "grids").mkdir()
    file = save_grid(noise, run / "grids" / "noise.png")
    for row in few:
        if row["type"] == "grid":
            (run / row["file"]).hardlink_to(file)
    assert write_report(run).stat().st_size < 3_000_000


def test_a_broken_picture_is_left_out(make_run: Make, few: list[dict[str, Any]]) -> None:
    run = make_run(rows=few)
    for file in sorted((run / "grids").iterdir()):
        file.write_bytes(file.read_bytes()[:100])
    assert "There is no picture of samples" in page_of(run)


@pytest.mark.parametrize(("n", "count"), [(0, 0), (1, 1), (6, 6), (7, 6), (200, 6)])
def test_moments_hold_the_first_and_the_last(n: int, count: int) -> None:
    grids = [({"samples": 64 * i}, Path(str(i))) for i in range(n)]
    chosen = [row["samples"] for row, _ in moments(grids)]
    assert len(chosen) == count
    assert chosen == sorted(set(chosen))
    assert chosen[:1] + chosen[-1:] == [row["samples"] for row, _ in grids[:1] + grids[-1:]]


def test_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match="is not a run"):
        write_report(tmp_path)


def test_the_record_is_only_read(make_run: Make, few: list[dict[str, Any]]) -> None:
    run = make_run(rows=few)
    before = {p: p.read_bytes() for p in run.rglob("*") if p.is_file()}
    write_report(run)
    after = {p: p.read_bytes() for p in run.rglob("*") if p.is_file() and p.name != "report.html"}
    assert before == after
    assert json.loads(before[run / "run.json"])["schema"] == 1


@pytest.mark.parametrize(
    ("recorded", "drawn"), [([1.25, None], [1.25, None]), ([1.25, "x"], [1.25, None]), (None, []), ("text", []), ({"d": 1}, [])]
)
def test_the_losses_at_equilibrium_are_those_that_the_run_recorded(
    make_run: Make, manifest: dict[str, Any], monkeypatch: pytest.MonkeyPatch, recorded: Any, drawn: list[float | None]
) -> None:
    found: list[Any] = []
    losses = page.figures.losses
    monkeypatch.setattr(page.figures, "losses", lambda rows, equilibrium: (found.append(list(equilibrium)), losses(rows, equilibrium))[1])
    write_report(make_run(manifest={**manifest, "equilibrium": recorded}))
    assert found == [drawn]


def checked(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows with checks whose distance falls from 1/2 to 0."""
    more = [
        {
            "type": "check",
            "round": i,
            "samples": 6400 * i,
            "seconds": float(i),
            "data": "points",
            "finite": True,
            "fresh": 0.3 / i,
            "floor_fresh": 0.0,
        }
        | {"average_coverage": 0.9 - 0.5 / i, "floor_coverage": 0.9, "average_missing": 0.5 / i, "floor_missing": 0.0, "auc": 0.6}
        for i in range(1, 9)
    ]
    return [*rows[:-1], *more, rows[-1]]


def test_the_checks_are_a_curve_and_a_band(make_run: Make, rows: list[dict[str, Any]]) -> None:
    page = page_of(make_run(rows=checked(rows)))
    Balanced(page)
    assert "Distance to held-out real samples" in page
    assert page.count('<rect x="') >= 8
    assert re.search(r'aria-label="[A-Z][a-z ]+ from 6,400 samples', page)


def test_moments_are_chosen_with_a_radio_group(make_run: Make) -> None:
    page = page_of(make_run())
    assert page.count('type="radio" name="moment"') == 6
    assert page.count(" checked>") == 1
    assert page.count('<label for="moment-') == 6
    assert page.count("data:image/gif") == 1
    assert "<script" not in page
