"""Pictures inside a page: figures as inline SVG that follows the page's colours, grids as data URIs of a bounded size."""

from __future__ import annotations

import base64
import re
from html import escape
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image, UnidentifiedImageError

from zerosum.report.style import BLUE, FAINT, GREEN, INK, RULE, quiet

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_COLOURS = {INK: "var(--ink)", FAINT: "var(--faint)", RULE: "var(--rule)", BLUE: "var(--d)", GREEN: "var(--g)"}


def inline_svg(drawing: Figure, label: str, prefix: str) -> str:
    """The figure as an <svg> element with no reference to anything outside of it.

    label: what a screen reader says. prefix: letters, unique in the page, put before every id, since ids are shared by the whole page.
    """
    buffer = BytesIO()
    with quiet():
        drawing.savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
    svg = buffer.getvalue().decode()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    # Inside of HTML the namespaces are known, and plain href serves for xlink:href.
    svg = re.sub(r'\s+xmlns(:xlink)?="[^"]*"', "", svg).replace("xlink:href", "href")
    svg = re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{prefix}-", svg)
    spoken = escape(label, quote=True)
    svg = re.sub(r'<svg [^>]*?(viewBox="[^"]*")[^>]*>', lambda m: f'<svg {m[1]} role="img" aria-label="{spoken}">', svg, count=1)
    for colour, variable in _COLOURS.items():
        svg = svg.replace(colour, variable)
    return svg.strip()


def data_uri(file: Path, most: int) -> str | None:
    """A PNG as a data URI whose picture takes at most about `most` bytes; None when it cannot be read as a PNG.

    A larger one is converted to JPEG and halved in size until it fits.
    """
    try:
        with Image.open(file, formats=["PNG"]) as opened:
            if file.stat().st_size <= most:
                opened.verify()
                return _uri("png", file.read_bytes())
            picture = opened.convert("RGB")
    except (OSError, SyntaxError, UnidentifiedImageError, Image.DecompressionBombError):
        return None
    while len(content := _jpeg(picture)) > most and min(picture.size) > 1:
        picture = picture.reduce(2)
    return _uri("jpeg", content)


def _jpeg(picture: Image.Image) -> bytes:
    buffer = BytesIO()
    picture.save(buffer, format="JPEG", quality=88, subsampling=0)
    return buffer.getvalue()


def _uri(kind: str, content: bytes) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"
