"""zerosum trains generative adversarial networks and says, in words and with evidence, how the training is going.

    import zerosum as zs
    run = zs.train("mnist", minutes=5)
    x = run.sample(64)

Importing zerosum is quick: torch is loaded when a name is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from zerosum.openmp import bound_spinning
from zerosum.version import __version__

if TYPE_CHECKING:
    from zerosum.api import evaluate, inspect, load, open_data, resume, train
    from zerosum.errors import Refusal


__all__ = ["Refusal", "__version__", "evaluate", "inspect", "load", "open_data", "resume", "train"]

_HOMES = {**dict.fromkeys(("evaluate", "inspect", "load", "open_data", "resume", "train"), "zerosum.api"), "Refusal": "zerosum.errors"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'zerosum' has no attribute {name!r}")
    bound_spinning()
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
