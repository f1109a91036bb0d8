"""Whole rounds as replays of one CUDA graph: what a small net's round waits for on a GPU is the host, which launches kernels one by one.

A round is a function of its hand (play/inputs.py) and of the players, and leaves its results where it found them. So its kernels, recorded
once with the hand in buffers of its own, play every round to come when the buffers are filled anew (PyTorch's notes on CUDA graphs ask for
no more). The first rounds are played plainly, which makes the optimisers' moments and the libraries' workspaces. Then one round is played
twice from the same state, plainly and from the recording; if the two part, or nothing can be recorded, the run goes on plainly and says so.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from zerosum.play.inputs import Schedules, StepInputs

PLAIN = 3  # rounds before the recording: PyTorch's notes ask for a few on a stream of their own
APART = 0.05  # of a step's length: kernels that add in any order part by far less, a round that was not recorded whole by 1

_ONE_BY_ONE = "the GPU is given its work kernel by kernel."

Round = Callable[[StepInputs], Tensor]


class Recording(NamedTuple):
    """A round's work, to be done again: `replay` does it, and its statistics are then in `played`."""

    replay: Callable[[], object]
    played: Tensor


Record = Callable[[Callable[[], Tensor]], Recording]


def capture(work: Callable[[], Tensor]) -> Recording:
    """Records work on the current GPU without doing it."""
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        played = work()
    return Recording(graph.replay, played)


class GraphedStep:
    """Plays hands of a round by replay. state: gives every tensor that a round alters, the very tensors."""

    def __init__(self, round: Round, state: Callable[[], Sequence[Tensor]], record: Record = capture) -> None:
        self.round, self.state, self.record = round, state, record
        self._recording: Recording | None = None
        self._still: StepInputs | None = None
        self._played = 0
        self._untold: str | None = None

    def complaint(self) -> str | None:
        """Why rounds are not replayed, once; None where they are, or will be."""
        untold, self._untold = self._untold, None
        return untold

    def __call__(self, hand: StepInputs) -> Tensor:
        """The round's statistics."""
        still = self.still(hand)
        if self._recording is not None:
            self._recording.replay()
            return self._recording.played.clone()
        self._played += 1
        return self._try(still) if self._played == PLAIN + 1 else _aside(self.round, still)

    def still(self, hand: StepInputs) -> StepInputs:
        """The hand, in the buffers where the recording looks for it."""
        device = hand.tensors[0].device
        if self._still is None:
            reals, z_d, z_g, epsilon = (tuple(t.clone() for t in part) for part in (hand.reals, hand.z_d, hand.z_g, hand.epsilon))
            self._still = StepInputs(reals, z_d, z_g, epsilon, _on(device, hand.numbers))
            return self._still
        for mine, dealt in zip(self._still.tensors, hand.tensors, strict=True):
            mine.copy_(dealt, non_blocking=True)
        for number, dealt_number in zip(self._still.numbers, hand.numbers, strict=True):
            assert isinstance(number, Tensor)
            number.fill_(dealt_number)
        return self._still

    def _try(self, still: StepInputs) -> Tensor:
        """Plays a round twice, and keeps the recording if it does what the round does."""
        state = [t.detach() for t in self.state()]
        before = [t.clone() for t in state]
        plainly = self.round(still)
        after = [t.clone() for t in state]
        _put(before, state)
        try:
            recording = self.record(lambda: self.round(still))
            recording.replay()
            apart = _apart(before, after, state)
        except RuntimeError as error:
            self._untold = f"A round could not be recorded as a CUDA graph ({str(error).partition(chr(10))[0]}): {_ONE_BY_ONE}"
        else:
            if apart <= APART:
                self._recording = recording
                return recording.played.clone()
            self._untold = f"A recorded round parted from a plain one by {apart:.0%} of its step: {_ONE_BY_ONE}"
        _put(after, state)
        return plainly


def _aside(round: Round, hand: StepInputs) -> Tensor:
    """A round on a stream of its own, as what is recorded later asks of those before it."""
    if hand.tensors[0].device.type != "cuda":
        return round(hand)
    here, own = torch.cuda.current_stream(), torch.cuda.Stream()  # type: ignore[no-untyped-call]
    own.wait_stream(here)
    with torch.cuda.stream(own):
        played = round(hand)
    here.wait_stream(own)
    return played


def _on(device: torch.device, numbers: Schedules) -> Schedules:
    """The numbers as tensors: a recording would hold a Python number as it was."""
    t, *others = numbers
    return Schedules(
        torch.tensor(t, dtype=torch.int64, device=device), *(torch.tensor(n, dtype=torch.float32, device=device) for n in others)
    )


@torch.no_grad()
def _put(values: Sequence[Tensor], into: Sequence[Tensor]) -> None:
    for value, tensor in zip(values, into, strict=True):
        tensor.copy_(value)


@torch.no_grad()
def _apart(before: Sequence[Tensor], plainly: Sequence[Tensor], replayed: Sequence[Tensor]) -> float:
    """How far two ends of a round from one state lie from one another, as a share of the step; 1 where a counter differs."""
    ways = list(zip(before, plainly, replayed, strict=True))
    if not all(torch.equal(a, b) for _, a, b in ways if not a.ndim):
        return 1.0
    wide = [(start.double(), a.double(), b.double()) for start, a, b in ways if a.ndim]
    error = torch.stack([(a - b).square().sum() for _, a, b in wide]).sum()
    step = torch.stack([(a - start).square().sum() for start, a, _ in wide]).sum()
    return float((error / step.clamp_min(1e-60)).sqrt())
