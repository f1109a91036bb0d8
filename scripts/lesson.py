"""Makes docs/theory.md, its pictures and examples/lesson.ipynb from examples/lesson.py: `python scripts/lesson.py`, or `make lesson`.

The program is in the percent format: cells that begin with `# %%`, those of text with `# %% [markdown]`. What a cell prints and the picture
that it ends with are put under it.
"""

from __future__ import annotations

import ast
import base64
import io
import json
import re
import sys
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PROGRAM = ROOT / "examples" / "lesson.py"
NOTEBOOK = ROOT / "examples" / "lesson.ipynb"
PAGE = ROOT / "docs" / "theory.md"
PICTURES = ROOT / "docs" / "images"


@dataclass(frozen=True)
class Cell:
    """text: Markdown, or Python where `code`."""

    text: str
    code: bool


@dataclass(frozen=True)
class Ran:
    """What came of a cell: what it printed, and its picture as a PNG."""

    printed: str = ""
    picture: bytes | None = None


def cells(program: str) -> list[Cell]:
    """The cells of a program in the percent format."""
    found = []
    for part in re.split(r"^# %%", program, flags=re.MULTILINE)[1:]:
        head, _, body = part.partition("\n")
        code = "[markdown]" not in head
        text = body if code else re.sub(r"^# ?", "", body, flags=re.MULTILINE)
        found.append(Cell(text.strip("\n"), code))
    return found


def run(cell: Cell, names: dict[str, Any]) -> Ran:
    """Executes a cell among `names`, which it may add to; text does nothing."""
    if not cell.code:
        return Ran()
    body = ast.parse(cell.text).body
    last = body.pop() if body and isinstance(body[-1], ast.Expr) else None
    said = io.StringIO()
    with redirect_stdout(said):
        exec(compile(ast.Module(body, []), str(PROGRAM), "exec"), names)  # noqa: S102
        value = eval(compile(ast.Expression(last.value), str(PROGRAM), "eval"), names) if last else None  # noqa: S307
    return Ran(said.getvalue(), value._repr_png_() if hasattr(value, "_repr_png_") else None)


def page(of: list[Cell], ran: list[Ran]) -> tuple[str, dict[str, bytes]]:
    """The page as Markdown, and its pictures by file name."""
    parts = ["<!-- Made by scripts/lesson.py from examples/lesson.py: change that, and run `make lesson`. -->"]
    pictures: dict[str, bytes] = {}
    for cell, came in zip(of, ran, strict=True):
        parts.append(f"```python\n{cell.text}\n```" if cell.code else cell.text)
        if came.printed:
            parts.append(f"```text\n{came.printed.rstrip()}\n```")
        if came.picture:
            name = f"theory-{len(pictures) + 1}.png"
            pictures[name] = came.picture
            parts.append(f"![What the cell above draws](images/{name})")
    return "\n\n".join(parts) + "\n", pictures


def notebook(of: list[Cell], ran: list[Ran]) -> str:
    """The notebook, format 4.5, with its outputs."""
    made = []
    for i, (cell, came) in enumerate(zip(of, ran, strict=True)):
        lines = cell.text.splitlines(keepends=True)
        base = {"id": f"cell-{i}", "metadata": {}, "source": lines}
        if not cell.code:
            made.append({"cell_type": "markdown", **base})
            continue
        outputs: list[dict[str, Any]] = []
        if came.printed:
            outputs.append({"output_type": "stream", "name": "stdout", "text": came.printed.splitlines(keepends=True)})
        if came.picture:
            data = {"image/png": base64.b64encode(came.picture).decode(), "text/plain": ["<Picture>"]}
            outputs.append({"output_type": "execute_result", "execution_count": None, "metadata": {}, "data": data})
        made.append({"cell_type": "code", "execution_count": None, "outputs": outputs, **base})
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    whole = {"cells": made, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(whole, indent=1, ensure_ascii=False) + "\n"


def main() -> int:
    of = cells(PROGRAM.read_text())
    names: dict[str, Any] = {}
    ran = []
    for i, cell in enumerate(of):
        ran.append(run(cell, names))
        print(f"cell {i + 1} of {len(of)}", file=sys.stderr)
    text, pictures = page(of, ran)
    PAGE.write_text(text)
    NOTEBOOK.write_text(notebook(of, ran))
    for name, content in pictures.items():
        (PICTURES / name).write_bytes(content)
    return 0


if __name__ == "__main__":
    sys.exit(main())
