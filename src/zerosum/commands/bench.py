"""zerosum bench: how fast this machine trains, samples and loads, beside plain PyTorch in the same process."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from zerosum.commands.flags import parse, positional
from zerosum.errors import Refusal

EXAMPLES = """\
  zerosum bench                     every line but mnist-time
  zerosum bench digits ring8
  zerosum bench dcgan64 --turns 9 --seconds 5 --json
"""
GAMES = ("dcgan64", "resnet32", "digits", "ring8")
NAMES = (*GAMES, "mnist-time", "sample", "load", "start", "memory")
Name = Literal["dcgan64", "resnet32", "digits", "ring8", "mnist-time", "sample", "load", "start", "memory"]


@dataclass(frozen=True)
class Bench:
    """Time the very rounds that `train` plays against a plain reference (eager float32 PyTorch), turn by turn in one process. Give as many
    names as wanted; none means all but mnist-time, which trains for minutes."""

    name: Name | None = positional("NAME", optional=True)
    """dcgan64, resnet32, digits, ring8 (rounds); sample, load, start, memory; mnist-time (seconds to the reference's Frechet distance)."""
    turns: int = 5
    """How many times each program is timed; the ratio is the median over the turns."""
    seconds: float = 2.0
    """Length of a turn, about."""
    threads: int = 0
    """CPU threads; 0 chooses as a training would."""
    minutes: float = 10.0
    """What the reference of mnist-time is given."""
    items: int = 10_000_000
    """Stored images of the line load (64 bytes each)."""
    small: bool = False
    """Tiny nets and files: to see that it runs, not how fast."""
    json: bool = False
    """One JSON list of rows on standard output, and nothing else."""


def main(argv: Sequence[str]) -> int:
    names = [word for word in argv if word in NAMES]
    args = parse(Bench, [word for word in argv if word not in NAMES], prog="zerosum bench", examples=EXAMPLES)
    for flag, number, least in (("turns", args.turns, 1), ("threads", args.threads, 0), ("items", args.items, 1000)):
        if number < least:
            raise Refusal(f"--{flag} must be at least {least}, not {number}.")
    if min(args.seconds, args.minutes) <= 0:
        raise Refusal("--seconds and --minutes must be above zero.")
    rows = []
    for row in _rows(names or _unasked(), args):
        rows.append(row)
        if not args.json:
            print(told(row), flush=True)
    if args.json:
        print(json.dumps(rows, allow_nan=False))
    else:
        print(f"\nMachine: {machine()}. Ratios are medians over the turns, ours to the reference; the span is the lowest to the highest.")
    sys.stdout.flush()
    return 0


def _unasked() -> list[str]:
    """The lines that are timed where none is named: those that take no minutes, and that this system can measure."""
    from zerosum.bench.peak import MEASURABLE

    return [name for name in NAMES if name != "mnist-time" and (name != "memory" or MEASURABLE)]


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
    """A row in words."""
    unit, lines = row["unit"], [f"{row['name']}: {row['what']}"]
    if "tried" in row:
        lines.append("  ours scored " + ", ".join(f"{distance:.1f} in {length}" for length, distance in row["tried"].items()))
        lines.append("  never as well" if row["ours"] is None else f"  {row['ours']:.0f} s: {row['ratio']:.1f} times")
    elif row["ratio"] is None:
        span = f"{row['lowest']:.4g} to {row['highest']:.4g} in {row['turns']} turns"
        lines.append(f"  {row['ours']:.4g} {unit} ({span}), of which the processor worked {row['processor']:.4g}")
    elif unit == "bytes":
        held = {who: f"{row[who] / 1e6:,.0f} MB ({above / 1e6:,.0f} above its start)" for who, above in row["above_start"].items()}
        lines.append(f"  {held['ours']}, reference {held['reference']}: {row['ratio']:.2f} times")
    else:
        span = f"{row['lowest']:.2f} to {row['highest']:.2f} in {row['turns']} turns, {row['clock']} clock"
        lines.append(f"  {row['ours']:,.4g} {unit}, reference {row['reference']:,.4g}: {row['ratio']:.2f} times ({span})")
    if "time" in row:
        lines.append(
            f"  {row['rounds_a_second']:.3g} rounds/s, engine {row['engine']}, {row['precision']}, {row['threads']} thread(s); a round is "
            f"{row['gflop_a_round']:.3g} GFLOP (reference {row['reference_gflop']:.3g}): {row['gflops']:.0f} GFLOP/s, "
            f"{row['roofline_share']:.0%} of the {row['roofline_gflops']:.0f} that a product reaches here"
        )
        lines.append("  time: " + ", ".join(f"{kind} {share:.0%}" for kind, share in row["time"].items() if share >= 0.005))
    return "\n".join(lines)


def machine() -> str:
    """The machine in words."""
    import torch

    gpu = f", {torch.cuda.get_device_name()}" if torch.cuda.is_available() else ""
    return f"{os.cpu_count()} cores, {torch.backends.cpu.get_cpu_capability()}{gpu}, torch {torch.__version__}"
