"""How well the page does: `python benchmarks/page.py` prints the figures of docs/lab.md's page, for benchmarks/RESULTS.md.

Ratios are of parts of a second each, by turns in one process, so that a busy machine slows both.
"""

from __future__ import annotations

import json
import os
import platform
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")


def speed(turns: int = 6, seconds: float = 4.0) -> None:
    """Steps a second of the lab while a client takes every frame, over those while none does; and frames a second."""
    from zerosum.web.session import Session
    from zerosum.web.setup import Setup

    session = Session(Setup())
    session.start()
    rates: dict[bool, list[float]] = {True: [], False: []}
    frames = []
    for turn in range(2 * turns):
        watched = bool(turn % 2)
        if watched:
            session.listen(_nothing)
        time.sleep(0.5)
        began, t, n = time.perf_counter(), session.games["a"].t, session.painter.number
        time.sleep(seconds)
        passed = time.perf_counter() - began
        rates[watched].append((session.games["a"].t - t) / passed)
        if watched:
            frames.append((session.painter.number - n) / passed)
            session.forget(_nothing)
    session.close()
    ratio = sum(rates[True]) / sum(rates[False])
    print(
        f"speed with the page over without: {ratio:.2f} ({sum(rates[True]) / turns:.0f} and {sum(rates[False]) / turns:.0f} steps a second)"
    )
    print(f"pictures a second: {sum(frames) / len(frames):.1f}")


def _nothing() -> None:
    pass


def ring() -> None:
    """Seconds of play, of this process's own time, until all modes of the ring are reached and stay so."""
    from zerosum.web.game import Game
    from zerosum.web.setup import Setup
    from zerosum.web.views import view

    game, cpu, whole = Game(Setup()), 0.0, None
    for _ in range(100):
        began = time.process_time()
        for _ in range(10):
            game.step()
        cpu += time.process_time() - began
        if view(game.machine, game.scene)[0]["modes"] < 8:
            whole = None
        elif whole is None:
            whole = (game.t, cpu)
    print(
        f"the ring is whole from step {whole[0]} on, after {whole[1]:.1f} s of computing"
        if whole
        else "the ring was not whole at step 1,000"
    )


def write_long_run(folder: Path, rows: int) -> int:
    """A run folder with a record of so many rows: its size in bytes."""
    (folder / "run.json").write_text(json.dumps({"schema": 2, "data": {"name": "long"}, "config": {}, "asked": {}}))
    with (folder / "record.jsonl").open("w") as file:
        for i in range(rows):
            file.write(row(i))
    return (folder / "record.jsonl").stat().st_size


def row(i: int) -> str:
    names = ("loss_d", "loss_g", "penalty", "a", "b", "a_std", "b_std", "accuracy", "grad_d", "grad_g", "rate")
    return json.dumps({"type": "signals", "round": i, "samples": 64 * i, "seconds": 0.01 * i, **dict.fromkeys(names, 0.123456789)}) + "\n"


def long_record(rows: int = 1_000_000) -> None:
    """Seconds until a run with a record of so many rows is described."""
    from zerosum.web.run_view import WatchedRun

    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        size = write_long_run(folder, rows)
        wall, began = time.perf_counter(), time.process_time()
        run = WatchedRun("0", folder)
        run.refresh()
        json.dumps(run.whole())
        spent = time.perf_counter() - wall, time.process_time() - began
    print(f"a record of {rows:,} rows ({size >> 20} MB): described in {spent[0]:.2f} s ({spent[1]:.2f} s of computing)")


