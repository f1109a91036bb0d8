"""A bf16 copy plays the same game as autocast; a step may reuse samples; only two numbers a step are read on the host."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import nn
from torch.testing import assert_close
from torch.utils._python_dispatch import TorchDispatchMode

from zerosum.bench.games import Synthetic
from zerosum.data.options import DataOptions
from zerosum.data.source import Data, open_data
from zerosum.data.space import images
from zerosum.engine import conv_autotune as routing
from zerosum.engine.bf16_copy import routes_of, stated_routes
from zerosum.engine.strided import CONVOLUTION, PRODUCT, UNSHUFFLED, Routed, Routes
from zerosum.nets import build
from zerosum.play.config import Config, GameOptions, NetOptions, PlayerOptions, PriorOptions
from zerosum.play.device import Execution, choose, fitted
from zerosum.play.players import Players
from zerosum.play.statistics import STATISTICS
from zerosum.play.step import Algorithm1
from zerosum.runs.run import open_run
from zerosum.training import launch

SHAPE = (1, 12, 12)
RATES = PlayerOptions(lr=1e-3, beta1=0.0, beta2=0.9)
DCGAN = Config(
    prior=PriorOptions(dim=6),
    net=NetOptions(kind="dcgan", width=8, hidden=12),
    d=RATES,
    g=RATES,
    batch=8,
    threads=1,
    device="cpu",
    precision="bf16",
)
BATCH_NORM = replace(DCGAN, net=NetOptions(kind="dcgan", width=8, norm="batch"), game=GameOptions(value="non_saturating", penalty="none"))
REUSED = replace(BATCH_NORM, game=replace(BATCH_NORM.game, fakes="reused"))
RESNET = replace(DCGAN, net=NetOptions(kind="resnet", width=4, depth=1))


def playing(config: Config, engine: Execution | None = None) -> Algorithm1:
    engine = engine or choose(config, "images")
    return Algorithm1(config, Players(config, images(SHAPE), torch.device("cpu")), Synthetic(SHAPE, 64), images(SHAPE), engine)


def gradients(rounds: Algorithm1) -> dict[str, torch.Tensor]:
    players = {"D": rounds.players.D, "G": rounds.players.G}
    return {f"{w}.{n}": p.grad.clone() for w, m in players.items() for n, p in m.named_parameters() if p.grad is not None}


@pytest.mark.parametrize("config", [DCGAN, BATCH_NORM, REUSED, RESNET])
def test_a_bf16_copy_plays_what_autocast_plays(config: Config) -> None:
    """One round: the same statistics, gradients and running statistics, but for the order in which bf16 rounds."""
    copied, eager = playing(config), playing(replace(config, engine="eager"))
    assert set(copied.networks.copies) == {"d", "g"}
    assert not eager.networks.copies
    assert_close(copied.step(0, None), eager.step(0, None), rtol=0.03, atol=0.03, equal_nan=True)
    found, expected = gradients(copied), gradients(eager)
    largest = max(float(g.norm()) for g in expected.values())
    for name, theirs in expected.items():
        # A single bias's gradient is a sum that nearly cancels: it errs as the terms do. A branch that starts at zero has none at all.
        scale = float(theirs.norm()) if theirs.numel() > 1 else largest
        assert_close((found[name] - theirs).norm(), torch.zeros(()), rtol=0, atol=0.05 * scale)
    buffers = {name: b for name, b in copied.players.weights().items() if "running" in name or "batches" in name}
    assert_close(buffers, {name: eager.players.weights()[name] for name in buffers}, rtol=0.03, atol=0.03)


def test_routes_play_the_same_round() -> None:
    engine = choose(DCGAN, "images")
    routed = playing(DCGAN, replace(engine, routes="d.layers.0:down+up+outer g.layers.1:outer"))
    assert isinstance(routed.networks.copies["d"].module.get_submodule("layers.0"), Routed)
    assert_close(routed.step(0, None), playing(DCGAN).step(0, None), rtol=0.03, atol=0.03, equal_nan=True)


def test_routes_are_read_as_they_are_written() -> None:
    stated = "d.down.1:outer+up g.up.0:down-unshuffled"
    assert routes_of(stated, "d") == {"down.1": Routes(up=PRODUCT, outer=PRODUCT)}
    assert routes_of(stated, "g") == {"up.0": Routes(down=UNSHUFFLED)}
    assert routes_of("", "g") == {}
    mixed = Routes(up=UNSHUFFLED, outer=PRODUCT)
    assert routes_of(stated_routes("d", "a.b", mixed), "d") == {"a.b": mixed}


def test_without_timing_maps_up_to_an_image_are_unshuffled() -> None:
    players = Players(BATCH_NORM, images(SHAPE), torch.device("cpu"))
    engine = choose(BATCH_NORM, "images")
    usual = "d.layers.0:up-unshuffled g.layers.0:up-unshuffled"
    assert fitted(engine, BATCH_NORM, players, SHAPE) == replace(engine, routes=usual)
    assert fitted(engine, replace(BATCH_NORM, engine="eager"), players, SHAPE) == engine
    assert fitted(engine, BATCH_NORM, players, None) == engine  # a person's own modules


@pytest.mark.parametrize(
    ("seconds", "routes"),
    [
        ({CONVOLUTION: 2.0, PRODUCT: 1.0, UNSHUFFLED: 1.5}, "d.layers.0:down+up+outer g.layers.0:down+up+outer"),
        ({CONVOLUTION: 1.1, PRODUCT: 1.0, UNSHUFFLED: 1.2}, ""),
    ],
)
def test_the_fastest_route_is_taken(monkeypatch: pytest.MonkeyPatch, seconds: dict[str, float], routes: str) -> None:
    players, timed = Players(BATCH_NORM, images(SHAPE), torch.device("cpu")), []
    monkeypatch.setattr(routing, "_seconds", lambda work, route: timed.append(work(route).shape) or seconds[route])
    inputs = {"d": (8, *SHAPE), "g": (8, 6)}
    modules = {"d": players.D, "g": players.G}
    assert routing.faster_routes(modules, inputs, torch.bfloat16, until=float("inf")) == routes
    assert len(timed) == 9  # Three maps by three routes. The last layer of G has the shape of D's first, and is not timed again.
    late = routing.faster_routes(modules, inputs, torch.bfloat16, until=0.0)
    assert (late, len(timed)) == (routing.usual_routes(modules), 9)


def test_a_bf16_copy_is_refreshed() -> None:
    """After an update by fused Adam, and after somebody has written the weights between two rounds."""
    rounds = playing(DCGAN)
    for t in range(2):
        rounds.step(t, None)
    for letter, player in (("d", rounds.players.D), ("g", rounds.players.G)):
        mine = rounds.networks.module(letter).state_dict()
        assert_close(mine, {name: p.bfloat16() for name, p in player.state_dict().items()}, rtol=0, atol=0)
    tensors = [*rounds.players.weights().values(), *rounds.players.moments().values()]
    before = [t.clone() for t in tensors]
    played = rounds.step(2, None)
    for tensor, then in zip(tensors, before, strict=True):
        tensor.copy_(then)
    assert_close(rounds.step(2, None), played, rtol=0, atol=0, equal_nan=True)


def test_own_modules_of_other_layers_play_themselves() -> None:
    given = nn.Sequential(nn.Linear(6, 144), nn.PReLU(), nn.Unflatten(1, SHAPE)), nn.Sequential(nn.Flatten(), nn.Linear(144, 1))
    players = Players(DCGAN, images(SHAPE), torch.device("cpu"), given)
    engine = fitted(choose(DCGAN, "images"), DCGAN, players, None)
    assert engine.engine == "eager"
    assert "only autocast" in engine.reason


class Seen(TorchDispatchMode):
    """Counts operators by name."""

    def __init__(self) -> None:
        super().__init__()
        self.count: Counter[str] = Counter()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.count[func.overloadpacket.__name__] += 1
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize("config", [DCGAN, REUSED, replace(DCGAN, engine="eager", precision="float32")])
def test_a_round_reads_two_numbers_on_the_host(config: Config) -> None:
    """On a CPU, whether each player's cost and gradient are finite; nothing else in a round waits for a number."""
    rounds = playing(config)
    rounds.step(0, None)
    with Seen() as seen:
        rounds.step(1, None)
    assert seen.count["_local_scalar_dense"] == 2
    assert not {"nonzero", "item", "is_nonzero"} & seen.count.keys()


