"""Several processes that train one pair of players, started by torchrun: each has its rows of the global batch, and gradients are averaged.

There is no wrapper around the nets: a player's gradients, once computed, go through one all-reduce, flattened, so that a penalty's second
derivatives are those of a single process. What the processes must decide together (stop, check, save) is exchanged on the host, beside the
step. Nothing but tensors and JSON is exchanged. docs/scale.md says how to start it.
"""

from __future__ import annotations

import atexit
import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor
from torch import distributed as dist

from zerosum.data.ahead import Ahead
from zerosum.data.batch import Batch
from zerosum.data.each import cores as cores
from zerosum.data.parts import Rows
from zerosum.errors import Refusal
from zerosum.play.interrupt import at_once

# How long a process waits for another before it gives up: longer than drawing any grid or report takes.
TIMEOUT = timedelta(seconds=float(os.environ.get("ZEROSUM_RANK_TIMEOUT", 120)))


class BatchSource(Protocol):
    """Where real samples come from: batch number `counter` of n raw samples, a function of (seed, counter)."""

    def batch(self, n: int, seed: int, counter: int) -> Batch: ...


@contextmanager
def _lost_process_refused() -> Iterator[None]:
    """Turns torch's error for a lost process into a Refusal."""
    try:
        yield
    except RuntimeError as error:
        atexit.unregister(dist.destroy_process_group)
        raise Refusal(
            f"Another process of this training is gone, or has not answered for {TIMEOUT.total_seconds():g} s: look at its own message; "
            "torchrun --max-restarts N starts all again from the last checkpoint."
        ) from error


