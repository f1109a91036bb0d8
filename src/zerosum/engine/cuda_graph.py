"""Training steps replayed as one CUDA graph: on a GPU a small net's step waits for the host, which launches kernels one by one.

A step is a function of its inputs (play/inputs.py) and of the players' state, and writes its results where it found them. So its kernels,
recorded once with the inputs in buffers of their own, compute every step to come when the buffers are filled again (PyTorch's notes on
CUDA graphs require no more). The first steps run plainly; they create the optimisers' state and the libraries' workspaces. Then one step
runs twice from the same state, plainly and from the recording. If the results differ, or nothing can be recorded, the run goes on with
plain steps and says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

WARM_UP_STEPS = 3  # steps before the recording: PyTorch's notes ask for a few on a stream of their own
TOLERANCE = 0.05  # of a step's length: sums in another order differ by far less, a step that was not recorded whole by 1

_ONE_BY_ONE = "the GPU is given its work kernel by kernel."

Inputs = Any  # a tuple of tensors, numbers and such tuples, always of the same shapes
Step = Callable[[Inputs], Tensor]


class Recording(NamedTuple):
    """A step's work, recorded: `replay` does it again, and its statistics are then in `statistics`."""

    replay: Callable[[], object]
    statistics: Tensor


Recorder = Callable[[Callable[[], Tensor]], Recording]


def capture(work: Callable[[], Tensor]) -> Recording:
    """Records work on the current GPU without doing it."""
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        statistics = work()
    return Recording(graph.replay, statistics)


class GraphedStep:
    """Runs a step by replay. state: gives every tensor that a step changes, the very tensors."""

    def __init__(self, step: Step, state: Callable[[], Sequence[Tensor]], record: Recorder = capture) -> None:
        self.step, self.state, self.record = step, state, record
        self._recording: Recording | None = None
        self._buffers: Inputs | None = None
        self._played = 0
        self._untold: str | None = None

    def complaint(self) -> str | None:
        """Why steps are not replayed, once; None where they are, or will be."""
        untold, self._untold = self._untold, None
        return untold

    def __call__(self, inputs: Inputs) -> Tensor:
        """The step's statistics."""
        still = self.still(inputs)
        if self._recording is not None:
            self._recording.replay()
            return self._recording.statistics.clone()
        self._played += 1
        return self._try(still) if self._played == WARM_UP_STEPS + 1 else _aside(self.step, still)

    def still(self, inputs: Inputs) -> Inputs:
        """The inputs, in the buffers where the recording reads them."""
        if self._buffers is None:
            device = next(leaf.device for leaf in _leaves(inputs) if isinstance(leaf, Tensor))
            self._buffers = _buffered(inputs, device, {})
            return self._buffers
        for buffer, value in zip(_leaves(self._buffers), _leaves(inputs), strict=True):
            if isinstance(value, Tensor):
                buffer.copy_(value, non_blocking=True)
            elif value is not None:
                buffer.fill_(value)
        return self._buffers

    def _try(self, still: Inputs) -> Tensor:
        """Runs one step both ways, and keeps the recording if it gives the same result."""
        state = [t.detach() for t in self.state()]
        before = [t.clone() for t in state]
        plainly = self.step(still)
        after = [t.clone() for t in state]
        _put(before, state)
        try:
            recording = self.record(lambda: self.step(still))
            recording.replay()
            apart = _apart(before, after, state)
        except RuntimeError as error:
            self._untold = f"A step could not be recorded as a CUDA graph ({str(error).partition(chr(10))[0]}): {_ONE_BY_ONE}"
        else:
            if apart <= TOLERANCE:
                self._recording = recording
                return recording.statistics.clone()
            self._untold = f"A recorded step differed from a plain one by {apart:.0%} of its length: {_ONE_BY_ONE}"
        _put(after, state)
        return plainly


def _leaves(inputs: Inputs) -> Iterator[Any]:
    if isinstance(inputs, tuple):
        for part in inputs:
            yield from _leaves(part)
    else:
        yield inputs


def _buffered(inputs: Inputs, device: torch.device, made: dict[int, Tensor]) -> Inputs:
    """A copy of the inputs with every number as a tensor, for a recording would keep a Python number as it was.

    made: the buffer of each tensor so far, so that inputs which are one tensor stay one.
    """
    if isinstance(inputs, tuple):
        parts = [_buffered(part, device, made) for part in inputs]
        return type(inputs)(*parts) if hasattr(inputs, "_fields") else tuple(parts)
    if isinstance(inputs, Tensor):
        if id(inputs) not in made:
            made[id(inputs)] = inputs.clone()
        return made[id(inputs)]
    if inputs is None:
        return None
    return torch.tensor(inputs, dtype=torch.int64 if isinstance(inputs, int) else torch.float32, device=device)


def _aside(step: Step, inputs: Inputs) -> Tensor:
    """A step on a stream of its own, as PyTorch requires of the steps before a recording."""
    device = next(leaf.device for leaf in _leaves(inputs) if isinstance(leaf, Tensor))
    if device.type != "cuda":
        return step(inputs)
    here, own = torch.cuda.current_stream(), torch.cuda.Stream()  # type: ignore[no-untyped-call]
    own.wait_stream(here)
    with torch.cuda.stream(own):
        statistics = step(inputs)
    here.wait_stream(own)
    return statistics


@torch.no_grad()
def _put(values: Sequence[Tensor], into: Sequence[Tensor]) -> None:
    for value, tensor in zip(values, into, strict=True):
        tensor.copy_(value)


@torch.no_grad()
def _apart(before: Sequence[Tensor], plainly: Sequence[Tensor], replayed: Sequence[Tensor]) -> float:
    """The distance between two ends of a step from one state, as a share of the step's length; 1 where a counter differs."""
    ways = list(zip(before, plainly, replayed, strict=True))
    if not all(torch.equal(a, b) for _, a, b in ways if not a.ndim):
        return 1.0
    wide = [(start.double(), a.double(), b.double()) for start, a, b in ways if a.ndim]
    error = torch.stack([(a - b).square().sum() for _, a, b in wide]).sum()
    step = torch.stack([(a - start).square().sum() for start, a, _ in wide]).sum()
    return float((error / step.clamp_min(1e-60)).sqrt())
