"""What the lab's page may ask for: curves, images by their z, the teaching figure, an export. Each runs in a thread of its own."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from zerosum.errors import Refusal
from zerosum.web import pictures
from zerosum.web.export import export
from zerosum.web.figure import teaching_figure
from zerosum.web.frames import encoded
from zerosum.web.machine import Machine

if TYPE_CHECKING:
    from zerosum.web.game import Game
    from zerosum.web.session import Session

Request = Mapping[str, Any]


def curves(session: Session, request: Request) -> dict[str, Any]:
    """Every game's curves so far."""
    return {name: game.curves() for name, game in session.games.items()}


def _at(session: Session) -> tuple[Game, Machine]:
    """Game a's mirror at the step that is looked at. The caller holds the painter's `busy`."""
    game, machine = _mirror(session)
    if len(machine.data.space.shape) != 3:
        raise Refusal("z sliders and interpolation are for images: choose mnist as the data.")
    return game, machine


def _mirror(session: Session) -> tuple[Game, Machine]:
    game, machine = session.painter.mirror("a")
    game.time.restore(machine, game.time.head if session.at is None else session.at)
    return game, machine


def _whole(request: Request, name: str, most: int) -> int:
    value = request.get(name, 0)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= most:
        raise Refusal(f"{name} must be a whole number from 0 to {most}.")
    return value


def image(session: Session, request: Request) -> dict[str, Any]:
    """One image: of a draw of z whose first coordinates are the sliders', and a class."""
    z = request.get("z", [])
    if not isinstance(z, list) or len(z) > 256 or not all(isinstance(c, int | float) and abs(c) <= 100 for c in z):
        raise Refusal("z must be a list of numbers.")
    with session.painter.busy:
        found = pictures.one(_at(session)[1], [float(c) for c in z], _whole(request, "draw", 1_000_000), _whole(request, "y", 1000))
    return {**found, "image": _text(found["image"]), "shape": list(found["image"].shape)}


def walk(session: Session, request: Request) -> dict[str, Any]:
    """A row of images from one draw of z to another."""
    with session.painter.busy:
        first, last = _whole(request, "draw", 1_000_000), _whole(request, "to", 1_000_000)
        found = pictures.walk(_at(session)[1], first, last, _whole(request, "y", 1000))
    return {"images": _text(found), "shape": list(found.shape)}


def _text(array: Any) -> str:
    return base64.b64encode(array.tobytes()).decode()


def scene(session: Session, request: Request) -> dict[str, Any]:
    """What does not change while a game is played, as a frame's message in base64."""
    game = session.games.get(str(request.get("game", "a")))
    if game is None:
        raise Refusal("There is no such game.")
    return {"scene": base64.b64encode(encoded(*game.scene.view())).decode()}


def figure(session: Session, request: Request) -> dict[str, Any]:
    """The teaching figure of game a at the step that is looked at; it can be fetched as a file afterwards."""
    game, at = session.games["a"], session.at
    machine = Machine(game.setup)
    game.time.restore(machine, game.time.head if at is None else at)
    png, words = teaching_figure(machine, game.time)
    session.files["figure.png"] = png
    return {"png": base64.b64encode(png).decode(), "alt": words}


def exported(session: Session, request: Request) -> dict[str, Any]:
    """The session as one HTML file, which can be fetched afterwards."""
    game = session.games["a"]
    page = export(game, Machine(game.setup)).encode()
    session.files["export.html"] = page
    return {"bytes": len(page)}


REQUESTS: dict[str, Callable[[Session, Request], dict[str, Any]]] = {
    "curves": curves,
    "image": image,
    "walk": walk,
    "scene": scene,
    "figure": figure,
    "export": exported,
}
