"""How a round is executed on this machine: device, precision, threads. Chosen once, at a run's first start, and written into it."""

from __future__ import annotations

import os
import re
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass
from typing import Any

import torch

from zerosum.data.modality import MODALITIES
from zerosum.errors import Refusal
from zerosum.play.config import Config

DEVICES = re.compile(r"cpu|cuda(:\d+)?")
Device = torch.device  # Execution's own fields are called torch and device.

REFUSED = {
    "compiled": "is not built: PyTorch's compiler does not differentiate twice, which R1, R2 and the gradient penalty need",
    "graph": "records rounds as CUDA graphs, and the run would be on a CPU",
}


@dataclass(frozen=True)
class Execution:
    """The choice that was made, and why.

    engine: "eager" is PyTorch's own way; "twin" keeps a bf16 copy of each player's weights (engine/bf16_copy.py); "graph" replays whole
    rounds on a
    GPU (engine/cuda_graph.py). isa: `instruction_set`. reason: a
    sentence. routes: which maps of which convolutions are matrix products (`run.routes`), "" for none.
    passes: whether gradients through a D that is piecewise linear take four passes over it rather than six (engine/closed_form.py), and a
    perceptron's own are written out (engine/perceptron.py).
    """

    engine: str
    precision: str
    threads: int
    device: str
    isa: str
    torch: str
    reason: str
    routes: str = ""
    passes: bool = False

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    def prepare(self) -> Device:
        """Sets this process's thread count and gives the device."""
        torch.set_num_threads(self.threads)
        return torch.device(self.device)

    def arithmetic(self) -> AbstractContextManager[Any]:
        """The context in which nets run: bf16 products with float32 weights and sums, or plain float32."""
        if self.precision == "bf16":
            return torch.autocast(torch.device(self.device).type, torch.bfloat16)
        return nullcontext()


def has_bf16_unit() -> bool:
    """Whether this CPU multiplies matrices in bf16 (AMX), and nothing in the environment forbids it."""
    allowed = os.environ.get("ONEDNN_MAX_CPU_ISA", "").upper()
    if allowed not in ("", "DEFAULT", "ALL") and "AMX" not in allowed:
        return False
    return torch.backends.cpu.get_cpu_capability().startswith("AVX512") and bool(torch.cpu._is_amx_tile_supported())


def instruction_set(precision: str) -> str:
    """What this CPU computes with: the instruction set as torch sees it, and for bf16 whether AMX, which adds in another order, is used."""
    return torch.backends.cpu.get_cpu_capability() + ("+AMX" if precision == "bf16" and has_bf16_unit() else "")


def device_of(config: Config) -> str:
    """The device that a config's `device` is on this machine."""
    return config.device if config.device != "auto" else "cuda" if torch.cuda.is_available() else "cpu"


def choose(config: Config, kind: str) -> Execution:
    """The engine for a config and a kind of data (a row of MODALITIES). Raises Refusal for what this machine does not have."""
    device = device_of(config)
    if not DEVICES.fullmatch(device):
        raise Refusal(f"--device must be cpu, cuda, cuda:N or auto, not {device!r}.")
    if device.startswith("cuda") and not torch.cuda.is_available():
        raise Refusal(f"--device {device} was asked for and torch sees no GPU here: use --device cpu.")
    if config.engine in REFUSED and (config.engine != "graph" or device == "cpu"):
        raise Refusal(f"--engine {config.engine} {REFUSED[config.engine]}: use --engine auto or eager.")
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    modality = MODALITIES[kind]
    threads = config.threads or modality.threads or int(os.environ.get("OMP_NUM_THREADS", cores))
    precision, reason = config.precision, "as asked"
    if precision == "auto":
        if not modality.bf16:
            precision, reason = "float32", f"small nets on {kind} gain nothing from bf16"
        elif device != "cpu" or has_bf16_unit():
            precision, reason = "bf16", "this machine has a matrix unit for bf16"
        else:
            precision, reason = "float32", "this machine has no matrix unit for bf16"
    engine = "eager"
    if config.engine == "auto" and precision == "bf16" and device == "cpu":
        engine, reason = "twin", f"{reason}; weights are copied to bf16 once an update"
    if config.engine != "eager" and device != "cpu":
        engine, reason = "graph", f"{reason}; a GPU waits less for one launch a round than for one a kernel"
    isa = instruction_set(precision)
    return Execution(engine, precision, threads, device, isa, torch.__version__, reason, passes=config.engine != "eager")