def test_reused_fakes_are_drawn_once_a_round() -> None:
    calls = Counter[str]()
    for name, config in (("fresh", BATCH_NORM), ("reused", REUSED)):
        rounds = playing(config)
        rounds.networks.copies["g"].module.register_forward_hook(lambda *_, name=name: calls.update([name]))
        for t in range(3):
            rounds.step(t, None)
        assert int(rounds.players.G.norms[0].num_batches_tracked) == 3  # Running statistics move once a round, either way.
    assert calls == {"fresh": 6, "reused": 3}


def test_reused_fakes_give_g_the_gradient_at_those_fakes() -> None:
    one, other = playing(REUSED), playing(BATCH_NORM)
    sampler = other.sampler
    other.sampler = lambda t, horizon: sampler(t, horizon)._replace(z_g=tuple(z.clone() for z in one.sampler(t, horizon).z_g))  # type: ignore[assignment]
    assert_close(one.step(0, None), other.step(0, None), equal_nan=True)
    assert_close(gradients(one), gradients(other))


@pytest.fixture(scope="module")
def pictures() -> Data:
    return open_data(Synthetic(SHAPE, 64).items[:, 0].numpy(), DataOptions())


@pytest.mark.parametrize("config", [DCGAN, REUSED])
def test_a_resumed_run_is_the_run(config: Config, pictures: Data, tmp_path: Path) -> None:
    """With bf16 copies, and with reused samples; run.json says so."""
    launch.train(pictures, tmp_path / "whole", config, samples=8 * 6)
    launch.train(pictures, tmp_path / "halves", config, samples=8 * 3)
    launch.resume(tmp_path / "halves", samples=8 * 6, data=pictures)
    states = []
    for name in ("whole", "halves"):
        run = open_run(tmp_path / name)
        newest = sorted((run.path / "checkpoints").iterdir())[-1]
        states.append({f"{f.name}:{k}": v for f in sorted(newest.glob("*.safetensors")) for k, v in load_file(f).items()})
    assert_close(states[0], states[1], rtol=0, atol=0)
    assert json.loads((tmp_path / "whole" / "run.json").read_text())["engine"]["engine"] == "bf16_copy"
    assert len(STATISTICS) == len([k for k in open_run(tmp_path / "whole").rows("signals")[-1] if k in STATISTICS])


@pytest.mark.parametrize("classes", [0, 10])
def test_the_layers_to_be_timed_are_found_in_conditional_nets_too(classes: int) -> None:
    options = {"width": 128, "norm": "none", "slope": 0.2, "hidden": 16, "refine": 0, "elastic": 0.0}
    G, D = build("dcgan", (1, 28, 28), 16, options, classes)
    for player, batch in ((G, (8, 16)), (D, (8, 1, 28, 28))):
        found = list(routing.candidates(player, batch))
        assert found
        assert all(size[0] == 8 for _, size, _ in found)
