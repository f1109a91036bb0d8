"""The watch as an ASGI application: runs, their records and their pictures. It reads folders and changes nothing."""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from zerosum.errors import Refusal
from zerosum.plain_files import NotPlain, read_plain
from zerosum.report.timelapse import timelapse, timelapse_film
from zerosum.web.pages import ERRORS, common_routes, html_page
from zerosum.web.run_state import found_runs, locked_by
from zerosum.web.run_view import WatchedRun

_PNG = b"\x89PNG\r\n\x1a\n"
LARGEST_PICTURE = 40 << 20
SAVED = {"cache-control": "private, max-age=3600"}
NEAREST_SECONDS = 120
LAPSES = {"gif": (timelapse, "image/gif"), "mp4": (timelapse_film, "video/mp4")}


class Watch:
    """The runs in the folders that were named. stop_token: with which a run may be stopped; "" where none may."""

    def __init__(self, places: Sequence[Path], stop_token: str = "") -> None:
        self.places, self.stop_token = list(places), stop_token
        self._runs: dict[str, WatchedRun] = {}
        self._lock = asyncio.Lock()

    def _refreshed(self) -> list[dict[str, Any]]:
        found = found_runs(self.places)
        self._runs = {name: self._runs.get(name) or WatchedRun(name, folder) for name, folder in found.items()}
        for run in self._runs.values():
            run.refresh()
        return [run.line() for run in self._runs.values()]

    async def list(self, request: Request) -> Response:
        """Every run, in a line each."""
        async with self._lock:
            lines = await asyncio.to_thread(self._refreshed)
        lines.sort(key=lambda line: (line["state"]["name"] != "live", line["age"] if line["age"] is not None else 1e18))
        return JSONResponse({"runs": lines, "places": [str(place) for place in self.places], "may_stop": bool(self.stop_token)})

    async def _run(self, request: Request) -> WatchedRun | None:
        name = request.path_params["run"]
        if name not in self._runs:
            await asyncio.to_thread(self._find)
        return self._runs.get(name)

    def _find(self) -> None:
        self._runs = {name: self._runs.get(name) or WatchedRun(name, folder) for name, folder in found_runs(self.places).items()}

    async def run(self, request: Request) -> Response:
        """One run, whole; or that nothing has changed since the revision that the page has."""
        run = await self._run(request)
        if run is None:
            return _none()
        async with self._lock:
            await asyncio.to_thread(run.refresh)
            if request.query_params.get("seen") == str(run.reader.revision) and run.reader.revision:
                return JSONResponse({"same": True, "line": await asyncio.to_thread(run.line)})
            return JSONResponse(await asyncio.to_thread(run.whole))

    async def grid(self, request: Request) -> Response:
        """The picture of one grid."""
        run = await self._run(request)
        content = None if run is None else await asyncio.to_thread(_picture, run.grid_file(request.path_params["step"]))
        return _none() if content is None else Response(content, media_type="image/png", headers=SAVED)

    async def lapse(self, request: Request) -> Response:
        """The time-lapse of a run's grids, as a GIF or as an MP4 film."""
        run, kind = await self._run(request), request.path_params["kind"]
        if run is None or kind not in LAPSES:
            return _none()
        files = [file for _, file in run.run.grids()]
        make, media = LAPSES[kind]
        try:
            content = await asyncio.to_thread(make, files)
        except Refusal as refusal:
            return PlainTextResponse(str(refusal), 409)
        if content is None:
            return PlainTextResponse("This run has no grids yet.", 404)
        name = "".join(c if c.isalnum() or c in "-_" else "_" for c in run.folder.name)
        return Response(content, media_type=media, headers={"content-disposition": f'attachment; filename="{name}.{kind}"'})

    async def nearest(self, request: Request) -> Response:
        """Samples beside the training images nearest to them, computed by a process of its own, which needs the run's data."""
        run = await self._run(request)
        if run is None:
            return _none()
        content, sentence = await asyncio.to_thread(_nearest, run.folder)
        return PlainTextResponse(sentence, 409) if content is None else Response(content, media_type="image/png")

    async def stop(self, request: Request) -> Response:
        """Asks a run's process to finish its step and save, as Ctrl-C does."""
        given = request.headers.get("x-stop-token", "")
        if not self.stop_token or not secrets.compare_digest(given.encode(), self.stop_token.encode()):
            return PlainTextResponse("Stopping is off, or the token is not the one that was printed.", 403)
        run = await self._run(request)
        process = None if run is None else locked_by(run.folder)
        if not process:
            return PlainTextResponse("This run is not training on this machine.", 409)
        os.kill(process, signal.SIGTERM)
        return JSONResponse({"stopped": process})


def _none() -> Response:
    return PlainTextResponse("There is no such run or picture here.", 404)


def _picture(file: Path | None) -> bytes | None:
    """The content of a PNG; None for anything else, whatever its name."""
    try:
        if file is None or file.stat().st_size > LARGEST_PICTURE:
            return None
        content = read_plain(file)
    except (OSError, NotPlain):
        return None
    return content if content.startswith(_PNG) else None


def _nearest(folder: Path) -> tuple[bytes | None, str]:
    with tempfile.TemporaryDirectory() as temporary:
        out = Path(temporary) / "nearest.png"
        command = [sys.executable, "-m", "zerosum.web.nearest", str(folder), str(out)]
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=NEAREST_SECONDS, env={**os.environ, "OMP_NUM_THREADS": "1"}
            )
        except subprocess.TimeoutExpired:
            return None, f"The nearest training images were not found within {NEAREST_SECONDS} s."
        if done.returncode or not out.is_file():
            return None, done.stderr.strip().splitlines()[-1][
                :400
            ] if done.stderr.strip() else "The nearest training images could not be found."
        return out.read_bytes(), ""


def watch_app(watch: Watch) -> Starlette:
    """The application."""
    routes = [
        Route("/", html_page("watch")),
        Route("/api/runs", watch.list),
        Route("/api/runs/{run:str}", watch.run),
        Route("/api/runs/{run:str}/grid/{step:int}.png", watch.grid),
        Route("/api/runs/{run:str}/timelapse.{kind:str}", watch.lapse),
        Route("/api/runs/{run:str}/nearest.png", watch.nearest),
        Route("/api/runs/{run:str}/stop", watch.stop, methods=["POST"]),
        *common_routes(),
    ]
    return Starlette(routes=routes, exception_handlers=ERRORS)