@dataclass(eq=False)
class Processes:
    """This process's place among `size`: its number `rank`, and how many share its machine, `local`. Alone, nothing here has an effect."""

    rank: int = 0
    size: int = 1
    local: int = 1
    _control: Any = None
    _under_way: tuple[Any, Tensor] | None = field(default=None, init=False)

    @property
    def first(self) -> bool:
        """Whether this process writes the run folder and the display."""
        return self.rank == 0

    def rows(self, n: int) -> slice:
        """This process's rows of a global batch of n."""
        share = n // self.size
        return slice(self.rank * share, (self.rank + 1) * share)

    def batch(self, source: BatchSource, n: int, seed: int, counter: int) -> Batch:
        """This process's rows of global batch number `counter` of n: n / size samples and their labels."""
        if self.size > 1 and isinstance(source, Rows | Ahead) and not source.flip:
            # Stored rows follow one endless order, cut into batches: here into smaller ones, and no process reads another's.
            return source.batch(n // self.size, seed, counter * self.size + self.rank)
        return source.batch(n, seed, counter).rows(self.rows(n))

    @torch.no_grad()
    def average(self, tensors: Sequence[Tensor]) -> None:
        """Replaces each tensor by its mean over the processes, in one exchange. The result has the same bits everywhere."""
        if self.size == 1:
            return
        flat = torch.cat([t.reshape(-1) for t in tensors])
        with _lost_process_refused():
            dist.all_reduce(flat)
            flat /= self.size
            for t, mean in zip(tensors, torch.split(flat, [t.numel() for t in tensors]), strict=True):
                t.copy_(mean.view(t.shape))

    @torch.no_grad()
    def broadcast(self, tensors: Sequence[Tensor]) -> None:
        """Replaces each tensor by the first process's."""
        if self.size == 1:
            return
        with _lost_process_refused():
            for t in tensors:
                whole = t.contiguous()
                dist.broadcast(whole, 0)
                t.copy_(whole)

    def agree(self, requests: Sequence[float]) -> list[float]:
        """Sums of the processes' requests. With several processes, those of the call before (zeros at first), so that nobody waits."""
        if self.size == 1:
            return list(requests)
        before, mine = self._under_way, torch.tensor(requests, dtype=torch.float64)
        with _lost_process_refused():
            self._under_way = (dist.all_reduce(mine, group=self._control, async_op=True), mine)
            if before is None:
                return [0.0] * len(requests)
            before[0].wait()
        return list(before[1].tolist())

    def from_first(self, work: Callable[[], Any]) -> Any:
        """What `work` returns in the first process, which alone calls it: plain JSON values. Its Refusal is raised in all."""
        if self.size == 1:
            return work()
        answer: dict[str, Any] = {}
        refusal: Refusal | None = None
        if self.first:
            try:
                answer = {"value": work()}
            except Refusal as error:
                refusal, answer = error, {"refusal": str(error)}
        answer = self._broadcast_json(answer)
        if refusal is not None:
            raise refusal
        if "refusal" in answer:
            raise Refusal(answer["refusal"])
        return answer["value"]

    def _broadcast_json(self, answer: dict[str, Any]) -> dict[str, Any]:
        content = torch.frombuffer(bytearray(json.dumps(answer).encode()), dtype=torch.uint8)
        length = torch.tensor([len(content)])
        with _lost_process_refused():
            dist.broadcast(length, 0, group=self._control)
            if not self.first:
                content = torch.empty(int(length), dtype=torch.uint8)
            dist.broadcast(content, 0, group=self._control)
        told: dict[str, Any] = json.loads(bytes(content.tolist()))
        return told

    def require_everywhere(self, well: bool, sentence: str) -> None:
        """Raises Refusal, in every process, where `well` is false in one of them."""
        bad = torch.tensor([0.0 if well else 1.0])
        if self.size > 1:
            with _lost_process_refused():
                dist.all_reduce(bad, group=self._control)
        if bad.item():
            raise Refusal(sentence)

    def barrier(self) -> None:
        """Waits until every process has called this."""
        if self._under_way is not None:
            with _lost_process_refused():
                self._under_way[0].wait()
            self._under_way = None
        self.from_first(lambda: None)


ALONE = Processes()


def is_first() -> bool:
    """Whether this process is the one that writes, by torchrun's environment variables."""
    return int(os.environ.get("RANK", 0)) == 0 or int(os.environ.get("WORLD_SIZE", 1)) == 1


def require_name(out: Path | None) -> None:
    """Raises Refusal where torchrun, which may start its processes again, is to train in a folder without a given name."""
    if out is None and "TORCHELASTIC_RUN_ID" in os.environ:
        raise Refusal("Under torchrun the run's folder must be named, so that processes that are started again find it: give --out.")


def job() -> str | None:
    """The name of this job in torchrun's --rdzv-id; None where it has none."""
    name = os.environ.get("TORCHELASTIC_RUN_ID", "none")
    return None if name == "none" else name


def restarted() -> bool:
    """Whether torchrun has started this process again after one of them was lost."""
    return int(os.environ.get("TORCHELASTIC_RESTART_COUNT", 0)) > 0


def join(device: str) -> Processes:
    """This process's place among those that torchrun started, on "cpu" or "cuda"; ALONE without torchrun. Raises Refusal."""
    size = int(os.environ.get("WORLD_SIZE", 1))
    if size == 1 or "RANK" not in os.environ:
        return ALONE
    if not dist.is_available():
        raise Refusal("This build of torch cannot train in several processes: install one with torch.distributed, or start one process.")
    local = int(os.environ.get("LOCAL_WORLD_SIZE", size))
    if device.startswith("cuda"):
        if device != "cuda":
            raise Refusal(f"--device {device} names one GPU and {size} processes were started: use --device cuda, one process a GPU.")
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", 0)) % torch.cuda.device_count())
    with _lost_process_refused(), at_once():
        if not dist.is_initialized():
            from torch.distributed.rendezvous import rendezvous

            store, rank, size = next(rendezvous("env://", timeout=TIMEOUT))
            # torchrun keeps one store over all its restarts: without a name of its own, a start would read a lost process's address.
            start = f"start {os.environ.get('TORCHELASTIC_RESTART_COUNT', 0)}"
            store = dist.PrefixStore(start, store)  # type: ignore[attr-defined]
            backend = "cpu:gloo,cuda:nccl" if device == "cuda" else "gloo"
            dist.init_process_group(backend, store=store, rank=rank, world_size=size, timeout=TIMEOUT)
            atexit.register(dist.destroy_process_group)
        control = dist.new_group(backend="gloo", timeout=TIMEOUT)
    return Processes(dist.get_rank(), size, local, control)
