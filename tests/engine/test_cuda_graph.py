"""Algorithm1 that are recorded once and replayed: what a recording holds, seen on devices that every machine has."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from zerosum.bench.games import Synthetic
from zerosum.data.batch import Batch
from zerosum.data.space import images
from zerosum.engine.cuda_graph import WARM_UP_STEPS, GraphedStep, Recording
from zerosum.errors import Refusal
from zerosum.game.penalty import PENALTIES
from zerosum.game.value import VALUES
from zerosum.play.config import Config, GameOptions, NetOptions, PlayerOptions, PriorOptions
from zerosum.play.device import Execution, choose, fitted
from zerosum.play.distributed import Processes
from zerosum.play.players import Players
from zerosum.play.step import Algorithm1
from zerosum.training import launch

SHAPE, HORIZON = (1, 8, 8), 4 * 16
PLAYER = PlayerOptions(lr=1e-2, lr_end=1e-3)
BASE = Config(
    game=GameOptions(value="relativistic", penalty="r1r2", gamma=1.0, gamma_end=0.1),
    prior=PriorOptions(dim=4),
    net=NetOptions(kind="dcgan", width=4, hidden=8, norm="none"),
    d=PLAYER,
    g=PLAYER,
    batch=4,
    threads=1,
    device="cpu",
)
MUON = replace(PLAYER, optimiser="muon", beta1=0.5)


def config_of(**given: Any) -> Config:
    game = {k: v for k, v in given.items() if k in GameOptions.__dataclass_fields__}
    net = {k: v for k, v in given.items() if k in NetOptions.__dataclass_fields__}
    rest = {k: v for k, v in given.items() if k not in (*game, *net)}
    return replace(BASE, game=replace(BASE.game, **game), net=replace(BASE.net, **net), **rest)


CONFIGS = {
    **{name: config_of(value=name) for name in VALUES},
    **{f"penalty {name}": config_of(penalty=name) for name in PENALTIES},
    "by autograd": config_of(engine="eager"),
    "by autograd, between": config_of(engine="eager", penalty="gp"),
    "steps": config_of(k=2, g_steps=2),
    "simultaneous": config_of(order="simultaneous"),
    "reused, BatchNorm": config_of(fakes="reused", penalty="none", norm="batch"),
    "muon": config_of(d=MUON, g=MUON, value="non_saturating"),
    "resnet": config_of(kind="resnet", hidden=0),
    "mlp": config_of(kind="mlp", hidden=0),
    "by class": config_of(classes="auto"),
    "augmented": config_of(augment="diffaugment"),
}
SPACE = replace(images(SHAPE), classes=("a", "b", "c"))


class Labelled(Synthetic):
    """Synthetic images whose labels change from batch to batch."""

    def batch(self, n: int, seed: int, counter: int) -> Batch:
        return Batch(super().batch(n, seed, counter).x, torch.arange(counter, counter + n) % 3)


def rounds(config: Config, device: str = "cpu", engine: str = "graph") -> Algorithm1:
    chosen = Execution(engine, "float32", 1, device, "", torch.__version__, "", closed_form=config.engine == "auto")
    players = Players(config, SPACE, torch.device(device))
    return Algorithm1(config, players, Labelled(SHAPE, 64), SPACE, chosen)


def again(work: Callable[[], Tensor]) -> Recording:
    """A recording that does the work anew: what a replay is where nothing but the hand's tensors changed."""
    played = torch.empty(13)
    return Recording(lambda: played.copy_(work()), played)


def recorded(it: Algorithm1) -> GraphedStep:
    assert it.graph is not None
    return it.graph


def replaying(config: Config, record: Callable[[Callable[[], Tensor]], Recording]) -> Algorithm1:
    it = rounds(config)
    recorded(it).record = record
    return it


def state(it: Algorithm1) -> list[Tensor]:
    return [t.clone() for t in it.state()]


def plain(config: Config, n: int) -> tuple[list[Tensor], Tensor]:
    it = rounds(config, engine="eager")
    played = [it.step(t, HORIZON) for t in range(n)]
    return state(it), played[-1]


@pytest.mark.parametrize("name", CONFIGS)
def test_replayed_rounds_are_the_rounds(name: str) -> None:
    it = replaying(CONFIGS[name], again)
    played = [it.step(t, HORIZON) for t in range(WARM_UP_STEPS + 4)]
    assert recorded(it)._recording is not None
    assert it.complaint() is None
    ends, last = plain(CONFIGS[name], WARM_UP_STEPS + 4)
    # Rates are float32 numbers on a GPU, and Adam makes much of a gradient that is nearly nothing.
    assert_close(state(it), ends, rtol=1e-3, atol=1e-4)
    assert_close(played[-1], last, rtol=1e-3, atol=1e-4, equal_nan=True)


