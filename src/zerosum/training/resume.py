"""What a resume takes over from the run's first start, and what it must say where the machine is not the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any

import torch

from zerosum.errors import Refusal
from zerosum.play.config import MOST_THREADS, Config
from zerosum.play.device import DEVICES, Execution, choose, instruction_set

TYPES: dict[str, type] = {"int": int, "str": str, "bool": bool}


def recorded_execution(values: dict[str, Any]) -> Execution:
    """The engine that run.json names. Raises Refusal where its values are none."""
    known = {f.name: TYPES[str(f.type)] for f in fields(Execution)}
    values = {"routes": "", "passes": False, **values}  # Runs of an earlier version state neither.
    sound = values.keys() == known.keys() and all(isinstance(v, known[n]) for n, v in values.items())
    sound = sound and 1 <= values["threads"] <= MOST_THREADS and DEVICES.fullmatch(values["device"]) is not None
    if not (sound and values["precision"] in ("float32", "bf16")):
        raise Refusal("The engine in the run's run.json is damaged: bring the file back from a copy.")
    return Execution(**values)


def continued(stated: Execution, config: Config, kind: str, ranks: tuple[int, int]) -> tuple[Execution, list[str]]:
    """The engine to go on with, and why what comes is not bit-equal to a run that never stopped; no reasons where it is.

    ranks: numbers of processes at the first start and now.
    """
    reasons: list[str] = []
    engine = stated
    if stated.device.startswith("cuda") and not torch.cuda.is_available():
        # Algorithm1 that were asked for as graphs go on as this machine plays them.
        here = choose(replace(config, device="cpu", engine="auto" if config.engine == "graph" else config.engine), kind)
        engine = replace(here, precision=stated.precision, engine="eager")
        reasons.append(f"it began on a GPU ({stated.device}) and this machine has none")
    isa = instruction_set(engine.precision)
    if engine.device == "cpu" and stated.isa != isa:
        reasons.append(f"it began on a processor that computes with {stated.isa}, and this one does with {isa}")
    if stated.torch != torch.__version__:
        reasons.append(f"it began with torch {stated.torch}, and this is {torch.__version__}")
    if ranks[0] != ranks[1]:
        reasons.append(f"it began in {_processes(ranks[0])} and goes on in {_processes(ranks[1])}, which add in another order")
    return engine, reasons


def departure(t: int, reasons: Sequence[str]) -> str:
    """The sentence for the record: from which round on, and why."""
    return f"From round {t + 1} on this run is no longer bit-equal to one that never stopped: {'; '.join(reasons)}."


def _processes(n: int) -> str:
    return f"{n} process{'es' if n > 1 else ''}"
