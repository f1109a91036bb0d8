"""What ends a training early, and what it leaves: signals, lack of memory, infinities, a disk that stays full; and starting again."""

from __future__ import annotations

import errno
import os
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.testing import assert_close

from zerosum.data.source import Data, open_data
from zerosum.data.space import images, points
from zerosum.errors import Refusal
from zerosum.play import oom
from zerosum.play.config import Config, NetOptions, PriorOptions
from zerosum.play.device import choose
from zerosum.play.distributed import Processes, restarted
from zerosum.play.finite import NotFinite
from zerosum.play.inputs import StepInputs
from zerosum.play.interrupt import Stop, at_once, interruptible
from zerosum.play.players import Players
from zerosum.play.step import Algorithm1
from zerosum.runs import checkpoint
from zerosum.runs.run import open_run
from zerosum.training import launch
from zerosum.training import state as training_state

POINTS = Config(prior=PriorOptions(dim=4), net=NetOptions(width=16, depth=2), batch=16, average=100, threads=1, device="cpu")


@pytest.fixture(scope="module")
def ring() -> Data:
    return open_data("ring8")


def rounds(ring: Data) -> Algorithm1:
    return Algorithm1(POINTS, Players(POINTS, ring.space, torch.device("cpu")), ring.train, ring.space, choose(POINTS, "points"))


