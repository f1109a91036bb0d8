"""What a resumed run keeps of its first start, where it goes on, and what it says where the machine is not the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import torch

from zerosum.errors import Refusal
from zerosum.play.config import MOST_THREADS, Config
from zerosum.play.device import DEVICES, Execution, choose, instruction_set
from zerosum.play.schedule import in_decay
from zerosum.runs import checkpoint as checkpoints
from zerosum.runs.run import Run

FIELD_TYPES: dict[str, type] = {"int": int, "str": str, "bool": bool}


def recorded_execution(values: dict[str, Any]) -> Execution:
    """The execution in run.json. Raises Refusal where its values cannot be one."""
    known = {f.name: FIELD_TYPES[str(f.type)] for f in fields(Execution)}
    sound = values.keys() == known.keys() and all(isinstance(v, known[n]) for n, v in values.items())
    sound = sound and 1 <= values["threads"] <= MOST_THREADS and DEVICES.fullmatch(values["device"]) is not None
    if not (sound and values["precision"] in ("float32", "bf16")):
        raise Refusal("The engine in the run's run.json is damaged: bring the file back from a copy.")
    return Execution(**values)


def continued(recorded: Execution, config: Config, kind: str, processes: tuple[int, int]) -> tuple[Execution, list[str]]:
    """The execution to go on with, and the reasons why the rest is not bit-identical to an uninterrupted run; none where it is.

    processes: their number at the first start and now.
    """
    reasons: list[str] = []
    execution = recorded
    if recorded.device.startswith("cuda") and not torch.cuda.is_available():
        # Steps that were to be CUDA graphs are executed as this machine can.
        here = choose(replace(config, device="cpu", engine="auto" if config.engine == "graph" else config.engine), kind)
        execution = replace(here, precision=recorded.precision, engine="eager")
        reasons.append(f"it began on a GPU ({recorded.device}) and this machine has none")
    isa = instruction_set(execution.precision)
    if execution.device == "cpu" and recorded.isa != isa:
        reasons.append(f"it began on a processor that uses {recorded.isa}, and this one uses {isa}")
    if recorded.torch != torch.__version__:
        reasons.append(f"it began with torch {recorded.torch}, and this is {torch.__version__}")
    if processes[0] != processes[1]:
        reasons.append(f"it began in {_counted(processes[0])} and goes on in {_counted(processes[1])}, which sum in another order")
    return execution, reasons


def extended(run: Run, samples: int | None) -> list[str]:
    """Brings a run back to its last whole checkpoint before the decay that is one of a run of `samples` in all (None: of any length).

    Returns sentences for the record; none where nothing was done. Raises Refusal where the disk does not take it.
    """
    newest, _ = run.newest()
    fit = [found for path in checkpoints.before_decay(checkpoints.listed(run.path)) if (found := _before_decay(run, path, samples))]
    if newest is None or not fit or newest.path == fit[-1].path or (samples is not None and newest.meta["samples"] >= samples):
        return []
    home = checkpoints.set_aside(run.path, fit[-1].path)
    return [f"Extended from {fit[-1].meta['samples']:,} samples, before its decay; what had been trained after that is kept in {home}."]


def _before_decay(run: Run, path: Path, samples: int | None) -> checkpoints.Checkpoint | None:
    try:
        found = checkpoints.verified(path)
    except Refusal:  # Damaged: an earlier one may do.
        return None
    return None if in_decay(run.config, found.meta["samples"], samples) else found


def departure(t: int, reasons: Sequence[str]) -> str:
    """The sentence for the record: from which step on, and why."""
    return f"From step {t + 1} on this run is no longer bit-identical to an uninterrupted one: {'; '.join(reasons)}."


def _counted(n: int) -> str:
    return f"{n} process{'es' if n > 1 else ''}"
