"""The arithmetic of a training step, the machine's peak, and where the time goes."""

from __future__ import annotations

import re
import time
from collections import defaultdict
from typing import Any

import torch
from torch.profiler import ProfilerActivity, profile
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from zerosum.bench.clock import Work, clock

GEMM, GEMM_GPU = 1024, 8192  # rows of the square products that measure the roofline: a GPU is not filled by the first
# Kinds of operation by the names of PyTorch's operators, looked for in this order.
KINDS: tuple[tuple[str, str], ...] = (
    ("convolution, backward", r"conv.*backward|conv_.*weight|conv_.*input"),
    ("convolution", r"conv"),
    ("matrix products", r"mm|matmul|linear|dot"),
    ("copies and casts", r"copy|cat|contiguous|clone|aten::to|as_strided|pad"),
    ("normalisation", r"batch_norm"),
    ("optimiser and average", r"adam|lerp|addcmul|addcdiv|_foreach"),
    ("random numbers", r"normal|rand|uniform|bernoulli"),
    ("elementwise and sums", r"relu|add|mul|div|sub|sum|mean|pow|square|softplus|sigmoid|tanh|fill|zero|neg|std|where|norm|gt|lt|sqrt"),
)


class _Counter(TorchDispatchMode):  # type: ignore[no-untyped-call]
    # PyTorch's FlopCounterMode uses module hooks that fail with `autograd.grad`; its formulas work without them.

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.total = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        formula = flop_registry.get(func.overloadpacket)
        if formula is not None:
            self.total += int(formula(*args, **(kwargs or {}), out_val=out))
        return out


def operations(work: Work) -> int:
    """Floating-point operations of one call, counted from the shapes of its products and convolutions (a multiply-add is two)."""
    with _Counter() as counter:
        work()
    return int(counter.total)


def product_rate(dtype: torch.dtype, device: str = "cpu", repeats: int = 7) -> float:
    """The fastest of several square matrix products, in operations a second: the roofline that training steps are compared with."""
    n = GEMM if device == "cpu" else GEMM_GPU
    a, b = (torch.ones(n, n, dtype=dtype, device=device) for _ in range(2))
    best, (_, now) = float("inf"), clock()
    for _ in range(repeats + 1):
        start = now()
        a @ b
        if device != "cpu":
            torch.cuda.synchronize()
        best = min(best, now() - start)
    return 2 * n**3 / best


def kind_of(operator: str) -> str:
    """The kind of an operator, by its name: "other" where none fits."""
    return next((kind for kind, pattern in KINDS if re.search(pattern, operator.lower())), "other")


def shares(work: Work, calls: int = 3) -> dict[str, float]:
    """The share of each kind of operation in the time of `calls` calls, largest first, as the profiler sees it; they sum to 1.

    "the host": the time outside PyTorch's operators, in Python and in the autograd engine.
    """
    with profile(activities=[ProfilerActivity.CPU], acc_events=True) as watched:
        start = time.perf_counter()
        for _ in range(calls):
            work()
        whole = time.perf_counter() - start
    spent: dict[str, float] = defaultdict(float)
    for event in watched.key_averages():
        if event.key.startswith("aten::"):
            spent[kind_of(event.key)] += event.self_cpu_time_total / 1e6
    spent["the host"] = max(0.0, whole - sum(spent.values()))
    total = sum(spent.values())
    return {kind: seconds / total for kind, seconds in sorted(spent.items(), key=lambda item: -item[1])}
