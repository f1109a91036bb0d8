"""What to do about a diagnosis: options by name, from their present value to another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from zerosum.verdict.diagnoses import Diagnosis, Suggestion

MOST_SUGGESTIONS = 3  # suggestions; a longer list helps nobody decide


def advice(diagnosis: Diagnosis, config: Mapping[str, Any] | None) -> str:
    """Say what to change; "" where there is nothing to suggest. config: options as in run.json; without it no present values are named."""
    if not diagnosis.suggestions:
        return ""
    said = [words for suggestion in diagnosis.suggestions if (words := _words(suggestion, config)) is not None][:MOST_SUGGESTIONS]
    return f"Try, one at a time: {'; '.join(said)}." if said else ""


def option_value(config: Mapping[str, Any], name: str) -> Any:
    """The value of an option by its flag's name, such as "game.gamma"; None where the config has no such option."""
    value: Any = config
    for part in name.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def _words(suggestion: Suggestion, config: Mapping[str, Any] | None) -> str | None:
    """One suggestion in words; None where the option has that value already or does not apply."""
    option, factor = suggestion.option, suggestion.factor
    flag = f"--{option.replace('_', '-')}"
    if config is not None and not _applies(option, config):
        return None
    if factor is None and suggestion.value is None:
        return f"{flag}: {suggestion.why}"
    now = None if config is None else option_value(config, option)
    if factor is not None and isinstance(now, (int, float)) and not isinstance(now, bool) and now > 0:
        changed = now * factor
        if factor > 1 and isinstance(suggestion.value, (int, float)):
            changed = max(changed, suggestion.value)
        new: object = max(1, round(changed)) if isinstance(now, int) else float(f"{changed:.2g}")
    else:
        new = suggestion.value
    if now is not None:
        return None if new is None or new == now else f"{flag} {_shown(new)} instead of {_shown(now)} ({suggestion.why})"
    if new is not None:
        return f"{flag} {_shown(new)} ({suggestion.why})"
    return f"{'a larger' if (factor or 0) > 1 else 'a smaller'} {flag} ({suggestion.why})"


def _applies(option: str, config: Mapping[str, Any]) -> bool:
    """Whether an option has an effect in this config: gamma needs a penalty, and points can be neither mirrored nor augmented.

    A longer run is suggested where learning rates decay.
    """
    if option == "minutes":
        return any(option_value(config, f"{player}.lr_end") is not None for player in "dg")
    if option == "game.gamma":
        return bool(option_value(config, "game.penalty") != "none")
    return not (option in ("data.flip", "game.augment") and option_value(config, "net.kind") == "mlp")


def _shown(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
