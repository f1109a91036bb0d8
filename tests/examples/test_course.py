"""The course: pages and notebooks are the programs', quoted lines are where they are said to be, links lead somewhere, slides are made."""

from __future__ import annotations

import importlib.util
import json
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]


def script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"course_{name}", ROOT / "scripts" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # A dataclass looks its module up by name.
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


COURSE, SLIDES = script("course"), script("slides")
PROGRAMS = COURSE.programs()
CHAPTERS = {program.stem: COURSE.cells(program.read_text()) for program in PROGRAMS}


def test_there_are_eight_chapters() -> None:
    assert [stem[:2] for stem in CHAPTERS] == [f"{i}-" for i in range(1, 9)]


@pytest.mark.parametrize("stem", CHAPTERS)
def test_page_and_notebook_are_the_programs(stem: str) -> None:
    page = (COURSE.PAGES / f"{stem}.md").read_text()
    at = 0
    for cell in CHAPTERS[stem]:
        at = page.index(cell.text, at)
    made = json.loads((COURSE.PROGRAMS / f"{stem}.ipynb").read_text())["cells"]
    install = [c for c in made if c["id"] == "install"]
    assert len(install) == 1
    assert "pip" in "".join(install[0]["source"])
    rest = [("".join(c["source"]), c["cell_type"] == "code") for c in made if c["id"] != "install"]
    assert rest == [(c.text, c.code) for c in CHAPTERS[stem]]
    compile("".join(install[0]["source"]), "install", "exec")


@pytest.mark.parametrize("stem", CHAPTERS)
def test_every_chapter_has_a_figure_numbers_and_three_exercises(stem: str) -> None:
    page = (COURSE.PAGES / f"{stem}.md").read_text()
    pictures = re.findall(r"!\[(.+)\]\(images/([^)]+)\)", page)
    assert pictures
    assert all((COURSE.PICTURES / name).is_file() for _, name in pictures)
    assert page.count("<details><summary>Answer</summary>") == page.count("</details>") == 3
    assert "`zerosum lab`" in page
    assert re.search(r"^```text\n.+", page, re.MULTILINE), "no measured number"


def test_every_quoted_line_is_in_the_file_that_it_names() -> None:
    text = "\n".join(cell.text for cells in CHAPTERS.values() for cell in cells if not cell.code)
    quotes = list(re.finditer(r"```python\n# (\S+)\n(.*?)\n```", text, re.DOTALL))
    assert len(quotes) >= 4
    for quote in quotes:
        assert f"\n{quote[2]}\n" in (ROOT / quote[1]).read_text(), quote[0]


def anchors(page: Path) -> set[str]:
    """Anchors of a page's headings, as GitHub makes them."""
    found, code = set(), False
    for line in page.read_text().splitlines():
        code ^= line.startswith("```")
        if not code and (head := re.fullmatch(r"#+ (.*)", line)):
            found.add(re.sub(r"[^\w\- ]", "", head[1].lower()).replace(" ", "-"))
    return found


@pytest.mark.parametrize("page", sorted([*(ROOT / "docs" / "course").glob("*.md"), ROOT / "docs" / "theory.md"]), ids=lambda p: p.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    code = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)
    links = [link for link in re.findall(r"\]\(([^)\s]+)\)", code) if not link.startswith("http")]
    assert links
    for link in links:
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        if anchor:
            assert anchor in anchors(target), link


def test_every_statement_has_its_place() -> None:
    """docs/theory.md lists the statements of the texts; each row links to where it is taught."""
    rows = re.findall(r"^\| (\d+) \| (.+) \| (.+) \|$", (ROOT / "docs" / "theory.md").read_text(), re.MULTILINE)
    assert [int(number) for number, _, _ in rows] == list(range(1, len(rows) + 1))
    assert len(rows) >= 86
    assert all(re.search(r"\]\(course/[\w-]+\.md(#[\w-]+)?\)", place) for _, _, place in rows)


def test_a_cell_keeps_what_it_prints_and_draws() -> None:
    program = (
        '# %% [markdown]\n# # A\n#\n# b\n\n# %%\nx = 1\nprint("said", x)\n\n# %% include examples/mnist_gan.py\n\n'
        '# %%\nclass P:\n    caption = "what it shows"\n    def _repr_png_(self): return b"png"\nP()\n'
    )
    of = COURSE.cells(program)
    assert [(c.code, c.text.splitlines()[0]) for c in of[:2]] == [(False, "# A"), (True, "x = 1")]
    assert "def train(" in of[2].text
    assert "__main__" not in of[2].text
    names: dict[str, object] = {}
    ran = [COURSE.run(cell, names) for cell in of]
    assert [(r.printed, r.picture) for r in ran] == [("", None), ("said 1\n", None), ("", None), ("", b"png")]
    text, pictures = COURSE.page("9-a", of, ran)
    assert "```text\nsaid 1\n```" in text
    assert "![what it shows](images/9-a-1.png)" in text
    assert pictures == {"9-a-1.png": b"png"}
    cells = json.loads(COURSE.notebook(of, ran))["cells"]
    assert [c["id"] for c in cells] == ["cell-0", "install", "cell-1", "cell-2", "cell-3"]
    assert cells[2]["outputs"][0]["text"] == ["said 1\n"]
    assert cells[4]["outputs"][0]["data"]["image/png"] == "cG5n"
    # --text: the same results, from the notebook alone.
    assert COURSE.stored(of, COURSE.notebook(of, ran)) == ran
    with pytest.raises(ValueError, match="the code has changed"):
        COURSE.stored(of[:-1], COURSE.notebook(of, ran))


def test_the_deck_has_a_page_for_each_figure(tmp_path: Path) -> None:
    deck = SLIDES.slides()
    shown = sum(page.read_text().count("](images/") for page in COURSE.PAGES.glob("[0-9]-*.md"))
    assert len(deck) == shown >= 10
    assert all(slide.caption and slide.heading and slide.chapter and slide.picture.is_file() for slide in deck)


@pytest.mark.slow
def test_the_deck_is_written(tmp_path: Path) -> None:
    where = tmp_path / "course.pdf"
    assert SLIDES.write(where) == len(SLIDES.slides()) + 1
    assert where.read_bytes().startswith(b"%PDF")


@pytest.mark.slow
@pytest.mark.parametrize("stem", CHAPTERS)
def test_every_notebook_runs_from_top_to_bottom(stem: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The cells of the notebook itself, with short trainings where a cell trains for minutes."""
    monkeypatch.setenv("COURSE_MINUTES", "0.05")
    monkeypatch.setenv("COURSE_SAMPLES", "640")
    cells = json.loads((COURSE.PROGRAMS / f"{stem}.ipynb").read_text())["cells"]
    names: dict[str, object] = {}
    ran = [COURSE.run(COURSE.Cell("".join(c["source"]), True), names, stem) for c in cells if c["cell_type"] == "code"]
    assert any(r.picture for r in ran)
    assert any(r.printed for r in ran)
