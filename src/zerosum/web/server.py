"""Serving the page: the port, the browser, and the end."""

from __future__ import annotations

import errno
import os
import secrets
import socket
import threading
import time
import webbrowser
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

from zerosum.errors import Refusal
from zerosum.web.guard import LOOPBACK, Address, Guard

PORT = 8765
_TRIED = 20  # ports from PORT on, where none was named


def require_web() -> None:
    """Raises Refusal where the extra `web` is not installed."""
    if any(find_spec(name) is None for name in ("starlette", "uvicorn", "websockets")):
        raise Refusal('The page is an extra that is not installed here; install it with: pip install "zerosum[web]".')


def bound(host: str, port: int | None) -> tuple[socket.socket, Address]:
    """A listening socket at the host's port (None: the first free one from 8765 on), and its address.

    Raises Refusal where it cannot be had.
    """
    ports = range(PORT, PORT + _TRIED) if port is None else (port,)
    for tried in ports:
        try:
            family, _, _, _, where = socket.getaddrinfo(host, tried, type=socket.SOCK_STREAM)[0]
            listening = socket.socket(family, socket.SOCK_STREAM)
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind(where)
            listening.listen(128)
        except socket.gaierror as error:
            raise Refusal(f"--host {host} is no address of this machine: give 127.0.0.1, or an address that it has.") from error
        except OSError as error:
            listening.close()
            if error.errno == errno.EADDRINUSE and tried != ports[-1]:
                continue
            raise Refusal(f"Port {tried} at {host} cannot be used ({os.strerror(error.errno or 0)}): give another --port.") from error
        token = "" if host in LOOPBACK else secrets.token_urlsafe(24)
        return listening, Address(host, listening.getsockname()[1], token)
    raise AssertionError("unreachable")


def serve(app: Any, listening: socket.socket, address: Address, *, ready: Callable[[], None] | None = None, browser: bool = False) -> None:
    """Serve an ASGI application until SIGINT or SIGTERM. ready: called once requests are answered. browser: open one then."""
    import uvicorn

    config = uvicorn.Config(
        Guard(app, address),
        ws="websockets-sansio",
        ws_max_size=65_536,
        ws_per_message_deflate=False,
        log_level="error",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=1,
        lifespan="on",
        h11_max_incomplete_event_size=65_536,
    )
    server = uvicorn.Server(config)

    def announce() -> None:
        while not server.started:
            if server.should_exit:
                return
            time.sleep(0.02)
        if ready is not None:
            ready()
        if browser:
            webbrowser.open(address.url)

    threading.Thread(target=announce, name="announce", daemon=True).start()
    server.run(sockets=[listening])


def end_with_parent(parent: int, stop: Callable[[], None]) -> None:
    """Calls `stop` once the process that started this one is gone. parent: its number."""

    def waiting() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        stop()

    threading.Thread(target=waiting, name="parent", daemon=True).start()