def at_round(t: int, act: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Calls `act` before round t is played."""
    original = Algorithm1.step

    def play(self: Algorithm1, now: int, horizon: int | None) -> torch.Tensor:
        if now == t:
            act()
        return original(self, now, horizon)

    monkeypatch.setattr(Algorithm1, "step", play)


# -- signals ------------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_after_the_round_and_puts_the_handlers_back(
    number: int, ring: Data, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = signal.getsignal(number)
    at_round(7, lambda: os.kill(os.getpid(), number), monkeypatch)
    run = launch.train(ring, tmp_path / "a", POINTS, samples=16 * 100)
    assert (run.rows()[-1]["reason"], run.rows()[-1]["round"], run.checkpoint().round) == ("interrupted", 8, 8)
    assert signal.getsignal(number) is before


def test_the_second_signal_is_the_systems_own() -> None:
    with Stop() as stop:
        os.kill(os.getpid(), signal.SIGTERM)
        assert stop.asked
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
        assert signal.getsignal(signal.SIGINT) is signal.SIG_DFL


def test_a_signal_that_torchrun_passes_on_counts_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "none")
    with Stop() as stop:
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)
        assert stop.asked


def test_outside_of_the_loop_sigterm_is_like_ctrl_c() -> None:
    before = signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        interruptible()
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGTERM)
    finally:
        signal.signal(signal.SIGTERM, before)


def test_where_nothing_is_to_be_finished_a_signal_ends_at_once() -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with at_once():
        assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == [signal.SIG_DFL] * 2
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


# -- numbers ------------------------------------------------------------------------------------------------------------------------------


def test_on_a_gpu_the_optimisers_stand_still_until_the_host_looks(ring: Data, monkeypatch: pytest.MonkeyPatch) -> None:
    """The path of a device that nobody waits for, played on the CPU: from the bad gradient on no weight moves."""
    one = rounds(ring)

    class Elsewhere:
        type = "cuda"

    def poisoned(*args: Any) -> Any:
        loss, by_weight = original(*args)
        return (loss._replace(loss=loss.loss * float("inf")) if now == 3 else loss), by_weight

    original = one.backend.generator_gradients
    for t in range(3):
        one.step(t, None)
    monkeypatch.setattr(one.backend, "generator_gradients", poisoned)
    monkeypatch.setattr(one.guard, "device", Elsewhere())

    weights = {name: t.clone() for name, t in one.players.weights().items() if name.startswith("G.")}
    for now in range(3, 6):
        one.step(now, None)
    assert_close({n: t for n, t in one.players.weights().items() if n.startswith("G.")}, weights, rtol=0, atol=0)
    with pytest.raises(NotFinite, match="step 4"):
        one.guard.require_finite(6)


def test_an_average_that_is_not_finite_is_never_saved(ring: Data, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    held: list[Players] = []
    original = Players.__init__
    monkeypatch.setattr(Players, "__init__", lambda self, *args: (original(self, *args), held.append(self))[0])
    at_round(5, lambda: next(held[-1].ema.module.parameters()).fill_(float("inf")), monkeypatch)
    run = launch.train(ring, tmp_path / "a", POINTS, samples=16 * 9)
    assert run.rows()[-1]["reason"] == "not finite"
    assert "average." in run.rows()[-1]["message"]
    assert run.checkpoint().round == 0


# -- memory -------------------------------------------------------------------------------------------------------------------------------


def test_lack_of_memory_says_what_was_asked_for_and_what_fits(ring: Data, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    original = Algorithm1.real_samples

    def greedy(self: Algorithm1, inputs: StepInputs, j: int) -> Any:
        x, y = original(self, inputs, j)
        if len(x) > 4 and (inputs.numbers.t >= 3 or self.config.batch != 16):
            torch.empty(2**60)  # the allocator's own refusal
        return x, y

    monkeypatch.setattr(Algorithm1, "real_samples", greedy)
    with pytest.raises(Refusal, match=r"4611686018427387904 bytes could not be had in step 4 at --batch 16; --batch 4 was tried and fits"):
        launch.train(ring, tmp_path / "a", POINTS, samples=16 * 9)
    run = open_run(tmp_path / "a")
    assert run.rows()[-1]["reason"] == "error"
    # The round broke before its first update: what was played until then is saved.
    assert run.checkpoint().round == 3


@pytest.mark.parametrize(
    ("error", "asked"),
    [
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB. GPU 0 has a total"), "20.00 GiB"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 64 bytes. Error code 12"), "64 bytes"),
        (MemoryError("Unable to allocate 40.0 GiB for an array with shape (10,)"), "40.0 GiB"),
        (MemoryError(), "some memory"),
    ],
)
def test_the_allocators_words(error: Exception, asked: str) -> None:
    assert oom.is_lack_of_memory(error)
    assert oom.asked_for(error) == asked
    assert not oom.is_lack_of_memory(RuntimeError("shapes do not match"))


# -- the disk -----------------------------------------------------------------------------------------------------------------------------


def test_a_disk_that_is_full_for_a_while_costs_nothing(ring: Data, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A finished run tries again to save; a fault in mid-run is complained of and the run goes on."""
    monkeypatch.setattr(training_state, "AGAIN", 0.0)
    original, fails = checkpoint._write, [3]

    def full(path: Path, content: bytes) -> Any:
        if "000000009" in str(path) and fails[0] > 0:
            fails[0] -= 1
            raise OSError(errno.ENOSPC, "No space left on device")
        return original(path, content)

    monkeypatch.setattr(checkpoint, "_write", full)
    run = launch.train(ring, tmp_path / "a", POINTS, samples=16 * 9)
    (complaint,) = run.rows("complaint")
    assert "bytes could not be written" in complaint["message"]
    assert run.checkpoint().round == 9
    assert run.checkpoint().meta["record_bytes"] == (run.path / "record.jsonl").stat().st_size


def test_any_other_fault_ends_with_a_checkpoint_of_the_whole_rounds(ring: Data, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fault() -> None:
        raise RuntimeError("a fault")

    at_round(6, fault, monkeypatch)
    with pytest.raises(RuntimeError, match="a fault"):
        launch.train(ring, tmp_path / "a", POINTS, samples=16 * 9)
    run = open_run(tmp_path / "a")
    assert (run.rows()[-1]["reason"], run.rows()[-1]["message"]) == ("error", "a fault")
    assert run.checkpoint().round == 6


# -- other processes ----------------------------------------------------------------------------------------------------------------------


REFUSED: list[Any] = [
    pytest.param(POINTS, "multiple of 3", id="a batch that does not divide"),
    pytest.param(replace(POINTS, batch=15, net=NetOptions(width=8, dropout=0.2)), "--net.dropout 0", id="dropout"),
    pytest.param(
        replace(POINTS, batch=15, net=NetOptions(kind="dcgan", width=4, norm="batch"), game=replace(POINTS.game, penalty="none")),
        "--net.norm none",
        id="BatchNorm",
    ),
]


@pytest.mark.parametrize(("config", "words"), REFUSED)
def test_what_several_processes_cannot_play_is_refused(config: Config, words: str) -> None:
    space = images((1, 16, 16)) if config.net.kind == "dcgan" else points((0.0, 0.0), (1.0, 1.0))
    players = Players(config, space, torch.device("cpu"))
    launch.require_divisible(config, Processes(), players)
    with pytest.raises(Refusal, match=words):
        launch.require_divisible(config, Processes(size=3), players)


def test_started_again_by_torchrun_a_run_goes_on(ring: Data, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    at_round(4, lambda: signal.raise_signal(signal.SIGTERM), monkeypatch)
    run = launch.train(ring, tmp_path / "a", POINTS, samples=16 * 9)
    monkeypatch.undo()
    assert not restarted()
    with pytest.raises(Refusal, match="another run"):
        launch.train(ring, tmp_path / "a", POINTS, samples=16 * 9)
    monkeypatch.setenv("TORCHELASTIC_RESTART_COUNT", "1")
    again = launch.train(ring, tmp_path / "a", POINTS, samples=16 * 9)
    assert [row["round"] for row in again.rows("start")] == [0, 5]
    assert again.finished
    launch.train(ring, tmp_path / "a", POINTS, samples=16 * 9)  # Lost after its end: there is nothing left to do.
    with pytest.raises(Refusal, match="other options"):
        launch.train(ring, run.path, replace(POINTS, batch=8), samples=16 * 9)


def test_a_job_of_the_same_name_goes_on(ring: Data, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that is taken away and comes back starts torchrun anew: its --rdzv-id tells that the run is its own."""
    at_round(4, lambda: signal.raise_signal(signal.SIGTERM), monkeypatch)
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "photos")
    launch.train(ring, tmp_path / "a", POINTS, samples=16 * 9)
    monkeypatch.undo()
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "another")
    with pytest.raises(Refusal, match="another run"):
        launch.train(ring, tmp_path / "a", POINTS, samples=16 * 9)
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "photos")
    assert launch.train(ring, tmp_path / "a", POINTS, samples=16 * 9).finished
