"""The watch in Chromium: the list, a run that grows, a comparison, what a hostile folder writes, and a training whose page is killed."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from zerosum.report.grid import save_grid
from zerosum.runs.run import open_run

# `make test` runs the tests in a browser in one process, after all others: two games at once starve each other on two cores.
pytestmark = pytest.mark.browser

EVIL = "<img src=x onerror=alert(1)><script>alert(2)</script>"
Tab = Callable[..., Any]


def row(kind: str, i: int, **more: Any) -> str:
    return json.dumps({"type": kind, "round": i, "samples": 64 * i, "seconds": 0.5 * i, **more}) + "\n"


def make(folder: Path, name: str, seed: int, evil: str = "") -> Path:
    run = folder / name
    (run / "grids").mkdir(parents=True)
    config = {"game": {"value": evil or "hinge"}, "net": {"kind": "mlp"}, "seed": seed}
    data = {"name": evil or "mnist", "kind": "images", "shape": [1, 8, 8], "what": evil or "images", "classes": [evil or "0", "1"]}
    manifest = {"schema": 2, "created": evil, "command": evil or "zerosum train mnist", "config": config, "data": data, "preset": evil}
    (run / "run.json").write_text(json.dumps(manifest))
    rows = [row("start", 0, horizon=6400)]
    for i in range(1, 31):
        rows.append(
            row("signals", i, loss_d=1 / i + seed, loss_g=0.5 + seed, grad_d=1.0 / i, grad_g=0.1, a=1.0, b=-1.0, rate=100.0, accuracy=0.7)
        )
        if i % 5 == 0:
            rows.append(row("check", i, data="points", n=64, fresh=0.1 / i, floor_fresh=0.0, average_coverage=0.5, floor_coverage=0.9))
            rows.append(row("grid", i, file=f"grids/{i:09d}.png"))
            rows.append(
                row("score", i, name=evil or "frechet", value=10 / i, low=9 / i, high=11 / i, floor=0.1, better="lower", meaning=evil)
            )
            tiles = (np.arange(4 * 64).reshape(4, 8, 8) * (i + seed) % 251).astype(np.uint8)
            save_grid(tiles, run / f"grids/{i:09d}.png")
    rows.append(row("complaint", 30, message=evil or "The disk is full."))
    (run / "record.jsonl").write_text("".join(rows))
    return run


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs")
    make(folder, "first", 0)
    make(folder, "second", 1)
    make(folder, "evil<b>", 2, EVIL)
    return folder


@pytest.fixture(scope="module")
def watch(runs: Path, browser: Any, serving: Callable[..., Any]) -> Iterator[str]:
    with serving("watch", str(runs), "--allow-stop", cwd=runs) as address:
        yield address


def test_the_list_and_a_run_that_grows(watch: str, runs: Path, tab: Tab) -> None:
    t = tab(watch)
    t.page.wait_for_selector("text=first")
    assert t.page.locator("tbody tr").count() == 3
    t.page.click("text=first")
    t.page.wait_for_selector("#grid")
    t.until("document.getElementById('grid').naturalWidth > 0 && document.getElementById('moment').max === '5'")
    before = t.page.get_attribute("#grid", "src")
    t.page.focus("#moment")
    t.page.keyboard.press("Home")
    t.until(f"document.getElementById('grid').getAttribute('src') !== {before!r}")
    assert t.page.inner_text("#when-text").startswith("320 samples seen")
    assert t.page.evaluate("Object.values(window.watch.view.charts).length") >= 4
    assert t.page.locator("#band rect").count() >= 6
    with (runs / "first" / "record.jsonl").open("a") as file:
        file.write(row("signals", 31, loss_d=0.1, loss_g=0.1) + row("stop", 31, reason="finished"))
    t.page.wait_for_selector("text=Finished.")
    assert t.page.evaluate("window.watch.view.charts['Losses'].data[0].at(-1)") == 31 * 64
    t.page.click("#lapse")
    t.until("document.getElementById('lapse').getAttribute('aria-pressed') === 'true'")
    with t.page.expect_download() as download:
        t.page.click("#save-gif")
    assert Path(download.value.path()).read_bytes()[:4] == b"GIF8"
    with t.page.expect_download() as download:
        t.page.click("#save-mp4")
    assert Path(download.value.path()).read_bytes()[4:8] == b"ftyp"
    assert t.page.is_visible("#stop")


def test_runs_are_compared(watch: str, tab: Tab) -> None:
    t = tab(watch)
    t.page.wait_for_selector("text=second")
    for name in ("first", "second"):
        t.page.check(f"input[aria-label='compare {name}']")
    t.page.click("#compare-runs")
    t.page.wait_for_selector("#grids img >> nth=1")
    assert "--seed" in t.page.inner_text("#differing")
    assert "net.kind" not in t.page.inner_text("#differing")
    t.until("window.watch.view.charts['Losses: D'].data.length === 3")
    t.page.focus("#equal")
    t.page.keyboard.press("Home")
    assert "000000005" in t.page.get_attribute("#grids img", "src") or "/5.png" in t.page.get_attribute("#grids img", "src")


@pytest.mark.parametrize(("width", "scheme"), [(360, "dark"), (1400, "light")])
def test_nothing_of_a_run_is_read_as_html(watch: str, tab: Tab, width: int, scheme: str) -> None:
    t = tab(watch, width, 800, scheme)
    t.page.wait_for_selector("text=evil<b>")
    t.page.click("text=evil<b>")
    t.until("document.getElementById('moment') && document.getElementById('moment').max === '5'")
    assert EVIL in t.page.inner_text("main")
    assert t.page.evaluate("document.querySelectorAll('main script, main img[src=x], main b').length") == 0
    assert t.page.evaluate("document.documentElement.scrollWidth") <= width
    assert t.low_contrast() == []


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("api/runs/../../etc/passwd", 404),
        ("api/runs/000000000000", 404),
        ("api/runs/%2e%2e/grid/1.png", 404),
        ("static/../lab_app.py", 404),
        ("nothing", 404),
    ],
)
def test_nothing_outside_is_served(watch: str, browser: Any, path: str, status: int) -> None:
    context = browser.new_context()
    assert context.request.get(watch + path).status == status
    context.close()


def test_stopping_needs_the_token(watch: str, browser: Any) -> None:
    context = browser.new_context()
    name = next(line["id"] for line in context.request.get(watch + "api/runs").json()["runs"] if line["name"] == "second")
    assert context.request.post(f"{watch}api/runs/{name}/stop", headers={"x-stop-token": "guess"}).status == 403
    assert context.request.post(f"{watch}api/runs/{name}/stop", headers={"origin": "http://evil.example"}).status == 403
    context.close()


def test_a_run_is_stopped_by_the_token_and_shows_its_nearest_images(
    tmp_path: Path, tab: Tab, serving: Callable[..., Any], soon: Callable[..., None]
) -> None:
    words = ["train", "mnist", "--samples", "10000000", "--net.width", "4", "--net.hidden", "8", "--batch", "8", "--out", "run", "--quiet"]
    training = subprocess.Popen(
        [sys.executable, "-m", "zerosum", *words],
        cwd=tmp_path,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        soon(lambda: (tmp_path / "run" / "record.jsonl").exists())
        told: list[str] = []
        with serving("watch", "run", "--allow-stop", cwd=tmp_path, told=told) as address:
            t = tab(address)
            t.page.click("tbody >> text=run")
            t.page.wait_for_selector("#stop")
            t.page.fill("#stop-token", "another")
            t.page.click("#stop")
            t.page.wait_for_selector("text=not the one that was printed")
            assert training.poll() is None
            token = re.search(r"token for stopping a run: (\S+)", "".join(told))
            assert token is not None, told
            t.page.fill("#stop-token", token[1])
            t.page.click("#stop")
            assert training.wait(120) == 130  # as after Ctrl-C: its state is saved
            t.page.wait_for_selector("text=nterrupted")
            t.page.click("#nearest")
            t.until("document.querySelector('img[alt*=nearest]') && document.querySelector('img[alt*=nearest]').naturalWidth > 100")
            # The refused token is an error of its request, which the browser notes.
            t.complaints[:] = [complaint for complaint in t.complaints if "403" not in complaint]
            t.page.close()  # before its program ends
    finally:
        training.kill()
        training.communicate()


def test_a_training_goes_on_when_its_page_is_killed(tmp_path: Path, soon: Callable[..., None]) -> None:
    options = ["--samples", "60000", "--net.width", "8", "--batch", "32", "--out", "run", "--quiet"]
    code = (
        "import webbrowser, sys; webbrowser.open = lambda url: True; "
        "from zerosum.commands import watching; make = watching.watched; "
        "import zerosum.commands.watching as w; w.watched = lambda run: make(run, port=0, browser=False); "
        "from zerosum.commands.cli import main; sys.exit(main(sys.argv[1:]))"
    )
    training = subprocess.Popen(
        [sys.executable, "-c", code, "train", "ring8", "--watch", *options],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    pages: list[int] = []

    def page_runs() -> bool:
        children = Path(f"/proc/{training.pid}/task/{training.pid}/children").read_text().split()
        pages[:] = [int(child) for child in children if b"watch" in Path(f"/proc/{child}/cmdline").read_bytes()]
        return bool(pages) and (tmp_path / "run" / "record.jsonl").exists()

    soon(page_runs)
    os.kill(pages[0], signal.SIGKILL)
    out, _ = training.communicate(timeout=300)
    assert training.returncode == 0, out
    assert open_run(tmp_path / "run").finished
