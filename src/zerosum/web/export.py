"""A session as one HTML file: moments of the game with slider, layers and curves, that open without a server and without a request.

The scripts are the page's own, put one after another. Arrays are 16 bits a number, all moments are deflated together, and there are as many
moments as MOST bytes allow.
"""

from __future__ import annotations

import base64
import hashlib
import re
import zlib
from collections.abc import Mapping
from html import escape
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zerosum.errors import Refusal
from zerosum.play.statistics import STATISTICS
from zerosum.web.frames import encoded, joined
from zerosum.web.game import Game
from zerosum.web.machine import Machine
from zerosum.web.pages import static_text
from zerosum.web.views import view

MOMENTS, MOST = 160, 2_700_000
SAMPLES = 500
SCRIPTS = ("dom.js", "frame.js", "tiles.js", "paint.js", "charts.js", "offline.js")


def export(game: Game, machine: Machine, moments: int = MOMENTS, most: int = MOST) -> str:
    """The file's text. machine: a mirror of the game, that is moved through time. Raises Refusal where the game has not been played."""
    head = game.time.head
    if not head:
        raise Refusal("Nothing was played yet: play some steps before the export.")
    steps = sorted({round(head * i / (moments - 1)) for i in range(moments)})
    shots = [_moment(game, machine, t) for t in steps]
    page = _page(game, shots)
    while len(page) > most and len(shots) > 2:
        shots = shots[::2] + ([shots[-1]] if len(shots) % 2 == 0 else [])
        page = _page(game, shots)
    return page


def _moment(game: Game, machine: Machine, t: int) -> bytes:
    game.time.restore(machine, t)
    numbers, arrays = view(machine, game.scene)
    words = game.line.words
    words.see(numbers)
    statistics = game.time.statistics(t)
    last = dict(zip(STATISTICS, map(float, statistics[-1]), strict=True)) if len(statistics) else {}
    small = {name: array[:SAMPLES] if name == "samples" else array for name, array in arrays.items()}
    return encoded({"game": "a", "statistics": last, "words": words.said(t), **numbers, **_levels(small)}, _short(small))


def _levels(arrays: Mapping[str, NDArray[Any]]) -> dict[str, Any]:
    return {"levels": {name: _level(array) for name, array in arrays.items() if array.dtype == np.float32}}


def _level(array: NDArray[Any]) -> list[float]:
    """The lowest number and the step between two of 16 bits."""
    low, high = float(np.nanmin(array)), float(np.nanmax(array))
    return [low, (high - low) / 65535 or 1.0]


def _short(arrays: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    found = {}
    for name, array in arrays.items():
        if array.dtype == np.float32:
            low, step = _level(array)
            array = np.rint((np.nan_to_num(array, nan=low) - low) / step).astype(np.uint16)
        found[name] = array
    return found


def _page(game: Game, shots: list[bytes]) -> str:
    numbers, arrays = game.scene.view()
    scene = encoded({**numbers, **_levels(arrays), "curves": game.curves()}, _short(arrays))
    packed = base64.b64encode(zlib.compress(joined([scene, *shots]), 9)).decode()
    styles = [static_text("vendor/uPlot.min.css"), static_text("page.css")]
    scripts = [static_text("vendor/uPlot.iife.min.js"), _bundle()]
    policy = (
        f"default-src 'none'; script-src {' '.join(map(_hash, scripts))}; style-src {' '.join(map(_hash, styles))}; img-src data: blob:; "
        "base-uri 'none'; form-action 'none'"
    )
    described = game.describe()
    recipe = escape(described["command"] if not described["command"].startswith("#") else described["python"])
    return (
        static_text("offline.html")
        .replace("{{policy}}", escape(policy, quote=True))
        .replace("{{styles}}", "\n".join(f"<style>{text}</style>" for text in styles))
        .replace("{{data}}", escape(game.setup.data[:60]))
        .replace("{{recipe}}", recipe)
        .replace("{{session}}", packed)
        .replace("{{scripts}}", "\n".join(f"<script>{text}</script>" for text in scripts))
    )


def _bundle() -> str:
    """The page's modules as one script: imports of one another are dropped, since all names are there already."""
    texts = [re.sub(r"^import .*?;\n", "", static_text(name), flags=re.MULTILINE) for name in SCRIPTS]
    return "(() => {\n" + re.sub(r"^export (?=(async )?(function|class|const|let))", "", "\n".join(texts), flags=re.MULTILINE) + "\n})();\n"


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
