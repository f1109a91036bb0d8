"""What the lab plays is the run of `zerosum train`, bit for bit; and any step can be seen and played on from again, exactly."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import pytest
import torch

from zerosum.commands.cli import main
from zerosum.runs.run import open_run
from zerosum.web.game import Game
from zerosum.web.machine import Machine, State
from zerosum.web.recipe import replay
from zerosum.web.scenarios import SCENARIOS
from zerosum.web.setup import Setup, command_line, data_of, from_json, python
from zerosum.web.timeline import Timeline

SMALL = {"net.width": 8, "net.depth": 1, "net.depth_g": 1, "batch": 16, "net.octaves": 2}


def small(data: str = "ring8", steps: int = 12, **more: Any) -> Setup:
    return from_json({"data": data, "steps": steps, "options": {**SMALL, **more}})


def same(one: State, other: State) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def trained(path: Path) -> State:
    return open_run(path).players().weights()


@pytest.mark.parametrize(
    "setup",
    [
        small(),
        small(steps=9, **{"game.value": "hinge", "game.k": 2, "game.g_steps": 3, "prior.kind": "uniform", "prior.dim": 1}),
        small("drawn:0.1@-0.5,0;0,0.4;0.5,0", **{"d.optimiser": "muon", "net.dropout": 0.2, "net.octaves": 0}),
        from_json({"data": "bimodal", "steps": 8, "options": {"net.width": 8, "batch": 16}}),
    ],
    ids=["plane", "other options", "a drawing", "line"],
)
def test_the_copied_command_gives_the_same_run(setup: Setup, tmp_path: Path) -> None:
    machine = Machine(setup)
    for _ in range(setup.steps):
        machine.step()
    assert main([*shlex.split(command_line(setup))[1:], "--quiet", "--out", str(tmp_path / "run")]) == 0
    assert same(machine.players.weights(), trained(tmp_path / "run"))


def test_the_copied_python_gives_the_same_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    setup, found = small(), {}
    machine = Machine(setup)
    for _ in range(setup.steps):
        machine.step()
    monkeypatch.chdir(tmp_path)
    exec(python(setup), found)  # noqa: S102
    assert same(machine.players.weights(), trained(tmp_path / found["run"].path))


def test_images_are_the_same_run_too() -> None:
    setup = Setup("mnist", (), 10)
    # The preset for digits is conditional, so the command needs no flag for it.
    assert "--preset digits" in command_line(setup)
    assert "--net.classes" not in command_line(setup)
    assert setup.config.net.classes == "auto"
    assert data_of("mnist").classes == tuple("0123456789")


@pytest.mark.parametrize("room", [10**9, 30_000])
def test_every_step_can_be_seen_again(room: int) -> None:
    """Also where only a few states fit into memory."""
    machine = Machine(small())
    time = Timeline.begun(machine)
    time.most_bytes = room
    states = {0: machine.state()}
    for t in range(40):
        moving = {7: "d", 8: "g"}.get(t, "dg")
        time.played(machine, machine.step(moving).numpy(), moving)
        states[t + 1] = machine.state()
        if t == 19:
            machine.change(from_json({"options": {**SMALL, "game.k": 2, "net.depth_g": 2}, "steps": 12}).config)
            time.changed(machine)
            states[20] = machine.state()
    assert (len(time._kept) < 30) == (room < 10**9)
    other = Machine(small())
    for t in (40, 3, 4, 9, 19, 20, 21, 33, 8, 0):
        time.restore(other, t)
        assert other.t == t
        assert same(other.state(), states[t]), t


def test_a_frozen_player_keeps_its_weights() -> None:
    machine = Machine(small())
    for moving, stays in (("d", "G."), ("g", "D.")):
        before = machine.weights()
        machine.step(moving)
        after = machine.weights()
        assert all(torch.equal(before[name], after[name]) == name.startswith(stays) for name in before)


def test_a_branch_leaves_the_first_timeline_alone() -> None:
    game = Game(small())
    for _ in range(10):
        game.step()
    end = game.machine.state()
    game.go_back(4)
    game.change(from_json({"options": {**SMALL, "game.g_steps": 2}, "steps": 12}).config)
    for _ in range(3):
        game.step()
    assert (game.t, [line.time.head for line in game.lines]) == (7, [10, 7])
    game.show(0)
    assert (game.t, same(game.machine.state(), end)) == (10, True)


def test_a_changed_game_is_replayed_from_its_python() -> None:
    game = Game(small())
    for _ in range(5):
        game.step()
    game.change(from_json({"options": {**SMALL, "game.value": "non_saturating", "d.lr": 0.01}, "steps": 12}).config)
    game.step("d")
    game.step()
    code, found = game.describe()["python"], {}
    assert game.describe()["command"].startswith("#")
    exec(code, found)  # noqa: S102
    assert same(found["machine"].state(), game.machine.state())
    assert replay(small().to_json(), 2).t == 2


def test_a_new_layer_of_g_keeps_d() -> None:
    machine = Machine(small())
    machine.step()
    before = machine.state()
    machine.change(from_json({"options": {**SMALL, "net.depth_g": 3}, "steps": 12}).config)
    after = machine.state()
    assert all(torch.equal(before[name], after[name]) for name in before if name.startswith(("D.", "d.")))
    assert len([name for name in after if name.startswith("G.")]) > len([name for name in before if name.startswith("G.")])


@pytest.mark.parametrize("name", SCENARIOS)
def test_every_scenario_and_its_cure_can_be_played(name: str) -> None:
    from zerosum.api.training import with_options

    row = SCENARIOS[name]
    assert from_json(row.setup.to_json()).config == row.setup.config
    game = Game(row.setup)
    assert game.step()
    if row.cured is not None:
        assert Game(row.cured).step()
    else:
        changed = with_options(game.machine.config, row.cure)
        assert changed != game.machine.config
        game.change(changed)
        assert game.step()


def test_ahead_trains_d_alone() -> None:
    machine = Machine(from_json({"data": "bimodal", "ahead": 2, "far": -3.0, "options": {"net.width": 8, "batch": 16}}))
    G = {name: t for name, t in machine.weights().items() if name.startswith("G.")}
    machine.step()
    machine.step()
    assert all(torch.equal(t, machine.weights()[name]) for name, t in G.items())
    machine.step()
    assert not all(torch.equal(t, machine.weights()[name]) for name, t in G.items())