def in_browser(rows: int = 1_000_000, turns: int = 5) -> None:
    """In Chromium: seconds from opening that run to its curves, and from the writing of a row to its being on the page."""
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as temporary, sync_playwright() as playwright:
        folder = Path(temporary) / "long"
        folder.mkdir()
        write_long_run(folder, rows)
        command = [sys.executable, "-m", "zerosum", "watch", str(folder), "--no-browser", "--port", "0"]
        server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert server.stdout is not None
        address = next(found[0] for line in server.stdout if (found := re.search(r"http://\S+", line)))
        chromium = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"])
        drawn = "window.watch && window.watch.view && window.watch.view.charts && window.watch.view.charts['Losses'] && window.watch.view"
        last = f"({drawn}).charts['Losses'].data[0].at(-1)"
        painted, delays = [], []
        for turn in range(turns):
            page = chromium.new_page()
            page.goto(address)
            page.click("tbody >> text=long")
            _until(page, drawn)
            address_of_run = page.url
            page.close()
            page = chromium.new_page()
            began = time.perf_counter()
            page.goto(address_of_run)
            _until(page, drawn)
            painted.append(time.perf_counter() - began)
            with (folder / "record.jsonl").open("a") as file:
                file.write(row(rows + turn))
            began = time.perf_counter()
            _until(page, f"{last} === {64 * (rows + turn)}")
            delays.append(time.perf_counter() - began)
            page.close()
        chromium.close()
        server.terminate()
        server.communicate()
    for name, found in (("a run with that record is painted", painted), ("a new row is on the page", delays)):
        print(f"{name} after {sorted(found)[turns // 2]:.2f} s ({min(found):.2f} to {max(found):.2f})")


def ring_in_browser() -> None:
    """In Chromium: seconds of play until all modes of the ring are reached, with the page open."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        server = subprocess.Popen(
            [sys.executable, "-m", "zerosum", "lab", "--no-browser", "--port", "0"], stdout=subprocess.PIPE, text=True
        )
        assert server.stdout is not None
        address = next(found[0] for line in server.stdout if (found := re.search(r"http://\S+", line)))
        chromium = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"])
        page = chromium.new_page()
        page.goto(address)
        _until(page, "window.lab && window.lab.state")
        page.click("#restart")
        began = time.perf_counter()
        _until(page, "window.lab.frames.a && window.lab.frames.a.t < 100")
        _until(page, "window.lab.frames.a.t > 150 && window.lab.frames.a.modes === 8")
        taken, t = time.perf_counter() - began, page.evaluate("window.lab.frames.a.t")
        print(f"the ring has its 8 modes on the page after {taken:.1f} s, at step {t}")
        chromium.close()
        server.terminate()
        server.communicate()


def _until(page: Any, expression: str) -> None:
    while not page.evaluate(f"Boolean({expression})"):
        page.wait_for_timeout(10)


def ten_tabs() -> None:
    """Memory that ten clients add to the server."""
    import asyncio
    import socket
    import threading

    import uvicorn
    import websockets

    from zerosum.web.lab_app import lab_app
    from zerosum.web.session import Session
    from zerosum.web.setup import Setup

    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(lab_app(Session(Setup()), {}), log_level="error", ws="websockets-sansio"))
    thread = threading.Thread(target=lambda: server.run(sockets=[listening]), daemon=True)
    thread.start()
    url = f"ws://127.0.0.1:{listening.getsockname()[1]}/api/lab"

    async def client(seconds: float) -> None:
        async with websockets.connect(url, max_size=None) as opened:
            end = time.monotonic() + seconds
            while time.monotonic() < end:
                if isinstance(await opened.recv(), bytes):
                    await opened.send('{"do": "seen"}')

    async def clients(n: int, seconds: float) -> int:
        await asyncio.gather(*(client(seconds) for _ in range(n)))
        return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() >> 20

    time.sleep(5)
    one, ten = asyncio.run(clients(1, 5.0)), asyncio.run(clients(10, 5.0))
    print(f"memory with one client {one} MB, with ten {ten} MB (the clients' own included, and what 5 s of play add)")
    server.should_exit = True
    thread.join(10)


if __name__ == "__main__":
    print(platform.processor() or platform.machine(), os.cpu_count(), "cores")
    long_record()
    ring()
    speed()
    ten_tabs()
    in_browser()
    ring_in_browser()