class Seen(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """What is asked of the device: each operation with all that is not a tensor, and every tensor that comes in or out."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.calls: list[str] = []
        self.read: list[Tensor] = []
        self.made: list[Tensor] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        given = tree_leaves((args, kwargs or {}))
        self.calls.append(f"{func} {[g for g in given if not isinstance(g, Tensor)]}")
        self.read += [g for g in given if isinstance(g, Tensor)]
        # PyTorch has no form of this kernel without values; it writes in place.
        out = None if func is torch.ops.aten._fused_adam_.tensor_lr else func(*args, **(kwargs or {}))
        known = {_place(t) for t in self.read}
        self.made += [t for t in tree_leaves(out) if isinstance(t, Tensor) and _place(t) not in known]
        return out


def _place(t: Tensor) -> int:
    return int(t.untyped_storage()._cdata)


@pytest.fixture
def off_the_host(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tensors of the meta device have no values: who reads one on the host fails, as a recording would."""
    monkeypatch.setattr(Execution, "arithmetic", lambda self: nullcontext())


@pytest.mark.usefixtures("off_the_host")
@pytest.mark.parametrize("name", CONFIGS)
def test_every_round_asks_the_same_of_the_device(name: str) -> None:
    """The same operations with the same Python numbers, on tensors that were there before the round before, and all on the device."""
    it = rounds(CONFIGS[name], "meta", engine="eager")
    replayed = GraphedStep(it.iteration, it.state)
    seen = []
    for t in range(3):
        hand = replayed.still(it.sampler(t, HORIZON))
        with Seen() as mode:
            it.iteration(hand)
        seen.append(mode)
    _, first, second = seen  # The first makes the optimisers' moments.
    assert len(first.calls) > 50
    assert first.calls == second.calls
    assert {t.device.type for mode in seen for t in (*mode.read, *mode.made)} == {"meta"}
    passing = {_place(t) for t in first.made}
    assert not [t for t in second.read if _place(t) in passing]


@pytest.mark.usefixtures("off_the_host")
def test_a_number_of_python_in_a_round_would_be_seen() -> None:
    it = rounds(BASE, "meta", engine="eager")
    replayed = GraphedStep(it.iteration, it.state)
    calls = []
    for t in range(3):
        hand = replayed.still(it.sampler(t, HORIZON))
        with Seen() as mode:
            it.iteration(hand._replace(numbers=hand.numbers._replace(gamma=1 / (1 + t))))
        calls.append(mode.calls)
    assert calls[1] != calls[2]


def nothing(work: Callable[[], Tensor]) -> Recording:
    return Recording(lambda: None, torch.zeros(13))


def half(work: Callable[[], Tensor]) -> Recording:
    """A recording that does its work twice."""
    return Recording(lambda: (work(), work()), torch.zeros(13))


def unable(work: Callable[[], Tensor]) -> Recording:
    raise RuntimeError("operation not permitted when stream is capturing\nand more lines")


def late(work: Callable[[], Tensor]) -> Recording:
    """One that moves the players before it fails."""
    work()
    return unable(work)


@pytest.mark.parametrize(
    ("record", "words"),
    [
        (nothing, "differed from a plain one by 100%"),
        (half, "differed from a plain one"),
        (unable, "(operation not permitted"),
        (late, "recorded"),
    ],
)
def test_a_recording_that_is_not_the_round_is_not_played(record: Callable[..., Recording], words: str) -> None:
    it = replaying(BASE, record)
    for t in range(WARM_UP_STEPS + 4):
        it.step(t, HORIZON)
    assert_close(state(it), plain(BASE, WARM_UP_STEPS + 4)[0], rtol=1e-3, atol=1e-4)
    complaint = it.complaint()
    assert complaint is not None
    assert words in complaint
    assert "\n" not in complaint
    assert it.complaint() is None


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)


@pytest.mark.usefixtures("gpu")
def test_who_replays() -> None:
    config = replace(BASE, device="auto")
    assert choose(config, "images").engine == choose(replace(config, engine="graph"), "images").engine == "graph"
    assert (
        choose(replace(config, engine="eager"), "images").engine == choose(replace(config, device="cpu", engine="eager"), "images").engine
    )
    chosen = choose(config, "images")
    players = Players(config_of(kind="mlp", hidden=0, dropout=0.5), images(SHAPE), torch.device("cpu"))
    assert fitted(chosen, config, players, SHAPE).engine == "eager"
    assert fitted(chosen, config, Players(BASE, images(SHAPE), torch.device("cpu")), SHAPE) == chosen
    assert launch.shared(chosen, Processes(0, 2, 2), config, "images").engine == "eager"


def test_a_recording_needs_a_gpu() -> None:
    with pytest.raises(Refusal, match="records steps as CUDA graphs, and the run would be on a CPU: use --engine auto or eager"):
        choose(replace(BASE, engine="graph"), "images")
