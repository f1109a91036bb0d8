"""The lesson: page and notebook are the program's, every line that it quotes stands in the file that it names, and it runs."""

from __future__ import annotations

import json
import re
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]


def maker() -> ModuleType:
    spec = spec_from_file_location("lesson_maker", ROOT / "scripts" / "lesson.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    # A dataclass looks its module up by name.
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


LESSON = maker()
CELLS = LESSON.cells(LESSON.PROGRAM.read_text())


def test_the_page_and_the_notebook_are_the_programs() -> None:
    page = LESSON.PAGE.read_text()
    at = 0
    for cell in CELLS:
        at = page.index(cell.text, at)
    made = json.loads(LESSON.NOTEBOOK.read_text())["cells"]
    assert [("".join(c["source"]), c["cell_type"] == "code") for c in made] == [(c.text, c.code) for c in CELLS]
    pictures = re.findall(r"\(images/([^)]+)\)", page)
    assert pictures
    assert all((LESSON.PICTURES / name).is_file() for name in pictures)


def test_every_quoted_line_stands_where_it_is_said_to() -> None:
    quotes = [m for cell in CELLS if not cell.code for m in re.finditer(r"```python\n# (\S+)\n(.*?)\n```", cell.text, re.DOTALL)]
    assert len(quotes) >= 6
    for quote in quotes:
        assert f"\n{quote[2]}\n" in (ROOT / quote[1]).read_text(), quote[0]


def test_a_cell_keeps_what_it_prints_and_draws() -> None:
    program = (
        '# %% [markdown]\n# # A\n#\n# b\n\n# %%\nx = 1\nprint("said", x)\n\n# %%\nclass P:\n    def _repr_png_(self): return b"png"\nP()\n'
    )
    of = LESSON.cells(program)
    assert [(c.code, c.text.splitlines()[0]) for c in of] == [(False, "# A"), (True, "x = 1"), (True, "class P:")]
    names: dict[str, object] = {}
    ran = [LESSON.run(cell, names) for cell in of]
    assert [(r.printed, r.picture) for r in ran] == [("", None), ("said 1\n", None), ("", b"png")]
    text, pictures = LESSON.page(of, ran)
    assert "```text\nsaid 1\n```" in text
    assert pictures == {"theory-1.png": b"png"}
    outputs = [c.get("outputs") for c in json.loads(LESSON.notebook(of, ran))["cells"]]
    assert outputs[0] is None
    assert outputs[1][0]["text"] == ["said 1\n"]
    assert outputs[2][0]["data"]["image/png"] == "cG5n"


@pytest.mark.slow
def test_the_lesson_runs_from_top_to_bottom() -> None:
    names: dict[str, object] = {}
    ran = [LESSON.run(cell, names) for cell in CELLS]
    assert sum(r.picture is not None for r in ran) == 2
    assert all(r.printed or not cell.code or i == 1 for i, (r, cell) in enumerate(zip(ran, CELLS, strict=True)))
