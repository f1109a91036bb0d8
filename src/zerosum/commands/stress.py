"""zerosum stress NAME: a standard benchmark by its published protocol, with a perfect sampler and published results for comparison."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from zerosum.commands.flags import parse, positional
from zerosum.errors import Refusal

if TYPE_CHECKING:
    from zerosum.runs.run import Run
    from zerosum.study.stress import MixtureScore

EXAMPLES = """\
  zerosum stress ring8
  zerosum stress grid25 --seeds 3 --json
  zerosum stress dirac
  zerosum stress parzen --run runs/mnist-1
"""

PARZEN_MINUTES = 20.0


@dataclass(frozen=True)
class Stress:
    """Run a standard GAN benchmark with the preset for points, one process and one thread per seed. Prints the scores next to those of a
    perfect sampler with as many samples and those that papers report."""

    name: Literal["ring8", "grid25", "dirac", "parzen"] = positional("NAME")
    """ring8 or grid25 (2-D mixtures), dirac (the Dirac-GAN, the smallest game), or parzen (log-likelihood of digits)."""
    seeds: int = 10
    """Number of seeds to train."""
    samples: int | None = None
    """Real samples per seed; by default 3,200,000, under three minutes on one core."""
    run: Path | None = None
    """For parzen: a run on mnist to score; without one, zerosum first trains on the digits for 20 minutes."""
    json: bool = False
    """Print one JSON list of rows and nothing else."""


def main(argv: Sequence[str]) -> int:
    args = parse(Stress, argv, prog="zerosum stress", examples=EXAMPLES)
    if args.seeds < 1:
        raise Refusal(f"--seeds must be at least 1, not {args.seeds}.")
    if args.samples is not None and args.samples < 1:
        raise Refusal(f"--samples must be at least 1, not {args.samples}.")
    if args.run is not None and args.name != "parzen":
        raise Refusal(f"--run is for parzen; {args.name} trains its own runs: leave --run out.")
    if args.name == "parzen":
        rows = parzen_rows(args.run)
    elif args.name == "dirac":
        from zerosum.study.stress import dirac_rows

        rows = dirac_rows()
    else:
        rows = mixture_rows(args.name, args.seeds, args.samples)
    if args.json:
        print(json.dumps(rows, allow_nan=False))
    else:
        from zerosum.commands.lab import tabled
        from zerosum.report.text_table import paragraph

        print(f"{tabled(rows)}\n\n{paragraph(caption(args.name))}")
    sys.stdout.flush()
    return 0


def caption(name: str) -> str:
    """What the numbers of a table mean, and which direction is better."""
    if name == "parzen":
        from zerosum.study.parzen import WARNING

        return WARNING
    if name == "dirac":
        return "Distance from the equilibrium after 500 steps of gradient descent; 0 is best. It starts at 1.414."
    return (
        "modes: how many are reached (higher is better). high_quality: share of samples within 3 sigma of a mode. reverse_kl: KL of "
        "the modes' shares, nats (lower is better). sigma_ratio: spread within modes over the true one. Best: the perfect sampler's row."
    )


def mixture_rows(name: str, seeds: int, samples: int | None) -> list[dict[str, Any]]:
    """Our scores per seed and on average, those of a perfect sampler, and the published ones."""
    from zerosum.study.stress import PUBLISHED, SCORED, mean, reference_score

    scores = _seeds(name, seeds, samples)
    ours = [{"sampler": f"zerosum, seed {seed}", **asdict(s)} for seed, s in enumerate(scores)]
    source = f"measured, {SCORED} samples"
    return [
        *({**row, "source": source} for row in ours),
        {"sampler": f"zerosum, mean of {seeds}", **asdict(mean(scores)), "source": source},
        {"sampler": "perfect sampler", **asdict(reference_score(name)), "source": source},
        *(
            {"sampler": method, "modes": modes, "high_quality": share, "reverse_kl": kl, "sigma_ratio": None, "source": paper}
            for method, modes, share, kl, paper in PUBLISHED[name]
        ),
    ]


def parzen_rows(path: Path | None) -> list[dict[str, Any]]:
    """Our score, that of real digits, and the published ones."""
    from zerosum.api import load
    from zerosum.report.progress import CountProgress
    from zerosum.study.parzen import SCORED, published_rows, real, row, scored

    run = load(path) if path is not None else _digits()
    reading = CountProgress()
    reading("Parzen windows", 0, 2)
    ours = row(f"zerosum, {run.path.name}", scored(run.sample(SCORED)))
    reading("Parzen windows", 1, 2)
    rows = [ours, row("real training digits", real()), *published_rows()]
    reading("Parzen windows", 2, 2)
    return rows


def _digits() -> Run:
    """Train on the digits with their preset, with the display of `zerosum train`."""
    from zerosum.api import train
    from zerosum.api.training import run_folder
    from zerosum.commands.listeners import followed

    with run_folder(None, "parzen") as out, followed(out, quiet=False, tensorboard=False) as listener:
        return train("mnist", minutes=PARZEN_MINUTES, out=out, listener=listener)


def _seeds(name: str, seeds: int, samples: int | None) -> list[MixtureScore]:
    """Each seed's score: in this process for a single seed, else in as many processes as there are cores."""
    from zerosum.report.progress import CountProgress
    from zerosum.study.stress import TRAINING_SAMPLES, ours

    reading, samples = CountProgress(), samples or TRAINING_SAMPLES
    if seeds == 1:
        return [ours(name, 0, samples, reading)]
    found: dict[int, MixtureScore] = {}
    workers = min(seeds, os.cpu_count() or 1)
    # Spawn, not fork: torch's threads do not survive a fork.
    with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
        waiting = {pool.submit(ours, name, seed, samples): seed for seed in range(seeds)}
        try:
            for done in as_completed(waiting):
                found[waiting[done]] = done.result()
                reading(f"{name}, seeds", len(found), seeds)
        except KeyboardInterrupt:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return [found[seed] for seed in range(seeds)]
