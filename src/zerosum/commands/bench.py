"""zerosum bench: how fast this machine trains, samples and loads, compared with plain PyTorch in the same process."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from zerosum.commands.flags import parse, positional
from zerosum.errors import Refusal
from zerosum.report.text_table import wrapped

EXAMPLES = """\
  zerosum bench                     everything but mnist-time
  zerosum bench digits ring8
  zerosum bench dcgan64 --turns 9 --seconds 5 --json
  zerosum bench digits --why
  zerosum bench mnist-time --threads 1 --picture curve.png
"""
GAMES = ("dcgan64", "resnet32", "digits", "ring8", "images64")
BENCHMARKS = (*GAMES, "mnist-time", "sample", "load", "start", "memory")
Name = Literal["dcgan64", "resnet32", "digits", "ring8", "images64", "mnist-time", "sample", "load", "start", "memory"]


@dataclass(frozen=True)
class Bench:
    """Time the training steps of `train` against a plain reference (eager float32 PyTorch), in alternation in one process. Give one or more
    names; without any, everything but mnist-time is timed, which trains for minutes."""

    name: Name | None = positional("NAME", optional=True)
    """Training steps: dcgan64, resnet32, digits, ring8, images64. Others: sample, load, start (seconds to the first step), memory, and
    mnist-time (seconds to the Frechet distance of a published and of a tuned DCGAN)."""
    turns: int = 5
    """Measurements of each program; the reported ratio is their median."""
    seconds: float = 2.0
    """Approximate length of one measurement."""
    threads: int = 0
    """CPU threads; 0 chooses as `train` does."""
    minutes: float = 10.0
    """Training time of each reference in mnist-time."""
    seeds: int = 3
    """Trainings of each program in mnist-time."""
    picture: Path | None = None
    """Write the curves of mnist-time to this file (.png or .svg)."""
    why: bool = False
    """Print the ways to execute a training step that --engine auto times on this machine, and its choice, and time nothing else."""
    items: int = 10_000_000
    """Stored images for `load` (64 bytes each)."""
    small: bool = False
    """Use tiny nets and files, to check that it runs."""
    json: bool = False
    """Print one JSON list of rows and nothing else."""


def main(argv: Sequence[str]) -> int:
    # torch's profiler says when it starts and stops, between the lines of the table; it reads this before it is loaded.
    os.environ.setdefault("KINETO_LOG_LEVEL", "6")
    names = [word for word in argv if word in BENCHMARKS]
    args = parse(Bench, [word for word in argv if word not in BENCHMARKS], prog="zerosum bench", examples=EXAMPLES)
    for flag, number, least in (
        ("turns", args.turns, 1),
        ("threads", args.threads, 0),
        ("items", args.items, 1000),
        ("seeds", args.seeds, 1),
    ):
        if number < least:
            raise Refusal(f"--{flag} must be at least {least}, not {number}.")
    if min(args.seconds, args.minutes) <= 0:
        raise Refusal("--seconds and --minutes must be above zero.")
    if args.picture is not None and "mnist-time" not in names:
        raise Refusal("--picture draws the curves of mnist-time: name it too.")
    if args.why and (others := [name for name in names if name not in GAMES]):
        raise Refusal(f"--why is about training steps ({', '.join(GAMES)}), not {others[0]}.")
    rows = []
    for row in _why(names or GAMES, args) if args.why else _rows(names or _unasked(), args):
        rows.append(row)
        if not args.json:
            print(wrapped(told(row)), flush=True)
    if args.json:
        print(json.dumps(rows, allow_nan=False))
    else:
        print(wrapped(f"\nMachine: {machine()}."))
        if not args.why:
            print(
                wrapped("Ratios are medians (lowest to highest). Above 1 zerosum is faster than the reference or, for memory, needs more.")
            )
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
            yield games.line(name, game, turns=args.turns, seconds=args.seconds, threads=args.threads, timed=not args.small)
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
            from zerosum.bench.curve_figure import draw
            from zerosum.bench.quality import SCORED, mnist_time

            row = mnist_time(args.minutes, args.threads, range(args.seeds), 256 if args.small else SCORED)
            if args.picture is not None:
                draw(row, args.picture)
            yield row


def _why(names: Sequence[str], args: Bench) -> Iterator[dict[str, Any]]:
    from zerosum.bench import games

    for name in names:
        game = games.small(games.GAMES[name]) if args.small else games.GAMES[name]
        yield games.why(name, game, args.threads)


def _told_candidates(row: dict[str, Any]) -> str:
    table = row["timed"]
    lines = [f"{row['name']}: {row['what']}"]
    for candidate in table.get("candidates", ()):
        chosen = " (chosen)" if candidate["what"] == table["chosen"]["what"] else ""
        times = f"{candidate['ms']:.3g} ms a step, {candidate['relative']:.2f} of the rule's, {candidate['rounds']} steps"
        lines.append(f"  {candidate['what']}: {times}{chosen}")
    if table.get("crowded"):
        lines.append("  other programs kept this one waiting: the choice is not kept for later runs")
    return "\n".join([*lines, f"  why: {row['reason']}"])


def _told_quality(row: dict[str, Any]) -> str:
    lines = [f"{row['name']}: {row['what']}"]
    for who, curves in row["curves"].items():
        for curve in curves:
            lines.append(f"  {who}: " + ", ".join(f"{distance:.1f} after {seconds:.0f} s" for seconds, distance in curve))
    for who, ratio in (("the published DCGAN", row["ratio"]), ("the tuned DCGAN", row["ratio_tuned"])):
        lines.append(f"  zerosum against {who}: " + ("not reached by both" if ratio is None else f"{ratio:.1f} times as fast"))
    return "\n".join(lines)


def told(row: dict[str, Any]) -> str:
    """A row as text."""
    if "timed" in row:
        return _told_candidates(row)
    if "curves" in row:
        return _told_quality(row)
    unit, lines = row["unit"], [f"{row['name']}: {row['what']}"]
    if row["ratio"] is None:
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

    from zerosum.play.trials import processor

    gpu = f", {torch.cuda.get_device_name()}" if torch.cuda.is_available() else ""
    return f"{processor()}, {os.cpu_count()} cores, {torch.backends.cpu.get_cpu_capability()}{gpu}, torch {torch.__version__}"
