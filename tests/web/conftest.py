"""A browser, and the page's programs as users start them. Without a Chromium the browser's tests are skipped, and the end says so."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = next((found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None)
PATIENCE = 60_000  # milliseconds: the machine of a test may be busy

CONTRAST = """() => {
  const numbers = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map((c) => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const over = (top, below) => { const a = top[3] ?? 1; return [0, 1, 2].map((i) => a * top[i] + (1 - a) * below[i]); };
  const ground = (node) => {
    const layers = [];
    for (; node; node = node.parentElement) {
      const colour = numbers(getComputedStyle(node).backgroundColor);
      layers.push(colour);
      if ((colour[3] ?? 1) === 1) break;
    }
    return layers.reverse().reduce((below, top) => over(top, below), [255, 255, 255]);
  };
  const low = [];
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const node = texts.currentNode.parentElement, style = getComputedStyle(node);
    if (!texts.currentNode.data.trim() || !node.getClientRects().length || node.disabled || node.closest('script, style, option')) continue;
    const below = ground(node), a = light(over(numbers(style.color), below)), b = light(below);
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    if (ratio < (large ? 3 : 4.5)) low.push(`${ratio.toFixed(2)} ${node.tagName} ${texts.currentNode.data.trim().slice(0, 40)}`);
  }
  return low;
}"""


@contextmanager
def served(*words: str, cwd: Path, told: list[str] | None = None) -> Iterator[str]:
    """A command that serves a page: its address. told: gets the lines that it prints before it."""
    command = [sys.executable, "-m", "zerosum", *words, "--no-browser", "--port", "0"]
    program = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=cwd, env={**os.environ, "OMP_NUM_THREADS": "1"})
    assert program.stdout is not None
    try:
        for line in program.stdout:
            if told is not None:
                told.append(line)
            if found := re.search(r"http://\S+", line):
                yield found[0]
                return
        raise AssertionError("The page did not start.")
    finally:
        program.terminate()
        with suppress(subprocess.TimeoutExpired):
            program.wait(10)
        program.kill()
        program.stdout.close()


@pytest.fixture(scope="session")
def serving() -> Callable[..., Any]:
    """`served`, for tests."""
    return served


@pytest.fixture(scope="session")
def soon() -> Callable[..., None]:
    """`eventually`, for tests."""
    return eventually


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    if CHROMIUM is None:
        pytest.skip("there is no Chromium here: the page is not tested in a browser (Debian: apt install chromium)")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield started
        started.close()


class Watched:
    """A tab that notes what must not happen: requests to other hosts, errors on the console, exceptions."""

    def __init__(self, page: Any, allowed: str) -> None:
        self.page, self.allowed = page, allowed
        self.complaints: list[str] = []
        page.set_default_timeout(PATIENCE)
        page.on("console", lambda message: message.type in ("error", "warning") and self.complaints.append(message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", lambda request: self._requested(request.url))

    def _requested(self, url: str) -> None:
        if not url.startswith((self.allowed, "data:", "blob:")):
            self.complaints.append(f"request to {url}")

    def low_contrast(self) -> list[str]:
        """Texts whose contrast to the ground below them is less than WCAG 2.2 AA asks: 4.5, or 3 where they are large."""
        found: list[str] = self.page.evaluate(CONTRAST)
        return found

    def until(self, expression: str) -> None:
        """Waits until a JavaScript expression is true. Not by Playwright's own function, which the page's policy forbids: it needs eval."""
        end = time.monotonic() + PATIENCE / 1000
        while not self.page.evaluate(f"Boolean({expression})"):
            assert time.monotonic() < end, (expression, self.complaints, self.page.inner_text("#message"))
            self.page.wait_for_timeout(60)


@pytest.fixture
def tab(browser: Any) -> Iterator[Callable[..., Watched]]:
    """tab(address, width, height, scheme) -> a tab that has opened it; at the end nothing may have gone wrong in it."""
    opened: list[Watched] = []

    def made(address: str, width: int = 1400, height: int = 900, scheme: str = "light", **more: Any) -> Watched:
        page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme, **more)
        watched = Watched(page, address.split("?")[0].rsplit("/", 1)[0] if not address.startswith("file:") else "file:")
        opened.append(watched)
        page.goto(address)
        return watched

    yield made
    for watched in opened:
        watched.page.close()
    assert [complaint for watched in opened for complaint in watched.complaints] == []


def eventually(true: Callable[[], bool], seconds: float = 60.0) -> None:
    """Waits for something to become true."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.1)
