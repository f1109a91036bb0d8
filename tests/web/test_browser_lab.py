"""Every control of the lab, in Chromium."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from websockets.sync.client import connect
from websockets.typing import Origin

# `make test` runs the tests in a browser in one process, after all others: two games at once starve each other on two cores.
pytestmark = pytest.mark.browser

FAST = {"net.width": 8, "net.depth": 1, "net.depth_g": 1, "batch": 32, "net.octaves": 2}
STEP = "window.lab && window.lab.frames.a && window.lab.state"
Tab = Callable[..., Any]


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory, browser: Any, serving: Callable[..., Any]) -> Iterator[str]:
    with serving("lab", cwd=tmp_path_factory.mktemp("lab")) as address:
        yield address


def link(lab: str, **setup: Any) -> str:
    return f"{lab}#{quote(json.dumps({'options': FAST, **setup}))}"


def steps(tab: Any) -> int:
    return int(tab.page.evaluate("window.lab.state.games.a.head"))


def test_play_pause_steps_and_time(lab: str, tab: Tab) -> None:
    t = tab(link(lab))
    t.until(f"{STEP} && window.lab.frames.a.t > 5")
    t.page.click("#play")
    t.until("!window.lab.state.playing")
    assert t.page.inner_text("#play") == "Play"
    head = steps(t)
    for button in ("#one", "#only-d", "#only-g"):
        t.page.click(button)
    t.until(f"window.lab.state.games.a.head === {head + 3} && window.lab.frames.a.t === {head + 3}")
    assert "only={" in t.page.evaluate("window.lab.state.games.a.python")
    t.page.focus("#when")
    for _ in range(3):
        t.page.keyboard.press("ArrowLeft")
    t.until(f"window.lab.state.at === {head} && window.lab.frames.a.t === {head}")
    assert "of" in t.page.inner_text("#when-text")
    before = t.page.evaluate("[...window.lab.frames.a.arrays.samples.slice(0, 20)]")
    t.page.click("#now")
    t.until(f"window.lab.state.at === null && window.lab.frames.a.t === {head + 3}")
    assert t.page.evaluate("[...window.lab.frames.a.arrays.samples.slice(0, 20)]") != before
    # A branch: one option changed in the past.
    t.page.evaluate("window.lab.seek(3)")
    t.until("window.lab.state.at === 3 && window.lab.frames.a.t === 3")
    t.page.fill("#option-game-k", "2")
    t.page.press("#option-game-k", "Tab")
    t.until("window.lab.state.games.a.lines.length === 2 && window.lab.state.games.a.options['game.k'] === 2")
    assert steps(t) == 3
    t.page.select_option("#line", "0")
    t.until(f"window.lab.state.games.a.head === {head + 3} && window.lab.state.games.a.options['game.k'] === 1")


def test_slow_motion_lights_the_parts_with_a_sentence(lab: str, tab: Tab) -> None:
    t = tab(link(lab))
    t.until(f"{STEP}")
    t.page.click("#slow")
    t.until(
        "document.querySelectorAll('#model .lit').length > 0 && document.getElementById('phase-text').textContent.includes('minibatch')"
    )
    t.page.click("#slow")
    t.until("!window.lab.state.playing && document.querySelectorAll('#model .lit').length === 0")


def test_options_change_while_it_plays_and_mistakes_are_sentences(lab: str, tab: Tab) -> None:
    t = tab(link(lab))
    t.until(f"{STEP} && window.lab.frames.a.t > 2")
    changes = {"game-value": "hinge", "game-penalty": "r1", "d-optimiser": "muon", "net-activation": "relu", "prior-kind": "uniform"}
    for name, value in changes.items():
        t.page.select_option(f"#option-{name}", value)
    for name, value in {
        "d-lr": "0.002",
        "g-lr": "1e-3",
        "game-g-steps": "2",
        "net-depth": "2",
        "net-width": "12",
        "prior-dim": "1",
    }.items():
        t.page.fill(f"#option-{name}", value)
        t.page.press(f"#option-{name}", "Enter")
    t.until("window.lab.state.games.a.options['prior.dim'] === 1 && window.lab.state.games.a.options['net.width'] === 12")
    options = t.page.evaluate("window.lab.state.games.a.options")
    assert (options["game.value"], options["d.optimiser"], options["g.lr"], options["game.g_steps"]) == ("hinge", "muon", 0.001, 2)
    assert t.page.evaluate("window.lab.state.playing")
    t.page.fill("#option-d-lr", "fast")
    t.page.press("#option-d-lr", "Enter")
    t.until("document.getElementById('message').textContent.includes('d.lr must be a number')")
    at = steps(t)
    t.until(f"window.lab.state.games.a.head > {at}")


def test_layers_curves_and_numbers(lab: str, tab: Tab) -> None:
    t = tab(link(lab, data="blobs", options={**FAST, "game.value": "minimax"}))
    t.until(f"{STEP} && window.lab.frames.a.t > 5 && window.lab.stage.kind() === 'plane'")
    t.page.click("#play")
    t.until("!window.lab.state.playing")
    shown = "document.getElementById('view-a').toDataURL()"
    for name in ("reals", "samples", "D", "D_star", "p_data", "p_g", "lattice", "pull"):
        before = t.page.evaluate(shown)
        t.page.click(f"#layer-{name}")
        assert t.page.evaluate(shown) != before, name
    numbers = t.page.inner_text("#numbers")
    assert "of 3" in numbers
    assert "JSD" in numbers
    assert t.page.evaluate("window.lab.charts.jsd.data[0].length > 1 && window.lab.charts.loss.data[1].length > 1")
    assert "3 modes" in t.page.inner_text("#modes")
    assert -1.6 < t.page.evaluate("window.lab.frames.a.V") < 0
    t.page.click("#figure")
    t.until("document.querySelector('#figure-place img') && document.querySelector('#figure-place img').naturalWidth > 800")


def test_a_line_is_exact(lab: str, tab: Tab) -> None:
    t = tab(link(lab, data="bimodal", options={"net.width": 16}))
    t.until(f"{STEP} && window.lab.stage.kind() === 'line' && window.lab.frames.a.kind === 'line' && window.lab.frames.a.t > 3")
    assert "exact" in t.page.inner_text("#caption")
    frame = t.page.evaluate("({jsd: window.lab.frames.a.jsd, V: window.lab.frames.a.V_star})")
    assert abs(frame["V"] + 1.3862943611 - 2 * frame["jsd"]) < 1e-6  # Theorem 1.


def test_data_seed_start_and_drawing(lab: str, tab: Tab) -> None:
    t = tab(link(lab))
    t.until(f"{STEP}")
    t.page.select_option("#data", "moons")
    t.until("window.lab.state.games.a.setup.data === 'moons'")
    t.page.fill("#seed", "7")
    t.page.press("#seed", "Enter")
    t.until("window.lab.state.games.a.options.seed === 7")
    t.page.fill("#length", "300")
    t.page.press("#length", "Enter")
    t.until("window.lab.state.games.a.setup.steps === 300")
    t.page.select_option("#data", "draw")
    t.page.focus("#pad")
    for key in ("Space", "ArrowRight", "ArrowRight", "Space", "ArrowUp", "Space"):
        t.page.keyboard.press(key)
    box = t.page.locator("#pad").bounding_box()
    t.page.mouse.move(box["x"] + 30, box["y"] + 30)
    t.page.mouse.down()
    t.page.mouse.move(box["x"] + 150, box["y"] + 120, steps=4)
    t.page.mouse.up()
    t.page.click("#pad-use")
    t.until("(window.lab.state.games.a.setup.data || '').startsWith('drawn:') && window.lab.stage.kind() === 'plane'")
    assert "drawn:0.05@" in t.page.inner_text("#recipe")
    t.page.select_option("#data", "line")
    t.until("window.lab.state.games.a.setup.data === 'line'")
    t.page.select_option("#start", "500")
    t.until("window.lab.state.games.a.head >= 500")


def test_two_games_and_back(lab: str, tab: Tab) -> None:
    t = tab(link(lab))
    t.until(f"{STEP}")
    t.page.select_option("#compare-option", "game.g_steps")
    t.page.fill("#compare-value", "3")
    t.page.click("#compare")
    t.until("window.lab.state.games.b && window.lab.frames.b && window.lab.frames.b.t > 2 && document.getElementById('view-b')")
    assert t.page.evaluate("window.lab.state.games.b.options['game.g_steps']") == 3
    assert t.page.evaluate("window.lab.state.games.a.options['game.g_steps']") == 1
    t.page.click("#compare-off")
    t.until("!window.lab.state.games.b && !document.getElementById('view-b')")


def test_scenarios_and_their_cures(lab: str, tab: Tab) -> None:
    t = tab(link(lab))
    t.until(f"{STEP}")
    for name in ("oscillation", "blind"):
        t.page.click(f"#scenario-{name}")
        t.until(f"window.lab.state.scenario === '{name}' && window.lab.state.playing")
        assert t.page.is_visible("#message")
        t.page.click(f"#cure-{name}")
        t.until("!document.getElementById('message').hidden && (window.lab.state.games.a.options['game.penalty'] === 'r1')")
    t.until("!window.lab.state.games.a.setup.blind")


def test_the_tour_has_eight_steps(lab: str, tab: Tab) -> None:
    t = tab(link(lab))
    t.until(f"{STEP}")
    t.page.click("#tour-start")
    for i in range(8):
        t.until(f"document.getElementById('tour-place').textContent === '{i + 1} of 8'")
        assert t.page.inner_text("#tour-title").startswith(f"{i + 1}.")
        t.page.click("#tour-next")
    t.until("!document.getElementById('tour').open")


def test_links_copies_figure_and_export(lab: str, tab: Tab, tmp_path: Path) -> None:
    t = tab(link(lab, data="gaussian", options={"net.width": 8, "batch": 32}, steps=50))
    t.until(f"{STEP} && window.lab.frames.a.t > 30")
    t.page.click("#play")
    t.until("!window.lab.state.playing")
    t.page.click("#copy-python")
    assert "zs.train('gaussian'" in t.page.inner_text("#recipe")
    t.page.click("#copy-command")
    assert t.page.inner_text("#recipe").startswith("zerosum train gaussian --samples")
    assert "gaussian" in t.page.evaluate("decodeURIComponent(location.hash)")
    t.page.click("#figure")
    t.until("document.querySelector('#figure-place img') && document.querySelector('#figure-place img').naturalWidth > 800")
    with t.page.expect_download() as download:
        t.page.click("#export")
    file = tmp_path / "session.html"
    download.value.save_as(file)
    offline = tab(file.as_uri())
    offline.page.context.set_offline(True)
    offline.until("document.querySelectorAll('#layers input').length === 8 && document.getElementById('step').textContent !== '0'")
    shown = "document.getElementById('view').toDataURL()"
    last = offline.page.evaluate(shown)
    offline.page.focus("#when")
    offline.page.keyboard.press("Home")
    offline.until("document.getElementById('step').textContent === '0'")
    assert offline.page.evaluate(shown) != last
    first = offline.page.evaluate(shown)
    offline.page.click("#layer-D")
    assert offline.page.evaluate(shown) != first
    assert file.stat().st_size < 3_000_000


def test_images_by_class(lab: str, tab: Tab) -> None:
    t = tab(f"{lab}#{quote(json.dumps({'data': 'mnist', 'options': {'net.width': 4, 'net.hidden': 8, 'batch': 8}}))}")
    t.until("window.lab && window.lab.frames.a && window.lab.frames.a.kind === 'images' && window.lab.stage.kind() === 'images'")
    t.page.click("#play")
    t.until("!window.lab.state.playing && document.getElementById('single-opinion').textContent.includes('opinion')")
    picture = "document.getElementById('single').toDataURL()"
    before = t.page.evaluate(picture)
    t.page.select_option("#digit", "7")
    t.until(f"{picture} !== {before!r}")
    before = t.page.evaluate(picture)
    t.page.focus("#z-0")
    t.page.keyboard.press("End")
    t.until(f"{picture} !== {before!r}")
    t.page.click("#new-z")
    t.page.click("#walk")
    t.until("document.getElementById('walk-view').width === 280")
    t.page.click("#layer-opinion")


@pytest.mark.parametrize(("width", "scheme"), [(360, "dark"), (360, "light"), (1400, "dark")])
def test_nothing_is_wider_than_the_window_and_all_can_be_read(lab: str, tab: Tab, width: int, scheme: str) -> None:
    t = tab(link(lab), width, 740, scheme)
    t.until(f"{STEP} && window.lab.stage.kind()")
    assert t.page.evaluate("document.documentElement.scrollWidth") <= width
    unnamed = t.page.evaluate(
        "[...document.querySelectorAll('button, input, select, canvas')].filter((c) => !(c.labels && c.labels.length)"
        " && !c.getAttribute('aria-label') && !c.textContent.trim()).map((c) => c.outerHTML)"
    )
    assert unnamed == []
    assert t.low_contrast() == []


def test_ten_clients_at_once_and_closed_or_idle_ones_stop_nothing(lab: str, tab: Tab) -> None:
    """Four tabs, and six clients without a browser, which draws too slowly for ten on two processors. Three of these never ask for more."""
    t = tab(link(lab))
    t.until(f"{STEP}")
    others = [tab(lab, 400, 300) for _ in range(3)]
    with ExitStack() as stack:
        socket = lab.replace("http://", "ws://") + "api/lab"
        clients = [stack.enter_context(connect(socket, origin=Origin(lab.rstrip("/")), max_size=None, close_timeout=0.2)) for _ in range(6)]
        for i, client in enumerate(clients):
            while not isinstance(client.recv(timeout=60), bytes):
                pass
            if i % 2:
                client.send('{"do": "seen"}')
        for other in others:
            other.until(STEP)
        for other in others[1:]:
            other.page.close()
        at = steps(t)
        t.until(f"window.lab.state.games.a.head > {at + 5}")
    t.until(f"window.lab.state.games.a.head > {at + 20}")
