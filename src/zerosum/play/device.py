"""How training steps are executed on this machine: device, precision, threads, backend. Chosen at a run's first start and recorded."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass, replace
from typing import Any

import torch

from zerosum.data.modality import MODALITIES
from zerosum.engine.bf16_copy import can_be_copied
from zerosum.engine.conv_autotune import usual_routes
from zerosum.errors import Refusal
from zerosum.nets.traits import draws_random_numbers
from zerosum.play.config import Config
from zerosum.play.distributed import cores
from zerosum.play.players import Players

DEVICES = re.compile(r"cpu|cuda(:\d+)?")
Device = torch.device  # `Execution` has fields called torch and device.


@dataclass(frozen=True)
class Execution:
    """The choice that was made, and why.

    engine: "eager" is PyTorch's own way; "bf16_copy" computes with a bf16 copy of each player's weights (engine/bf16_copy.py); "graph"
    replays whole steps on a GPU (engine/cuda_graph.py). isa: see `instruction_set`. reason: a sentence. routes: which maps of which
    convolutions are computed by which other route (engine/conv_autotune.py), "" for none. closed_form: whether gradients are written
    out where the nets allow it (engine/closed_form.py).
    """

    engine: str
    precision: str
    threads: int
    device: str
    isa: str
    torch: str
    reason: str
    routes: str = ""
    closed_form: bool = False

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    def prepare(self) -> Device:
        """Sets this process's thread count and returns the device."""
        torch.set_num_threads(self.threads)
        return torch.device(self.device)

    def arithmetic(self) -> AbstractContextManager[Any]:
        """The context in which nets are called: bf16 products with float32 weights and sums, or plain float32."""
        if self.precision == "bf16":
            return torch.autocast(torch.device(self.device).type, torch.bfloat16)
        return nullcontext()


def bf16_unit() -> str:
    """How this CPU multiplies in bf16: "AMX" (matrix tiles), "BF16" (dot products of AVX-512), or "" where it must convert to float32.

    An environment that forbids oneDNN an instruction set forbids it here too.
    """
    allowed = os.environ.get("ONEDNN_MAX_CPU_ISA", "").upper()
    free = allowed in ("", "DEFAULT", "ALL")
    if not torch.backends.cpu.get_cpu_capability().startswith("AVX512"):
        return ""
    if torch.cpu._is_amx_tile_supported() and (free or "AMX" in allowed):
        return "AMX"
    return "BF16" if torch.cpu._is_avx512_bf16_supported() and (free or any(unit in allowed for unit in ("BF16", "FP16", "AMX"))) else ""


def instruction_set(precision: str) -> str:
    """The instruction set that torch uses on this CPU; with bf16 also how it multiplies, since each unit sums in another order."""
    unit = bf16_unit() if precision == "bf16" else ""
    return torch.backends.cpu.get_cpu_capability() + (f"+{unit}" if unit else "")


def device_of(config: Config) -> str:
    """The device on this machine that a config's `device` names."""
    return config.device if config.device != "auto" else "cuda" if torch.cuda.is_available() else "cpu"


def choose(config: Config, kind: str) -> Execution:
    """The execution for a config and a kind of data (a row of MODALITIES). Raises Refusal for what this machine does not have."""
    device = device_of(config)
    if not DEVICES.fullmatch(device):
        raise Refusal(f"--device must be cpu, cuda, cuda:N or auto, not {device!r}.")
    if device.startswith("cuda") and not torch.cuda.is_available():
        raise Refusal(f"--device {device} was given, but torch finds no GPU here: use --device cpu.")
    if config.engine == "graph" and device == "cpu":
        raise Refusal("--engine graph records steps as CUDA graphs, and the run would be on a CPU: use --engine auto or eager.")
    modality = MODALITIES[kind]
    threads = config.threads or modality.threads or int(os.environ.get("OMP_NUM_THREADS", cores()))
    precision, reason = config.precision, "as asked"
    if precision == "auto":
        if not modality.bf16:
            precision, reason = "float32", f"small nets on {kind} gain nothing from bf16"
        elif device != "cpu" or bf16_unit():
            precision, reason = "bf16", "this machine multiplies in bf16"
        else:
            precision, reason = "float32", "this machine has no instructions for bf16 products"
    engine = "eager"
    if config.engine == "auto" and precision == "bf16" and device == "cpu":
        engine, reason = "bf16_copy", f"{reason}; weights are copied to bf16 once after each update"
    if config.engine != "eager" and device != "cpu":
        engine, reason = "graph", f"{reason}; a GPU waits less for one launch a step than for one a kernel"
    isa = instruction_set(precision)
    return Execution(engine, precision, threads, device, isa, torch.__version__, reason, closed_form=config.engine != "eager")


def fitted(execution: Execution, config: Config, players: Players, shape: Sequence[int] | None) -> Execution:
    """The execution as far as it depends on the nets: eager where they allow no other, and the routes of their convolutions.

    shape: of a sample; None for a person's own nets, whose convolutions stay PyTorch's.
    """
    modules = {"d": players.D, "g": players.G}
    if execution.engine == "graph" and any(map(draws_random_numbers, modules.values())):
        return replace(execution, engine="eager", reason=f"{execution.reason}; but dropout draws anew in each step, which is not recorded")
    if execution.engine == "bf16_copy" and not all(map(can_be_copied, modules.values())):
        return replace(execution, engine="eager", reason=f"{execution.reason}; but only autocast knows how to compute some of their layers")
    if shape is None or execution.device != "cpu" or config.engine == "eager":
        return execution
    return replace(execution, routes=usual_routes(modules))
