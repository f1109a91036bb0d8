"""Every option as the page's controls need it: type, choices, range and help, read from the config's own dataclasses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from zerosum.data.density import DENSITIES
from zerosum.data.source import DATA
from zerosum.options import options_of
from zerosum.play.config import Config
from zerosum.web.scenarios import SCENARIOS
from zerosum.web.setup import SIZES


def about_options(helps: Mapping[str, str]) -> dict[str, Any]:
    """options: by dotted name. data: names by kind. scenarios: titles and texts. helps: what each option is, in a sentence."""
    options = {}
    for name, option in options_of(Config).items():
        options[name] = {
            "kind": option.kind.__name__,
            "choices": list(option.names),
            "least": None if option.range.least == float("-inf") else option.range.least,
            "most": SIZES.get(name, None if option.range.most == float("inf") else option.range.most),
            "optional": option.optional,
            "help": helps.get(name, ""),
        }
    dims = {name: make().dim for name, make in DENSITIES.items()}
    return {
        "options": options,
        "data": {
            "line": [name for name, dim in dims.items() if dim == 1],
            "plane": [name for name, dim in dims.items() if dim == 2],
            "images": [name for name in DATA if name not in DENSITIES],
        },
        "scenarios": {name: {"title": row.title, "text": row.text, "cure": row.cure_title} for name, row in SCENARIOS.items()},
    }
