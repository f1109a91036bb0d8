"""The lab as an ASGI application: its page, a WebSocket for commands and frames, and what is computed on request."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from zerosum.errors import Refusal
from zerosum.runs.record import plain
from zerosum.web.guard import Bucket
from zerosum.web.options_view import about_options
from zerosum.web.pages import ERRORS, common_routes, html_page
from zerosum.web.requests import REQUESTS
from zerosum.web.session import Session

MOST_CLIENTS = 64
COMMANDS_A_SECOND, BURST = 40.0, 120.0


def lab_app(session: Session, helps: Mapping[str, str]) -> Starlette:
    """The application around a session, which starts and ends with it. helps: what each option is, in a sentence."""
    about = about_options(helps)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        session.start()
        try:
            yield
        finally:
            await asyncio.to_thread(session.close)

    clients: set[Client] = set()

    async def socket(websocket: WebSocket) -> None:
        if len(clients) >= MOST_CLIENTS:
            await websocket.close(4429, "Too many pages are open: close one.")
            return
        await websocket.accept()
        client = Client(session, websocket)
        clients.add(client)
        try:
            await client.serve()
        finally:
            clients.discard(client)

    async def options(request: Request) -> Response:
        return JSONResponse(about)

    async def file(request: Request) -> Response:
        name = request.path_params["name"]
        content = session.files.get(name)
        if content is None:
            return PlainTextResponse("There is no such file: ask for it on the page first.", 404)
        kind = "image/png" if name.endswith(".png") else "text/html; charset=utf-8"
        return Response(content, media_type=kind, headers={"content-disposition": f'attachment; filename="zerosum-{name}"'})

    routes = [
        Route("/", html_page("lab")),
        Route("/api/options", options),
        Route("/api/{name:str}", file),
        WebSocketRoute("/api/lab", socket),
        *common_routes(),
    ]
    return Starlette(routes=routes, lifespan=lifespan, exception_handlers=ERRORS)


class Client:
    """One browser tab: it gets the newest description and the newest frame when it can take them, and sends commands."""

    def __init__(self, session: Session, websocket: WebSocket) -> None:
        self.session, self.websocket = session, websocket
        self._loop = asyncio.get_running_loop()
        self._news = asyncio.Event()
        self._sending = asyncio.Lock()
        self._bucket = Bucket(COMMANDS_A_SECOND, BURST)
        self._hidden = False
        self._seen = True  # whether the page has drawn the last frame: a slow one gets fewer, and always the newest
        self._tasks: set[asyncio.Task[None]] = set()

    async def serve(self) -> None:
        """Until the tab is closed."""
        self.session.listen(self._wake)
        sender = asyncio.create_task(self._send_news())
        try:
            while True:
                await self._take(await self.websocket.receive_text())
        except (WebSocketDisconnect, KeyError):
            pass
        finally:
            self.session.forget(self._wake)
            sender.cancel()
            with suppress(asyncio.CancelledError):
                await sender

    def _wake(self) -> None:
        with suppress(RuntimeError):  # The loop has ended.
            self._loop.call_soon_threadsafe(self._news.set)

    async def _send_news(self) -> None:
        revision = number = -1
        with suppress(WebSocketDisconnect, RuntimeError):
            await self._send({"curves": self._curves()})
            self._news.set()
            while True:
                await self._news.wait()
                self._news.clear()
                if self.session.revision != revision:
                    revision = self.session.revision
                    await self._send({"state": self.session.describe()})
                painter = self.session.painter
                if painter.number != number and painter.frame and self._seen and not self._hidden:
                    number, self._seen = painter.number, False
                    async with self._sending:
                        await self.websocket.send_bytes(painter.frame)

    def _curves(self) -> dict[str, Any]:
        return {name: game.curves() for name, game in self.session.games.items()}

    async def _send(self, message: dict[str, Any]) -> None:
        async with self._sending:
            await self.websocket.send_text(json.dumps(plain(message), allow_nan=False))

    async def _take(self, text: str) -> None:
        """One message of the page: {"id": n, "do": ..., ...} or {"id": n, "ask": ..., ...}."""
        try:
            message = json.loads(text)
        except (ValueError, RecursionError):
            message = None
        if isinstance(message, dict) and message.get("do") == "seen":
            self._seen = True
            self._news.set()
            return
        if not isinstance(message, dict) or not self._bucket.take():
            await self._send({"reply": None, "error": "That was no command, or there were too many of them at once."})
            return
        if message.get("do") == "hide":
            self._hidden = message.get("hidden") is True
            self._news.set()
            return
        task = asyncio.create_task(self._answer(message))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answer(self, message: dict[str, Any]) -> None:
        number = message.get("id")
        try:
            if "ask" in message:
                name = message["ask"]
                if name not in REQUESTS:
                    raise Refusal(f"The lab has no answer to {str(name)[:40]!r}.")
                reply = await asyncio.to_thread(REQUESTS[name], self.session, message)
            else:
                reply = await asyncio.wrap_future(self.session.order(message))
        except Refusal as refusal:
            reply, message = None, {"error": str(refusal)}
        except Exception as error:  # A bug in one answer must not close the page.
            reply, message = None, {"error": f"The lab has a bug here: {type(error).__name__} {error}"}
        answer = {"reply": number, "value": reply}
        with suppress(WebSocketDisconnect, RuntimeError):
            await self._send(answer | ({"error": message["error"]} if "error" in message and reply is None else {}))
