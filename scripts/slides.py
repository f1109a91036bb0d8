"""Makes a PDF deck from the pages of the course: one slide for each figure, with its heading, caption and chapter.

`python scripts/slides.py build/course.pdf`, or `make slides`.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGES = ROOT / "docs" / "course"
SIZE = (13.333, 7.5)  # inches, 16:9


@dataclass(frozen=True)
class Slide:
    """One figure of a page."""

    chapter: str
    heading: str
    caption: str
    picture: Path


def slides() -> list[Slide]:
    """Every figure of the course, in order."""
    found = []
    for page in sorted(PAGES.glob("[0-9]-*.md")):
        chapter = heading = ""
        code = False
        for line in page.read_text().splitlines():
            # A line of code may begin with a # too.
            code ^= line.startswith("```")
            if code:
                continue
            if line.startswith("# "):
                chapter = heading = line.removeprefix("# ")
            elif line.startswith("## "):
                heading = line.removeprefix("## ")
            elif shown := re.fullmatch(r"!\[(.*)\]\((\S+)\)", line):
                found.append(Slide(chapter, heading, shown[1], page.parent / shown[2]))
    return found


def write(where: Path) -> int:
    """Write the deck and return its number of pages."""
    from matplotlib.backends.backend_pdf import PdfPages
    from matplotlib.figure import Figure
    from matplotlib.image import imread

    from zerosum.report.style import FAINT, quiet

    deck = slides()
    where.parent.mkdir(parents=True, exist_ok=True)
    with quiet(), PdfPages(where, metadata={"Title": "Generative adversarial networks, measured", "CreationDate": None}) as pdf:
        cover = Figure(figsize=SIZE)
        cover.text(0.08, 0.55, "Generative adversarial networks, measured", fontsize=34)
        cover.text(0.08, 0.45, "The figures of the zerosum course. Curves and samples are from real trainings.", fontsize=17, color=FAINT)
        pdf.savefig(cover)
        for number, slide in enumerate(deck, 2):
            page = Figure(figsize=SIZE)
            page.text(0.04, 0.93, slide.heading, fontsize=26, va="center")
            axes = page.add_axes((0.04, 0.13, 0.92, 0.74))
            axes.imshow(imread(slide.picture), interpolation="lanczos")
            axes.axis("off")
            page.text(0.04, 0.065, slide.caption, fontsize=14, va="center", wrap=True)
            page.text(0.96, 0.02, f"{slide.chapter}   {number}", fontsize=9, color=FAINT, ha="right")
            pdf.savefig(page, dpi=200)
    return len(deck) + 1


def main(argv: list[str]) -> int:
    where = Path(argv[0]) if argv else ROOT / "build" / "course.pdf"
    print(f"{where}: {write(where)} pages")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
