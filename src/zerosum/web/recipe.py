"""A game as a command line and as Python, either of which gives the same run, bit for bit."""

from __future__ import annotations

from typing import Any

from zerosum.web.machine import BOTH, Machine
from zerosum.web.setup import Setup, command_line, differing, from_json, python
from zerosum.web.timeline import Timeline


def _replayed(setup: Setup, time: Timeline) -> bool:
    """Whether only the lab can play the game: it began in a special way, or was changed on the way."""
    return not setup.plain or len(time.parts) > 1 or bool(time.only)


def _first(setup: Setup, time: Timeline) -> Setup:
    return setup.with_config(time.parts[0].config)


def command(setup: Setup, time: Timeline) -> str:
    """The command line, or a sentence that says why there is none."""
    if not setup.plain:
        return "# This game begins in a way that only the lab has: copy it as Python."
    if _replayed(setup, time):
        beginning = command_line(_first(setup, time))
        return f"# The options were changed while the game was played: copy it as Python.\n# Its beginning: {beginning}"
    return command_line(_first(setup, time))


def code(setup: Setup, time: Timeline) -> str:
    """The game as Python: `zerosum.train` where that can play it, else `replay` of this file."""
    if not _replayed(setup, time):
        return python(_first(setup, time))
    first = _first(setup, time)
    changes = {part.start: dict(differing(time.parts[i].config, part.config)) for i, part in enumerate(time.parts[1:])}
    arguments = [f"{first.to_json()!r}", f"steps={time.head}"]
    arguments += [f"changes={changes!r}"] if changes else []
    arguments += [f"only={time.only!r}"] if time.only else []
    return f"from zerosum.web.recipe import replay\n\nmachine = replay({', '.join(arguments)})\nG, D = machine.G, machine.D\n"


def replay(
    setup: dict[str, Any], steps: int, changes: dict[int, dict[str, Any]] | None = None, only: dict[int, str] | None = None
) -> Machine:
    """Play a game of the lab again.

    setup: as the page gives it. changes: options that changed before a step, step -> name -> value. only: steps in which one player alone
    was updated, step -> "d" or "g". Returns the machine, with G and D in the data's unit. Raises Refusal for what cannot be played.
    """
    from zerosum.api.training import with_options

    machine = Machine(from_json(setup))
    for t in range(steps):
        if changes and t in changes:
            machine.change(with_options(machine.config, changes[t]))
        machine.step((only or {}).get(t, BOTH))
    return machine
