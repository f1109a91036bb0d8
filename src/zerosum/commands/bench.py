"""zerosum bench: how fast this machine trains, samples and loads, compared with plain PyTorch in the same process."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from zerosum.commands.flags import parse, positional
from zerosum.errors import Refusal
from zerosum.report.text_table import wrapped

EXAMPLES = """\
  zerosum bench                     everything but mnist-time
  zerosum bench digits ring8
  zerosum bench dcgan64 --turns 9 --seconds 5 --json
"""
GAMES = ("dcgan64", "resnet32", "digits", "ring8")
BENCHMARKS = (*GAMES, "mnist-time", "sample", "load", "start", "memory")
Name = Literal["dcgan64", "resnet32", "digits", "ring8", "mnist-time", "sample", "load", "start", "memory"]


@dataclass(frozen=True)
class Bench:
    """Time the training steps of `train` against a plain reference (eager float32 PyTorch), in alternation in one process. Give one or more
    names; without any, everything but mnist-time is timed, which trains for minutes."""

    name: Name | None = positional("NAME", optional=True)
    """Training steps: dcgan64, resnet32, digits, ring8. Others: sample, load, start (seconds to the first step), memory, and
    mnist-time (seconds to the reference's Frechet distance)."""
    turns: int = 5
    """Measurements of each program; the reported ratio is their median."""
    seconds: float = 2.0
    """Approximate length of one measurement."""
    threads: int = 0
    """CPU threads; 0 chooses as `train` does."""
    minutes: float = 10.0
    """Training time of the reference in mnist-time."""
    items: int = 10_000_000
    """Stored images for `load` (64 bytes each)."""
    small: bool = False
    """Use tiny nets and files, to check that it runs."""
    json: bool = False
    """Print one JSON list of rows and nothing else."""


def main(argv: Sequence[str]) -> int:
    names = [word for word in argv if word in BENCHMARKS]
    args = parse(Bench, [word for word in argv if word not in BENCHMARKS], prog="zerosum bench", examples=EXAMPLES)
    for flag, number, least in (("turns", args.turns, 1), ("threads", args.threads, 0), ("items", args.items, 1000)):
        if number < least:
            raise Refusal(f"--{flag} must be at least {least}, not {number}.")
    if min(args.seconds, args.minutes) <= 0:
        raise Refusal("--seconds and --minutes must be above zero.")
    rows = []
    for row in _rows(names or _unasked(), args):
        rows.append(row)
        if not args.json:
            print(wrapped(told(row)), flush=True)
    if args.json:
        print(json.dumps(rows, allow_nan=False))
    else:
        print(wrapped(f"\nMachine: {machine()}."))
        print(wrapped("Ratios are medians (lowest to highest). Above 1 zerosum is faster than the reference or, for memory, needs more."))
    sys.stdout.flush()
    return 0


def _unasked() -> list[str]:
    """What is timed by default: everything that takes less than minutes and that this system can measure."""
    from zerosum.bench.peak import MEASURABLE

    return [name for name in BENCHMARKS if name != "mnist-time" and (name != "memory" or MEASURABLE)]


def _rows(names: Sequence[str], args: Bench) -> Iterator[dict[str, Any]]:
    for name in names:
        if name in GAMES:
            from zerosum.bench import games

            game = games.small(games.GAMES[name]) if args.small else games.GAMES[name]
            yield games.line(name, game, turns=args.turns, seconds=args.seconds, threads=args.threads)
            continue
        from zerosum.bench import others

        if name == "sample":
            yield others.sample_line(turns=args.turns, seconds=args.seconds, threads=args.threads, n=64 if args.small else 512)
        elif name == "load":
            yield others.load_line(turns=args.turns, seconds=args.seconds, many=args.items, few=min(10_000, args.items))
        elif name == "start":
            yield others.start_line(turns=args.turns)
        elif name == "memory":
            from zerosum.bench.peak import memory_line

            yield memory_line(threads=args.threads, tiny=args.small)
        else:
            from zerosum.bench.quality import mnist_time

            yield mnist_time(args.minutes, args.threads)


def told(row: dict[str, Any]) -> str:
    """A row as text."""
    unit, lines = row["unit"], [f"{row['name']}: {row['what']}"]
    if "tried" in row:
        lines.append(
            "  zerosum's Frechet distance (lower is better): "
            + ", ".join(f"{distance:.1f} after {length}" for length, distance in row["tried"].items())
        )
        lines.append(
            "  zerosum did not reach the reference's distance"
            if row["ours"] is None
            else f"  zerosum needs {row['ours']:.0f} s, {row['ratio']:.1f} times as fast"
        )
    elif row["ratio"] is None:
        span = f"{row['lowest']:.4g} to {row['highest']:.4g} in {row['turns']} measurement{'s' if row['turns'] > 1 else ''}"
        lines.append(f"  {row['ours']:.4g} {unit} ({span}), of which {row['processor']:.4g} {unit} processor time")
    elif unit == "bytes":
        used = {
            who: f"{row[who] / 1e6:,.0f} MB ({above / 1e6:,.0f} MB more than at its start)" for who, above in row["above_start"].items()
        }
        lines.append(f"  zerosum {used['ours']}, reference {used['reference']}: {row['ratio']:.2f} times as much")
    else:
        times = f"{row['turns']} measurement{'s' if row['turns'] > 1 else ''}"
        span = f"{row['lowest']:.2f} to {row['highest']:.2f} in {times}, {row['clock']} clock"
        lines.append(
            f"  zerosum {row['ours']:,.4g} {unit}, reference {row['reference']:,.4g} {unit}: {row['ratio']:.2f} times as fast ({span})"
        )
    if "time" in row:
        lines.append(
            f"  {row['rounds_a_second']:.3g} steps/s, engine {row['engine']}, {row['precision']}, {row['threads']} thread(s); a step is "
            f"{row['gflop_a_round']:.3g} GFLOP (reference: {row['reference_gflop']:.3g}): {row['gflops']:.0f} GFLOP/s, "
            f"{row['roofline_share']:.0%} of the {row['roofline_gflops']:.0f} GFLOP/s that a matrix product reaches here"
        )
        lines.append(
            "  time by kind of operation: " + ", ".join(f"{kind} {share:.0%}" for kind, share in row["time"].items() if share >= 0.005)
        )
    return "\n".join(lines)


def machine() -> str:
    """The machine as text."""
    import torch

    gpu = f", {torch.cuda.get_device_name()}" if torch.cuda.is_available() else ""
    return f"{os.cpu_count()} cores, {torch.backends.cpu.get_cpu_capability()}{gpu}, torch {torch.__version__}"
