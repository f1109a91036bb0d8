"""What this machine does best with a run's own nets and batch: whole training steps of each way to execute them, timed in turns.

At a run's first start, if the run is long enough to earn it back, a few steps of each candidate are played on copies of its players
(play/race.py). The choice is kept by machine and config, so that a second run is executed as the first. The rule of play/device.py is
the first candidate, and the choice where nothing is timed.
"""

from __future__ import annotations

import copy
import hashlib
import json
import os
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from zerosum.data.cache import cache_directory
from zerosum.data.modality import MODALITIES
from zerosum.data.space import Space
from zerosum.engine.bf16_copy import can_be_copied
from zerosum.engine.conv_autotune import faster_routes
from zerosum.nets import chain_of
from zerosum.plain_files import write_whole
from zerosum.play.config import Config, to_json
from zerosum.play.contention import CROWDED, Contention
from zerosum.play.device import Execution, instruction_set
from zerosum.play.distributed import BatchSource
from zerosum.play.finite import NotFinite
from zerosum.play.players import Players
from zerosum.play.race import LEAST, Result, race
from zerosum.play.step import Algorithm1
from zerosum.version import __version__

SECONDS, SHARE, LONGEST = 3.0, 0.01, 20.0  # What timing may take: so long, or this share of a longer run up to LONGEST seconds.
SHORTEST, FEWEST_STEPS = 120.0, 1000  # seconds and steps of a run that earns it back
ROUTES_SHARE = 0.3  # of the budget, for timing single convolutions


@dataclass(frozen=True)
class Trials:
    """The execution that was chosen, and the table of candidates for run.json: milliseconds a step by name."""

    execution: Execution
    table: dict[str, Any]


def label(execution: Execution) -> str:
    """A candidate in words: unique among those of one run."""
    routes = f", {len(execution.routes.split())} routed convolutions ({_digest(execution.routes)})" if execution.routes else ""
    how = "closed form" if execution.closed_form else "autograd"
    return f"{execution.precision}, {execution.threads} thread{'s' if execution.threads > 1 else ''}, {how}{routes}"


def candidates(rule: Execution, config: Config, players: Players, space: Space, until: float) -> list[Execution]:
    """The rule's execution, then each that differs from it in one respect and that the config allows.

    until: time.perf_counter() after which no further convolution is timed.
    """
    modules = {"d": players.D, "g": players.G}
    found = [rule]
    if config.precision == "auto" and MODALITIES[space.kind].bf16 and torch.backends.cpu.get_cpu_capability().startswith("AVX512"):
        if rule.precision == "bf16":
            found.append(replace(rule, engine="eager", precision="float32", isa=instruction_set("float32")))
        elif all(map(can_be_copied, modules.values())):
            found.append(replace(rule, engine="bf16_copy", precision="bf16", isa=instruction_set("bf16")))
    if rule.threads > 1 and not config.threads:
        found.append(replace(rule, threads=1))
    if chain_of(players.D) is not None:
        found.append(replace(rule, closed_form=not rule.closed_form))
    if rule.routes or len(space.shape) == 3:
        rule.prepare()
        dtype = torch.bfloat16 if rule.precision == "bf16" else torch.float32
        routes = faster_routes(modules, {"d": (config.batch, *space.shape), "g": (config.batch, config.prior.dim)}, dtype, until)
        if routes != rule.routes:
            found.insert(1, replace(rule, routes=routes))
    return found


def budget_of(samples: int | None, minutes: float | None, samples_a_step: int, step_seconds: float) -> float:
    """Seconds that timing may take: 3 s, or a hundredth of a longer run up to 20 s; 0 for a run that is too short for it."""
    length = 60 * minutes if minutes is not None else (samples or 0) / samples_a_step * step_seconds
    return 0.0 if length < SHORTEST else max(SECONDS, min(SHARE * length, LONGEST))


def measured(
    rule: Execution, config: Config, players: Players, space: Space, source: BatchSource, samples: int | None, minutes: float | None
) -> Trials:
    """Times the candidates, or reads what an earlier run of the same config on this machine has found. The players stay as they are."""
    if rule.device != "cpu" or config.engine != "auto":
        return Trials(rule, {})
    kept = _kept_file(rule, config, players, space)
    if (earlier := _read(kept)) is not None and (execution := _execution(rule, earlier["chosen"])) is not None:
        return Trials(execution, {**earlier, "kept": True})
    if minutes is None and (samples or 0) < FEWEST_STEPS * config.batch:
        return Trials(rule, {})
    with torch.random.fork_rng(devices=[]), suppress(NotFinite):
        return _timed(rule, config, players, space, source, samples, minutes, kept)
    return Trials(rule, {})


