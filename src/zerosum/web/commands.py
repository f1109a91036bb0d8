"""The lab's commands: what a page may ask of the session, one function each, called by the player's thread between two steps."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from zerosum.api.training import with_options
from zerosum.errors import Refusal
from zerosum.play.config import Config
from zerosum.web.game import Game
from zerosum.web.scenarios import SCENARIOS
from zerosum.web.setup import Setup, from_json

if TYPE_CHECKING:
    from zerosum.web.session import Session

Command = Mapping[str, Any]
MOST_AT_ONCE = 2000  # steps of one command


def _number(command: Command, name: str, default: int, least: int, most: int) -> int:
    value = command.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise Refusal(f"{name} must be a whole number from {least:,} to {most:,}.")
    return value


def _game(session: Session, command: Command) -> Game:
    name = command.get("game", "a")
    if name not in session.games:
        raise Refusal(f"There is no game {str(name)[:10]!r}.")
    return session.games[name]


def _options(command: Command) -> Mapping[str, Any]:
    options = command.get("options", {})
    if not isinstance(options, Mapping):
        raise Refusal("options must be a table.")
    return options


def _from_the_past(session: Session) -> None:
    """Continues every game from the step that is looked at."""
    if session.at is None:
        return
    for game in session.games.values():
        game.go_back(session.at)
    session.at = None


def play(session: Session, command: Command) -> None:
    """Play on, from the step that is looked at."""
    _from_the_past(session)
    session.playing, session.slow = True, command.get("slow") is True
    session.message = ""


def pause(session: Session, command: Command) -> None:
    session.playing, session.phase = False, -1


def step(session: Session, command: Command) -> None:
    """Take steps: of both players, or only of one."""
    moving = command.get("only", "dg")
    if moving not in ("dg", "d", "g"):
        raise Refusal('only must be "d" or "g".')
    _from_the_past(session)
    session.playing, session.slow, session.phase = False, False, -1
    for _ in range(_number(command, "steps", 1, 1, MOST_AT_ONCE)):
        if not session.advance(moving):
            break


def seek(session: Session, command: Command) -> None:
    """Look at a step of the past, or at the present (null)."""
    session.at = None if command.get("t") is None else _number(command, "t", 0, 0, 10_000_000)
    if session.at is not None:
        session.playing, session.phase = False, -1


def change(session: Session, command: Command) -> None:
    """Go on with other options: from the step that is looked at, in game a, b, or both."""
    options = _options(command)
    names = session.games if command.get("game", "both") == "both" else [str(command["game"])]
    configs: dict[str, Config] = {}
    for name in names:
        game = _game(session, {"game": name})
        base = game.machine.config if session.at is None else game.time.config_at(session.at)
        configs[name] = with_options(base, options)
    if "seed" in options or "steps" in command:
        _restart(session, {name: _restarted(session.games[name], configs.get(name), command) for name in session.games})
        return
    _from_the_past(session)
    for name, config in configs.items():
        session.games[name].change(config)
    session.scenario = None


def _restarted(game: Game, config: Config | None, command: Command) -> Setup:
    setup = game.setup.with_config(config or game.machine.config)
    return from_json({**setup.to_json(), "steps": _number(command, "steps", setup.steps, 1, 1_000_000)})


def _restart(session: Session, setups: Mapping[str, Setup]) -> None:
    """New games, at step 0."""
    games = {name: Game(setup) for name, setup in setups.items()}
    session.games, session.at, session.phase, session.message = games, None, -1, ""


def restart(session: Session, command: Command) -> None:
    """Start again at step 0 with the present options."""
    _restart(session, {name: _restarted(game, None, {}) for name, game in session.games.items()})
    session.playing = command.get("play", session.playing) is True


def begin(session: Session, command: Command) -> None:
    """Start another game: a whole setup, or data alone with the lab's own options. trained: steps to take at once, for a trained start."""
    setup = from_json(command.get("setup", {}))
    session.scenario = None
    _restart(session, {"a": setup})
    _take(session, _number(command, "trained", 0, 0, MOST_AT_ONCE))
    session.playing = command.get("play", True) is True
    session.slow = False


def _take(session: Session, steps: int) -> None:
    for _ in range(steps):
        if not session.advance():
            break


def line(session: Session, command: Command) -> None:
    """Continue with another timeline of a game."""
    game = _game(session, command)
    game.show(_number(command, "line", 0, 0, len(game.lines) - 1))
    session.at, session.playing = None, False


def compare(session: Session, command: Command) -> None:
    """Play a second game beside the first: on the same data and seed, from step 0, with other options. With off, back to one."""
    if command.get("off") is True:
        session.games = {"a": session.games["a"]}
        session.at = None
        return
    first = session.games["a"]
    a = first.setup.with_config(first.time.parts[0].config)
    b = a.with_config(with_options(a.config, _options(command)))
    _restart(session, {"a": a, "b": from_json(b.to_json())})
    session.playing = command.get("play", True) is True


def scenario(session: Session, command: Command) -> None:
    """Play one of the scenarios, or its cure: the same game with what fixes it, from the step that has been reached."""
    name = command.get("name")
    if name not in SCENARIOS:
        raise Refusal(f"There is no scenario {str(name)[:40]!r}.")
    row = SCENARIOS[name]
    if command.get("cure") is not True:
        _restart(session, {"a": row.setup})
    elif row.cured is not None:
        _restart(session, {"a": row.cured})
    elif session.scenario == name:
        _from_the_past(session)
        session.games["a"].change(with_options(session.games["a"].machine.config, row.cure))
    else:
        raise Refusal("Start the scenario before its cure.")
    session.scenario, session.playing, session.slow = name, True, False
    session.message = row.cured_text if command.get("cure") is True else row.text


COMMANDS: dict[str, Callable[[Session, Command], Any]] = {
    "play": play,
    "pause": pause,
    "step": step,
    "seek": seek,
    "change": change,
    "restart": restart,
    "begin": begin,
    "line": line,
    "compare": compare,
    "scenario": scenario,
}
