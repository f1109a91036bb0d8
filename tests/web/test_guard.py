"""Host, Origin, token, sizes and rates: what reaches the page's routes."""

from __future__ import annotations

from typing import Any

import pytest

from zerosum.web.guard import BURST, Address, Bucket, Guard, content_security_policy


def refused(guard: Guard, path: str = "/", query: str = "", method: str = "GET", **headers: str) -> int | None:
    given = {"host": "127.0.0.1:8765", **{name.replace("_", "-"): value for name, value in headers.items()}}
    scope: dict[str, Any] = {"type": "http", "path": path, "query_string": query.encode(), "method": method, "client": ("127.0.0.1", 1)}
    found = guard.refusal(scope, given)
    return None if found is None else found[0]


@pytest.fixture
def guard() -> Guard:
    return Guard(None, Address("127.0.0.1", 8765))


@pytest.mark.parametrize("host", ["127.0.0.1:8765", "localhost:8765", "[::1]:8765"])
def test_loopback_names_are_served(guard: Guard, host: str) -> None:
    assert refused(guard, host=host) is None
    assert refused(guard, host=host, origin=f"http://{host}") is None


@pytest.mark.parametrize(
    "host", ["", "evil.example", "evil.example:8765", "127.0.0.1", "127.0.0.1:80", "127.0.0.1.evil.example:8765", "10.0.0.7:8765"]
)
def test_a_rebound_name_is_refused(guard: Guard, host: str) -> None:
    assert refused(guard, host=host) == 400


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:9999", "https://127.0.0.1:8765"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_another_origin_is_refused(guard: Guard, origin: str, method: str) -> None:
    assert refused(guard, origin=origin, method=method) == 403


def test_another_site_may_link_to_the_page_and_nothing_else(guard: Guard) -> None:
    assert refused(guard, sec_fetch_site="cross-site", sec_fetch_mode="navigate") is None
    assert refused(guard, sec_fetch_site="cross-site", sec_fetch_mode="navigate", method="POST") == 403
    assert refused(guard, sec_fetch_site="cross-site", sec_fetch_mode="no-cors") == 403
    assert refused(guard, sec_fetch_site="same-origin", sec_fetch_mode="cors") is None


def test_another_address_needs_the_token() -> None:
    guard = Guard(None, Address("0.0.0.0", 8765, "secret"))
    assert refused(guard, host="10.0.0.7:8765") == 401
    assert refused(guard, host="10.0.0.7:8765", query="token=secre") == 401
    assert refused(guard, host="10.0.0.7:8765", query="token=secret") is None
    assert refused(guard, host="10.0.0.7:8765", x_token="secret") is None
    assert refused(guard, host="10.0.0.7:8765", path="/static/lab.js") is None
    assert refused(guard, host="evil.example:8765", query="token=secret") == 400


def test_sizes_and_rates_are_bounded(guard: Guard) -> None:
    assert refused(guard, method="POST", content_length="70000") == 413
    assert refused(guard, method="POST", content_length="-1") == 413
    assert [refused(guard) for _ in range(int(BURST) + 50)][-1] == 429


def test_a_bucket_fills_again(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr("zerosum.web.guard.time.monotonic", lambda: now[0])
    bucket = Bucket(a_second=2, burst=2)
    assert [bucket.take() for _ in range(3)] == [True, True, False]
    now[0] = 0.5
    assert [bucket.take() for _ in range(2)] == [True, False]


def test_no_inline_script_and_no_other_host() -> None:
    policy = content_security_policy("127.0.0.1:8765")
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