def _timed(
    rule: Execution, config: Config, players: Players, space: Space, source: BatchSource, samples: int | None, minutes: float | None,
    kept: Path,
) -> Trials:  # fmt: skip
    rule.prepare()
    # The values of weights do not change a step's time, so all candidates move the same copy.
    own = Players(config, space, torch.device(rule.device), (copy.deepcopy(players.G), copy.deepcopy(players.D)))
    step = _steps(rule, config, own, space, source)
    step()
    begun = time.perf_counter()
    step()
    budget = budget_of(samples, minutes, config.game.k * config.batch, time.perf_counter() - begun)
    if not budget:
        return Trials(rule, {})
    begun, contention = time.perf_counter(), Contention()
    listed = candidates(rule, config, own, space, begun + ROUTES_SHARE * budget)
    works = {label(e): _steps(e, config, own, space, source) for e in listed}
    clock = time.process_time if all(e.threads == 1 for e in listed) else time.perf_counter
    result = race(works, budget - (time.perf_counter() - begun), clock, time.perf_counter)
    crowded = (contention.share() or 0.0) > CROWDED
    return _decided(result, dict(zip(works, listed, strict=True)), crowded, kept, time.perf_counter() - begun)


def _decided(result: Result, by_name: Mapping[str, Execution], crowded: bool, kept: Path, seconds: float) -> Trials:
    rule, chosen = next(iter(by_name.values())), by_name[result.chosen]
    if crowded and chosen.threads != rule.threads:
        # Beside other programs one thread is faster than several, but they may end: play/thread_count.py follows them.
        chosen = rule
    table = {
        "seconds": round(seconds, 2),
        "crowded": crowded,
        "candidates": [
            {"what": name, "ms": round(1e3 * s, 3), "relative": round(result.relative[name], 3), "rounds": result.rounds[name]}
            for name, s in result.seconds.items()
        ],
        "chosen": {"what": label(chosen), **{f: getattr(chosen, f) for f in _CHOSEN}},
    }
    if chosen is not rule:
        gain = 1 - result.relative[result.chosen]
        chosen = replace(chosen, reason=f"{chosen.reason}; timed on this machine: {gain:.0%} less time a step than by the rule")
    elif len(result.seconds) > 1:
        chosen = replace(chosen, reason=f"{chosen.reason}; timed on this machine: no candidate was clearly faster")
    if not crowded and all(n >= LEAST for n in result.rounds.values()) and result.rounds:
        with suppress(OSError):
            kept.parent.mkdir(parents=True, exist_ok=True)
            write_whole(kept, json.dumps(table, indent=1).encode())
    return Trials(chosen, table)


def _steps(execution: Execution, config: Config, players: Players, space: Space, source: BatchSource) -> Callable[[], object]:
    """A function that plays the next step as `execution` says."""
    algorithm = Algorithm1(config, players, source, space, execution)
    t = iter(range(10**9))

    def step() -> object:
        if torch.get_num_threads() != execution.threads:
            execution.prepare()
        return algorithm.step(next(t), None)

    return step


# -- what earlier runs have found -----------------------------------------------------------------------------------------------

_CHOSEN = ("engine", "precision", "threads", "routes", "closed_form")
_MASKS = ("ONEDNN_MAX_CPU_ISA", "MKL_ENABLE_INSTRUCTIONS", "ATEN_CPU_CAPABILITY", "OMP_NUM_THREADS")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def processor() -> str:
    """The processor's name, as Linux has it; elsewhere as Python does."""
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    import platform

    return platform.processor() or platform.machine()


def _kept_file(rule: Execution, config: Config, players: Players, space: Space) -> Path:
    """One file for each machine and config: whatever may change what is fastest is in its name."""
    options = {name: value for name, value in to_json(config).items() if name not in ("data", "seed")}
    machine = [processor(), os.cpu_count(), torch.__version__, __version__, rule.isa, *(os.environ.get(name) for name in _MASKS)]
    nets = [[name, list(p.shape)] for net in (players.G, players.D) for name, p in net.named_parameters()]
    name = _digest(json.dumps([machine, options, list(space.shape), rule.threads, nets]))
    return cache_directory() / "execution" / f"{name}.json"


def _read(path: Path) -> dict[str, Any] | None:
    with suppress(OSError, ValueError):
        found = json.loads(path.read_text())
        if isinstance(found, dict) and isinstance(found.get("chosen"), dict):
            return found
    return None


def _execution(rule: Execution, chosen: Mapping[str, Any]) -> Execution | None:
    """The execution that was chosen earlier; None where the file does not say one that the rule's may become."""
    values = {name: chosen.get(name) for name in _CHOSEN}
    possible = (("engine", ("eager", "bf16_copy")), ("precision", ("float32", "bf16")), ("threads", (1, rule.threads)))
    if any(values[name] not in those for name, those in possible):
        return None
    if not isinstance(values["routes"], str) or not isinstance(values["closed_form"], bool):
        return None
    changed: Execution = replace(rule, **values)  # type: ignore[arg-type]
    return replace(changed, isa=instruction_set(changed.precision), reason=f"{rule.reason}; timed by an earlier run on this machine")
