"""What to do about a state: knobs by name, from their present value to another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from zerosum.verdict.diagnoses import State, Turn

MOST = 3  # things to try; more is no advice


def advice(state: State, config: Mapping[str, Any] | None) -> str:
    """Sentences on what to change. config: the knobs as in run.json; without it knobs are named, not values."""
    if not state.trouble:
        return ""
    said = [words for turn in state.turns if (words := _words(turn, config)) is not None][:MOST]
    return f"Try, one at a time: {'; '.join(said)}." if said else ""


def knob(config: Mapping[str, Any], name: str) -> Any:
    """A knob's value by its flag's name; None where the config has none such."""
    value: Any = config
    for part in name.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def _words(turn: Turn, config: Mapping[str, Any] | None) -> str | None:
    """One thing to try; None where the knob stands there already."""
    flag = f"--{turn.knob.replace('_', '-')}"
    if turn.by is None and turn.to is None:
        return f"{flag}: {turn.why}"
    now = None if config is None else knob(config, turn.knob)
    if turn.knob == "game.gamma" and config is not None and knob(config, "game.penalty") == "none":
        return None  # The weight of a penalty that is not there.
    if turn.knob == "data.flip" and config is not None and knob(config, "net.kind") == "mlp":
        return None  # Points have no mirror image.
    if turn.by is not None and isinstance(now, (int, float)) and not isinstance(now, bool) and now > 0:
        then = now * turn.by
        if turn.by > 1 and isinstance(turn.to, (int, float)):
            then = max(then, turn.to)
        aim: object = max(1, round(then)) if isinstance(now, int) else float(f"{then:.2g}")
    else:
        aim = turn.to
    if now is not None:
        return None if aim is None or aim == now else f"{flag} {_shown(aim)} instead of {_shown(now)} ({turn.why})"
    if aim is not None:
        return f"{flag} {_shown(aim)} ({turn.why})"
    return f"{'a larger' if (turn.by or 0) > 1 else 'a smaller'} {flag} ({turn.why})"


def _shown(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
