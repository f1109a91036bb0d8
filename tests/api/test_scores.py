"""What `evaluate` returns prints as a table that says which direction is better and what real data score."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser

import pytest

from zerosum.api.scores import HEADS, Scores, table
from zerosum.measure import QUANTITIES
from zerosum.measure.score import Score

KID = Score("kid", 0.5, 0.4, 0.6, 0.1, 20, 30, "given", "inception:0123456789ab tf1-bilinear 299, 8 bit, png/jpeg", "lower")
EVERY = [replace(KID, name=name, better=quantity.better) for name, quantity in QUANTITIES.items()]
MISSING = replace(KID, name="jsd", value=None, low=None, high=None, floor=None, note="Too few <samples>.")


def test_the_table_has_the_reference_score_and_the_direction_of_every_measure() -> None:
    lines = table(EVERY, width=150).splitlines()
    assert [head for head in HEADS if head in lines[0]] == list(HEADS)
    assert "reference score" in lines[0]
    for score, line in zip(EVERY, lines[1:], strict=False):
        assert line.split()[:2] == [score.name, "0.5"]
        assert {"lower": "lower", "higher": "higher", "floor": "closest"}[score.better] in line
    text = " ".join(" ".join(lines).split())
    for score in EVERY:
        assert QUANTITIES[score.name].meaning in text


def test_the_table_says_how_features_were_taken_and_why_measures_are_missing() -> None:
    lines = table([KID, MISSING, replace(MISSING, name="frechet")], "; as asked", width=150).splitlines()
    assert lines[1].split()[-1] == "20/30"
    assert f"features: {KID.features} (generated/real); as asked" in lines
    assert lines[-1] == "jsd, frechet: Too few <samples>."


def test_measures_in_different_features_are_told_apart() -> None:
    lines = table([KID, replace(KID, name="jsd", features="raw"), replace(KID, name="modes", features="raw")], width=150).splitlines()
    assert lines[-2:] == [f"features of kid: {KID.features} (generated/real)", "features of jsd, modes: raw"]


def test_eighty_columns_are_enough_for_a_line_a_measure() -> None:
    lines = table(EVERY, width=80).splitlines()
    assert lines[0].startswith("measure ")
    assert sum(line.split(" ")[0] in QUANTITIES for line in lines) == len(EVERY)
    assert max(map(len, lines)) <= 80


@pytest.mark.parametrize("width", [30, 60, 80, 100])
def test_the_table_fits_a_narrow_terminal(width: int) -> None:
    scores = [replace(s, features="raw") for s in EVERY]
    text = table(scores, width=width)
    assert max(map(len, text.splitlines())) <= width
    assert "reference" in text


def test_scores_are_a_list_that_prints_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "150")
    scores = Scores([KID, MISSING])
    assert scores[0] is KID
    assert isinstance(scores, list)
    assert repr(scores) == table([KID, MISSING])
    assert repr(Scores()) == "no scores"


def test_scores_show_themselves_in_a_notebook() -> None:
    page = Scores([*EVERY, MISSING])._repr_html_()
    assert page.count("<tr>") == 1 + len(EVERY)
    assert "closest" in page
    assert "Too few &lt;samples&gt;." in page
    HTMLParser().feed(page)
