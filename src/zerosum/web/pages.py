"""The page's own files: HTML, scripts, styles. Nothing is fetched from elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

STATIC = Path(__file__).parent / "static"


def static_text(name: str) -> str:
    """The text of one of the page's files."""
    return (STATIC / name).read_text(encoding="utf-8")


def html_page(name: str) -> Any:
    """A route's function that answers with one of the HTML pages, "lab" or "watch": the head of both, and its own body."""

    async def page(request: Request) -> Response:
        return HTMLResponse(static_text("head.html").replace("NAME", name) + static_text(f"{name}.html"))

    return page


async def _icon(request: Request) -> Response:
    return FileResponse(STATIC / "icon.svg", media_type="image/svg+xml")


async def _missing(request: Request, error: Exception) -> Response:
    return PlainTextResponse("There is no such page.", 404)


ERRORS: dict[Any, Any] = {404: _missing}


def common_routes() -> list[BaseRoute]:
    """The routes of every page."""
    return [Route("/favicon.ico", _icon), Mount("/static", StaticFiles(directory=STATIC))]
