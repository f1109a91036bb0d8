"""Text as wide as the terminal, and no word broken."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zerosum.report.text_table import PIPE, columns, paragraph, text_table

HEADS = ("measure", "value", "what it is")
ROWS = [("frechet", "1.25", "a distance between the features of generated and real samples"), ("recall", "0.5", "a share")]


def words(text: str) -> list[str]:
    return text.split()


def test_a_table_that_fits_is_aligned() -> None:
    lines = text_table(HEADS, ROWS, right=("value",), width=200).splitlines()
    assert lines[0] == "measure  value  what it is"
    assert lines[2] == "recall     0.5  a share"
    assert len(lines) == 3


def test_a_wide_column_wraps_between_words() -> None:
    text = text_table(HEADS, ROWS, width=50)
    assert max(map(len, text.splitlines())) <= 50
    assert text.splitlines()[0].startswith("measure  value")
    assert sorted(words(text)) == sorted(words(" ".join(HEADS + ROWS[0] + ROWS[1])))


def test_below_some_width_a_row_is_lines_of_its_own() -> None:
    assert text_table(HEADS, ROWS, width=30).splitlines() == [
        "frechet",
        "  value: 1.25",
        "  what it is: a distance",
        "    between the features of",
        "    generated and real samples",
        "",
        "recall",
        "  value: 0.5",
        "  what it is: a share",
    ]


@settings(max_examples=60, deadline=None)
@given(st.integers(20, 120), st.lists(st.tuples(*[st.text("ab c", min_size=1, max_size=60)] * 3), min_size=1, max_size=4))
def test_no_word_is_broken_at_any_width(width: int, rows: list[tuple[str, str, str]]) -> None:
    text = text_table(HEADS, rows, width=width)
    found = set(words(text.replace(":", " ")))
    assert {word for row in rows for cell in row for word in words(cell)} <= found
    longest = max(len(word) for row in rows for cell in row for word in [*words(cell), ""])
    assert max(map(len, text.splitlines())) <= max(width, longest + 12)


def test_columns_is_respected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "44")
    assert columns() == 44
    assert max(map(len, paragraph("word " * 40).splitlines())) <= 44
    monkeypatch.setenv("COLUMNS", "3")
    assert columns() == 20
    monkeypatch.delenv("COLUMNS")
    assert columns() in (PIPE, columns())


def test_a_long_path_stays_whole() -> None:
    path = "/a/long-path" * 9
    assert path in paragraph(f"see {path} for more", width=40).splitlines()
