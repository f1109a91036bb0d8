"""The claims that depend on the machine, under several kinds of machine, in one table: `make machines`, about half an hour.

A kind of machine is this one as it comes, with fewer instructions (masks that PyTorch and oneDNN read), with one thread, or with a busy
neighbour. What a kind cannot show is left out: a mask for bf16 says nothing where the processor has none.

    python scripts/machines.py
    python scripts/machines.py --machines "as it comes,AVX2" --only prove,ring8
    python scripts/machines.py --seeds 3         the statements that train on fewer seeds
    python scripts/machines.py --markdown build/machines.md
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parent.parent
MNIST = ROOT / "src/zerosum/data/digits/train-images-idx3-ubyte.gz"
AVX2 = {"ATEN_CPU_CAPABILITY": "avx2", "ONEDNN_MAX_CPU_ISA": "AVX2", "MKL_ENABLE_INSTRUCTIONS": "AVX2"}
MACHINES: dict[str, dict[str, str]] = {
    "as it comes": {},
    "no AMX": {"ONEDNN_MAX_CPU_ISA": "AVX512_CORE_BF16"},
    "AVX-512 without bf16": {"ONEDNN_MAX_CPU_ISA": "AVX512_CORE"},
    "AVX2": AVX2,
    "no vector instructions": {"ATEN_CPU_CAPABILITY": "default"},
    "one thread": {"OMP_NUM_THREADS": "1"},
    "two threads": {"OMP_NUM_THREADS": "2"},
    "busy neighbour": {},
}
NEEDS = {"no AMX": "amx_tile", "AVX-512 without bf16": "avx512_bf16"}  # flags of the processor without which a mask changes nothing


class Found(NamedTuple):
    """A claim on one machine: the figure, and whether it holds; None where it cannot be tried."""

    figure: str
    holds: bool | None


def zerosum(*args: str, env: Mapping[str, str]) -> str:
    """The output of a command. Raises RuntimeError, with the end of what it said, where it fails."""
    done = subprocess.run(
        [sys.executable, "-m", "zerosum", *args], env={**os.environ, **env}, cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode not in (0, 1):
        raise RuntimeError(done.stderr.strip()[-300:] or f"exit status {done.returncode}")
    return done.stdout


def rows(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "record.jsonl").read_text().splitlines()]


def scores(folder: Path) -> dict[str, float]:
    return {row["name"]: row["value"] for row in rows(folder) if row["type"] == "score" and row["value"] is not None}


def troubles(folder: Path) -> list[str]:
    """The troubles told at any check of a run."""
    from zerosum.verdict import verdict
    from zerosum.verdict.diagnoses import DIAGNOSES

    return sorted({check["state"] for check in verdict(rows(folder)).history if DIAGNOSES[check["state"]].trouble})


def prove(env: Mapping[str, str], seeds: int) -> Found:
    """`zerosum prove`: every statement holds."""
    table = json.loads(zerosum("prove", "--json", env=env))
    failed = [row["name"] for row in table if not row["holds"]]
    return Found(f"{len(table) - len(failed)} of {len(table)}", not failed)


def algorithm_1(env: Mapping[str, str], seeds: int) -> Found:
    """The statements that train, on further seeds: every one holds, the averaged G's JSD is at most .01."""
    code = (
        "import json; from zerosum.study.proofs_trained import algorithm_1, trained_discriminator as fixed;"
        f"rows = algorithm_1(seeds={seeds}) + [row for seed in range({seeds}) for row in fixed(seed=seed)];"
        "print(json.dumps([(r.name, r.measured, bool(r.holds)) for r in rows]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "OMP_NUM_THREADS": "1", **env},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    found = json.loads(done.stdout)
    jsds = [measured for name, measured, _ in found if "JSD" in name]
    failed = sum(not holds for _, _, holds in found)
    return Found(f"JSD {min(jsds):.4f} to {max(jsds):.4f}, {failed} of {len(found)} rows fail", not failed)


def ring8(env: Mapping[str, str], seeds: int) -> Found:
    """Two million samples of the ring: all modes, 94 % of the samples in them, evenly."""
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        zerosum("train", "ring8", "--samples", "2000000", "--out", str(run), "--quiet", env=env)
        got, told = scores(run), troubles(run)
    figure = f"{got['modes']:.0f} modes, {got['high_quality']:.1%}, KL {got['mode_kl']:.4f}; {', '.join(told) or 'no trouble told'}"
    return Found(figure, got["modes"] == 8 and got["high_quality"] >= 0.94 and got["mode_kl"] <= 0.02 and not told)


def mnist(env: Mapping[str, str], seeds: int) -> Found:
    """Two minutes of MNIST: the minutes are kept within 3 %, the distance is at most 6, no trouble is told."""
    if not MNIST.is_file():
        return Found("skipped: MNIST is not on this machine", None)
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        zerosum("train", "mnist", "--minutes", "2", "--out", str(run), "--quiet", env=env)
        got, told, stop = scores(run), troubles(run), next(row for row in rows(run) if row["type"] == "stop")
    figure = f"{stop['samples']:,} images in {stop['seconds']:.0f} s, distance {got['frechet']:.2f}; {', '.join(told) or 'no trouble told'}"
    return Found(figure, abs(stop["seconds"] / 120 - 1) <= 0.03 and got["frechet"] <= 6 and not told)


def broken(env: Mapping[str, str], seeds: int) -> Found:
    """Two runs that cannot work: the verdict says so."""
    told = []
    for options in (["--d.lr", "0", "--d.lr-end", "0"], ["--g.lr", "0", "--g.lr-end", "0"]):
        with tempfile.TemporaryDirectory() as folder:
            run = Path(folder) / "run"
            zerosum("train", "moons", "--samples", "150000", *options, "--out", str(run), "--quiet", env=env)
            from zerosum.verdict import verdict

            told.append(verdict(rows(run)))
    return Found("; ".join(found.state for found in told), all(found.trouble for found in told))


def bench(env: Mapping[str, str], seeds: int) -> Found:
    """Steps of the two presets beside plain PyTorch: never slower."""
    ratios = {row["name"]: row["ratio"] for row in json.loads(zerosum("bench", "digits", "ring8", "--turns", "3", "--json", env=env))}
    return Found(", ".join(f"{name} {ratio:.2f}" for name, ratio in ratios.items()), all(ratio >= 1 for ratio in ratios.values()))


CHECKS: dict[str, Callable[[Mapping[str, str], int], Found]] = {
    "prove": prove,
    "algorithm 1": algorithm_1,
    "ring8": ring8,
    "mnist": mnist,
    "broken": broken,
    "bench": bench,
}
LEFT_OUT = {
    "busy neighbour": {"prove", "algorithm 1", "bench"},  # No claim of theirs is about neighbours.
    "one thread": {"algorithm 1", "bench"},  # It always has one; and the ratio is a matter of threads.
    "two threads": {"algorithm 1", "bench"},  # As with one.
    "no vector instructions": {"mnist", "bench"},  # No claim is made of digits in minutes below AVX2.
}


@contextmanager
def neighbour(busy: bool) -> Iterator[None]:
    """Another process that computes without end."""
    if not busy:
        yield
        return
    other = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        yield
    finally:
        other.kill()
        other.wait()


def has(flag: str) -> bool:
    info = Path("/proc/cpuinfo")
    return info.is_file() and flag in info.read_text().split()


def processor() -> str:
    info = Path("/proc/cpuinfo")
    names = (
        [line.split(":", 1)[1].strip() for line in info.read_text().splitlines() if line.startswith("model name")] if info.is_file() else []
    )
    return names[0] if names else platform.processor() or platform.machine()


def tried(machine: str, check: str, seeds: int) -> Found:
    if check in LEFT_OUT.get(machine, ()):
        return Found("-", None)
    try:
        with neighbour(machine == "busy neighbour"):
            return CHECKS[check](MACHINES[machine], seeds)
    except (RuntimeError, subprocess.CalledProcessError, KeyError, StopIteration) as error:
        return Found(f"could not be tried: {error}", False)


def table(found: Mapping[str, Mapping[str, Found]], checks: list[str]) -> str:
    """Markdown: a row a machine, a column a check."""
    lines = [f"| machine | {' | '.join(checks)} |", "| --- " * (len(checks) + 1) + "|"]
    for machine, cells in found.items():
        shown = [f"{cell.figure}{'' if cell.holds is not False else ' (FAILS)'}" for cell in (cells[check] for check in checks)]
        lines.append(f"| {machine} | {' | '.join(shown)} |")
    return "\n".join(lines)


def chosen(given: str, known: Mapping[str, Any], what: str) -> list[str]:
    names = [name.strip() for name in given.split(",")] if given else list(known)
    if unknown := [name for name in names if name not in known]:
        raise SystemExit(f"There is no {what} {unknown[0]!r}: choose of {', '.join(known)}.")
    return names


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--machines", default="", help="some of the machines, separated by commas")
    parser.add_argument("--only", default="", help="some of the checks, separated by commas")
    parser.add_argument("--seeds", type=int, default=10, help="seeds of the statements that train")
    parser.add_argument("--markdown", type=Path, metavar="PATH", help="write the table to this file too")
    args = parser.parse_args()
    checks = chosen(args.only, CHECKS, "check")
    machines = [name for name in chosen(args.machines, MACHINES, "machine") if name not in NEEDS or has(NEEDS[name])]
    found: dict[str, dict[str, Found]] = {}
    for machine in machines:
        found[machine] = {}
        for check in checks:
            began = time.monotonic()
            print(f"{machine}: {check} ...", file=sys.stderr, flush=True)
            found[machine][check] = tried(machine, check, args.seeds)
            print(f"{machine}: {check}: {found[machine][check].figure} ({time.monotonic() - began:.0f} s)", file=sys.stderr, flush=True)
    shown = f"{processor()}, {os.cpu_count()} cores\n\n{table(found, checks)}"
    print(shown)
    if args.markdown is not None:
        args.markdown.parent.mkdir(parents=True, exist_ok=True)
        args.markdown.write_text(shown + "\n")
    return 1 if any(cell.holds is False for cells in found.values() for cell in cells.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
