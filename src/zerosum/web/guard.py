"""Who may talk to the page: Host, Origin and token are checked, and requests are bounded, before any route sees them.

A page on another site can make a browser send requests to 127.0.0.1, and a name that it controls can be made to mean 127.0.0.1 (DNS
rebinding). The first is stopped by Origin and Sec-Fetch-Site, the second by Host. There is no cookie that such a request could carry.
"""

from __future__ import annotations

import ipaddress
import secrets
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

LARGEST_BODY = 65_536  # bytes of a request; a drawing of 400 points takes about 6,000
A_SECOND, BURST = 200.0, 600.0  # requests of one address
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
OPEN = ("/static/",)  # files of the program itself, which contain no secret: they need no token

_HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
}


def content_security_policy(host: str) -> str:
    """The policy of every page: nothing but the page's own files, no inline script, no frame around it."""
    return (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
        f"connect-src 'self' ws://{host}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


@dataclass
class Bucket:
    """A rate limit: `a_second` requests on average, at most `burst` at once."""

    a_second: float = A_SECOND
    burst: float = BURST
    left: float = field(init=False)
    at: float = field(init=False)

    def __post_init__(self) -> None:
        self.left, self.at = self.burst, time.monotonic()

    def take(self) -> bool:
        """Whether one more request is within the limit."""
        now = time.monotonic()
        self.left, self.at = min(self.burst, self.left + (now - self.at) * self.a_second), now
        if self.left < 1:
            return False
        self.left -= 1
        return True


@dataclass(frozen=True)
class Address:
    """Where the page is served. token: what every request needs where the address is not a loopback one; else ""."""

    host: str
    port: int
    token: str = ""

    @property
    def url(self) -> str:
        """The address for a browser."""
        host = {"0.0.0.0": socket.gethostname(), "::": socket.gethostname()}.get(self.host, self.host)
        name = f"[{host}]" if ":" in host else host
        return f"http://{name}:{self.port}/" + (f"?token={self.token}" if self.token else "")

    def serves(self, host: str) -> bool:
        """Whether a request's Host header names this page: a loopback name or, with a token, an address or this machine's name."""
        name, _, port = host.rpartition(":") if not host.endswith("]") else (host, "", "")
        if not name:
            name, port = host, ""
        if (port or "80") != str(self.port):
            return False
        name = name.strip("[]").lower()
        if name in LOOPBACK:
            return True
        # A rebound name is a domain name; an address, or this machine's own name, cannot be one.
        return bool(self.token) and (_is_address(name) or name in {self.host.lower(), socket.gethostname().lower()})


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


class Guard:
    """An ASGI application around another: it refuses with 400, 401, 403, 413 or 429 what the rules above do not allow."""

    def __init__(self, app: Any, address: Address) -> None:
        self.app, self.address = app, address
        self._buckets: dict[str, Bucket] = {}

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        refusal = self.refusal(scope, headers)
        if refusal is not None:
            await _refuse(scope, receive, send, *refusal)
            return
        await self.app(scope, _bounded(receive), _with_headers(send, headers["host"]))

    def refusal(self, scope: Mapping[str, Any], headers: Mapping[str, str]) -> tuple[int, str] | None:
        """The status and the sentence with which a request is refused; None where it is allowed."""
        if not self.address.serves(host := headers.get("host", "")):
            return 400, "This page is served under another host name."
        origin = headers.get("origin")
        if origin is not None and origin.lower() != f"http://{host}".lower():
            return 403, "Requests from other sites are refused."
        # A link from elsewhere may open a page; nothing else may come from another site.
        site = headers.get("sec-fetch-site", "none")
        opens = scope.get("method") == "GET" and headers.get("sec-fetch-mode") == "navigate"
        if site not in ("none", "same-origin") and not opens:
            return 403, "Requests from other sites are refused."
        if not self._knows_token(scope, headers):
            return 401, "This page needs the token that was printed when it started: open the whole address."
        length = headers.get("content-length", "0")
        if not length.isdigit() or int(length) > LARGEST_BODY:
            return 413, f"A request may have at most {LARGEST_BODY:,} bytes."
        client = (scope.get("client") or ("",))[0]
        if len(self._buckets) > 1000:
            self._buckets.clear()
        if not self._buckets.setdefault(client, Bucket()).take():
            return 429, "Too many requests: wait a second."
        return None

    def _knows_token(self, scope: Mapping[str, Any], headers: Mapping[str, str]) -> bool:
        if not self.address.token or scope["path"].startswith(OPEN):
            return True
        query = parse_qs(scope.get("query_string", b"").decode("latin-1"))
        given = headers.get("x-token") or (query.get("token") or [""])[0]
        return secrets.compare_digest(given.encode(), self.address.token.encode())


def _with_headers(send: Any, host: str) -> Any:
    """send, which adds the headers of security to every response."""

    async def sending(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            added = {**_HEADERS, "content-security-policy": content_security_policy(host)}
            present = {name.lower() for name, _ in message.get("headers", [])}
            extra = [(k.encode(), v.encode()) for k, v in added.items() if k.encode() not in present]
            if b"cache-control" not in present:
                extra.append((b"cache-control", b"no-store"))
            message = {**message, "headers": [*message.get("headers", []), *extra]}
        await send(message)

    return sending


def _bounded(receive: Any) -> Any:
    """receive, which ends a body that is longer than it may be, whatever its headers said."""
    seen = 0

    async def receiving() -> Any:
        nonlocal seen
        message = await receive()
        if message["type"] == "http.request":
            seen += len(message.get("body", b""))
            if seen > LARGEST_BODY:
                return {"type": "http.disconnect"}
        return message

    return receiving


async def _refuse(scope: Any, receive: Any, send: Any, status: int, sentence: str) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 4000 + status, "reason": sentence})
        return
    body = sentence.encode()
    kind = (b"content-type", b"text/plain; charset=utf-8")
    headers = [kind, (b"content-length", str(len(body)).encode()), *((k.encode(), v.encode()) for k, v in _HEADERS.items())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
